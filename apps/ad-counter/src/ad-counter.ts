import type { ActorRef, ActorSystem } from '@troupe/actor'
import { Cluster } from '@troupe/cluster'
import { DistributedData } from '@troupe/replicator'
import type { ClientCommand, Stopped } from './client.ts'
import type { AdCounterConfig } from './config.ts'
import type { HostCommand, Opened } from './host.ts'
import { offlinePlan, onlinePlan, type Step } from './plan.ts'
import { type AdCounterReport, type NodeCounts, roundReport, type RoundReport } from './report.ts'
import { namesOf, type Round, viewsOf } from './round.ts'
import type { Played, Visit } from './visitors.ts'

/** A member of the cluster with a host on it. */
export interface CounterNode {
  readonly system: ActorSystem
  readonly host: ActorRef<HostCommand>
}

/**
 * The advertisement counter: a round with everybody online, then one with clients that are offline
 * for a while. All of `nodes` are members of one cluster. `onRound` hears of each round as soon as it
 * is over. Rejects when a part does not answer.
 * Source: "Programming Models, Part 3: Ad Counter" (Meiklejohn, 2014), in the words of Lasp.
 */
export async function runAdCounter(
  nodes: readonly CounterNode[],
  config: AdCounterConfig,
  onRound: (round: RoundReport) => void = () => {},
): Promise<AdCounterReport> {
  const { limit, requests, seed } = config
  const adIds = namesOf('ad', config.ads)
  const clients = namesOf('client', config.clients)
  const rounds: RoundReport[] = []
  for (const name of ['online', 'offline'] as const) {
    const plan = (name === 'online' ? onlinePlan : offlinePlan)({ clients, requests, seed })
    const round = await runRound(nodes, { name, adIds, limit }, clients, plan, config.pauseMs)
    rounds.push(round)
    onRound(round)
  }
  const links = nodes.map(({ system }) => Cluster.get(system).metrics)
  return {
    nodes: nodes.length,
    clients: clients.length,
    limit,
    seed,
    lost: rounds.reduce((sum, { lost }) => sum + lost, 0),
    replicasAgree: rounds.every(({ replicasAgree }) => replicasAgree),
    linkMessages: links.reduce((sum, { messagesSent }) => sum + messagesSent, 0),
    linkBytes: links.reduce((sum, { bytesSent }) => sum + bytesSent, 0),
    rounds,
  }
}

async function runRound(
  nodes: readonly CounterNode[],
  round: Round,
  clientNames: readonly string[],
  plan: readonly Step[],
  pauseMs: number,
): Promise<RoundReport> {
  const clients = await open(nodes, round, clientNames, plan.length * (pauseMs + 1_000) + 60_000)
  const visits = await play(nodes, plan, clients, pauseMs)
  const shown = viewsByAd(visits)
  const agreedAfterMs = await settled(nodes, round, shown)
  const allStopped = await haveStopped(round, shown, [...clients.values()])
  const counts = nodes.map((node) => countsOn(node, round))
  return roundReport(round, { plan, visits, nodes: counts, allStopped, agreedAfterMs })
}

/** Starts the round's actors, the clients spread over the nodes. */
async function open(
  nodes: readonly CounterNode[],
  round: Round,
  clientNames: readonly string[],
  watchMs: number,
): Promise<ReadonlyMap<string, ActorRef<ClientCommand>>> {
  const opened = await Promise.all(
    nodes.map(({ host }, place) =>
      host.ask<Opened>(
        (replyTo) => ({
          type: 'Open',
          round,
          clients: clientNames.filter((_, index) => index % nodes.length === place),
          watchMs,
          replyTo,
        }),
        { timeoutMs: ANSWER_TIMEOUT_MS },
      ),
    ),
  )
  return new Map(opened.flatMap(({ clients }) => [...clients]))
}

async function play(
  nodes: readonly CounterNode[],
  plan: readonly Step[],
  clients: ReadonlyMap<string, ActorRef<ClientCommand>>,
  pauseMs: number,
): Promise<readonly Visit[]> {
  const [first] = nodes
  if (first === undefined) throw new RangeError('expected at least one node')
  const played = await first.host.ask<Played>(
    (replyTo) => ({ type: 'Play', plan, clients, pauseMs, replyTo }),
    { timeoutMs: plan.length * (pauseMs + 1_000) + ANSWER_TIMEOUT_MS },
  )
  if (played.type === 'Played') return played.visits
  const { step, cause } = played
  throw new Error(`${step.client} did not answer to ${step.type}`, { cause })
}

/**
 * Waits until every replica has counted every view that was shown, by threshold reads like those of
 * the program itself. Returns how long that took; undefined when it did not happen.
 */
async function settled(
  nodes: readonly CounterNode[],
  round: Round,
  shown: ReadonlyMap<string, number>,
): Promise<number | undefined> {
  const [first] = nodes
  if (first === undefined) return undefined
  const { clock } = first.system.platform
  const from = clock.monotonicMs()
  try {
    await Promise.all(
      nodes.flatMap(({ system }) =>
        [...shown].map(([adId, views]) =>
          DistributedData.get(system).whenReached(
            viewsOf(round, adId),
            (counter) => counter.value >= views,
            { timeoutMs: SETTLE_TIMEOUT_MS },
          ),
        ),
      ),
    )
    return clock.monotonicMs() - from
  } catch {
    return undefined
  }
}

/** Whether all clients have been told to stop showing the ads that reached the limit. */
async function haveStopped(
  round: Round,
  shown: ReadonlyMap<string, number>,
  clients: readonly ActorRef<ClientCommand>[],
): Promise<boolean> {
  const full = round.adIds.filter((adId) => (shown.get(adId) ?? 0) >= round.limit)
  try {
    await Promise.all(
      clients.flatMap((client) =>
        full.map((adId) =>
          client.ask<Stopped>((replyTo) => ({ type: 'AwaitStop', adId, replyTo }), {
            timeoutMs: ANSWER_TIMEOUT_MS,
          }),
        ),
      ),
    )
    return true
  } catch {
    return false
  }
}

function countsOn({ system }: CounterNode, round: Round): NodeCounts {
  const data = DistributedData.get(system)
  const counts = new Map(
    round.adIds.map((adId) => [adId, data.read(viewsOf(round, adId))?.value ?? 0]),
  )
  return { digest: data.digest(), counts }
}

function viewsByAd(visits: readonly Visit[]): ReadonlyMap<string, number> {
  const views = new Map<string, number>()
  for (const { adId } of visits) {
    if (adId !== undefined) views.set(adId, (views.get(adId) ?? 0) + 1)
  }
  return views
}

const ANSWER_TIMEOUT_MS = 5_000
const SETTLE_TIMEOUT_MS = 20_000
