import type { Step } from './plan.ts'
import type { Round } from './round.ts'
import type { Visit } from './visitors.ts'

export interface AdReport {
  readonly ad: string
  readonly shown: number
  /** Of these by clients that were offline. */
  readonly shownOffline: number
  /** On the node that has counted least. */
  readonly counted: number
  readonly beyondLimit: number
}

export interface RoundReport {
  readonly round: Round['name']
  readonly requests: number
  readonly shown: number
  readonly nothingToShow: number
  readonly counted: number
  /** Views shown that some replica has not counted. */
  readonly lost: number
  /** Views counted more than once. */
  readonly countedTwice: number
  /** All replicas have the same digest and the same counts. */
  readonly replicasAgree: boolean
  /** All clients have stopped showing all ads that reached their limit. */
  readonly allStopped: boolean
  /** From the last step of the plan until all replicas had everything; undefined: never. */
  readonly agreedAfterMs: number | undefined
  readonly ads: readonly AdReport[]
  readonly offlineClients: readonly string[]
}

export interface AdCounterReport {
  readonly nodes: number
  readonly clients: number
  readonly limit: number
  readonly seed: number
  /** In both rounds together. */
  readonly lost: number
  readonly replicasAgree: boolean
  /** What crossed the links between the nodes from beginning to end, membership included. */
  readonly linkMessages: number
  readonly linkBytes: number
  readonly rounds: readonly RoundReport[]
}

/** What a round left behind on one node. */
export interface NodeCounts {
  readonly digest: string
  /** By ad. */
  readonly counts: ReadonlyMap<string, number>
}

export interface Played {
  readonly plan: readonly Step[]
  readonly visits: readonly Visit[]
  readonly nodes: readonly NodeCounts[]
  readonly allStopped: boolean
  readonly agreedAfterMs: number | undefined
}

export function roundReport(round: Round, played: Played): RoundReport {
  const { visits, nodes, plan } = played
  const ads = round.adIds.map((ad) => adReport(ad, round, visits, nodes))
  const most = (ad: string): number => Math.max(...nodes.map(({ counts }) => counts.get(ad) ?? 0))
  const isCountedAlike = ads.every(({ ad, counted }) => counted === most(ad))
  return {
    round: round.name,
    requests: visits.length,
    shown: sum(ads, ({ shown }) => shown),
    nothingToShow: visits.filter(({ adId }) => adId === undefined).length,
    counted: sum(ads, ({ counted }) => counted),
    lost: sum(ads, ({ shown, counted }) => Math.max(0, shown - counted)),
    countedTwice: sum(ads, ({ ad, shown }) => Math.max(0, most(ad) - shown)),
    replicasAgree: isCountedAlike && new Set(nodes.map(({ digest }) => digest)).size === 1,
    allStopped: played.allStopped,
    agreedAfterMs: played.agreedAfterMs,
    ads,
    offlineClients: plan.flatMap((step) => (step.type === 'GoOffline' ? [step.client] : [])),
  }
}

function adReport(
  ad: string,
  round: Round,
  visits: readonly Visit[],
  nodes: readonly NodeCounts[],
): AdReport {
  const views = visits.filter(({ adId }) => adId === ad)
  return {
    ad,
    shown: views.length,
    shownOffline: views.filter(({ wasOffline }) => wasOffline).length,
    counted: Math.min(...nodes.map(({ counts }) => counts.get(ad) ?? 0)),
    beyondLimit: Math.max(0, views.length - round.limit),
  }
}

/** True when everything is as promised: nothing lost, nothing twice, all agree, all have stopped. */
export function isAsPromised({ rounds }: AdCounterReport): boolean {
  return rounds.every(
    (round) =>
      round.lost === 0 && round.countedTwice === 0 && round.replicasAgree && round.allStopped,
  )
}

function sum(ads: readonly AdReport[], of: (ad: AdReport) => number): number {
  return ads.reduce((total, ad) => total + of(ad), 0)
}
