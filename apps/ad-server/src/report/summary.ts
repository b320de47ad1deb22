import type { LoadFigures } from '../load/load-tally.ts'
import { LatencyHistogram } from '../latency-histogram.ts'
import type { CampaignFigures, NodeStats } from '../node-protocol.ts'

/** What is known at one moment. */
export interface Observation {
  /** Monotonic milliseconds. */
  readonly nowMs: number
  readonly scenarioNowMs: number
  readonly nodes: readonly ObservedNode[]
  /** Absent until the load has begun. */
  readonly load?: LoadFigures
}

export interface ObservedNode {
  readonly name: string
  readonly phase: string
  readonly starts: number
  readonly pid?: number
  readonly httpPort: number
  readonly stats?: NodeStats
  /** What the node's earlier processes had counted. */
  readonly earlier?: Counted
}

/** Figures that are added up over all processes there have been. */
type Counted = Pick<NodeStats, 'decisionMs' | 'dropped' | 'gossipBytes'>

/** Everything a person or a program is told about a run. Plain data: it travels to the page. */
export interface Summary {
  readonly scenarioNowMs: number
  readonly nodes: readonly NodeSummary[]
  readonly nodesUp: number
  readonly restarts: number
  /** Page views a second, now; and in all. */
  readonly requestsPerSecond: number
  readonly requests: number
  readonly served: number
  readonly ads: number
  readonly impressions: number
  readonly clicks: number
  readonly skipped: number
  readonly unanswered: number
  readonly noContent: Counts
  readonly httpErrors: Counts
  readonly retries: Counts
  readonly decisionMs: Quantiles
  readonly httpMs: Quantiles
  readonly campaigns: readonly CampaignSummary[]
  readonly spendMicros: number
  readonly budgetMicros: number
  /** All nodes are up, and each holds the same replicated data. */
  readonly replicasAgree: boolean
  readonly dropped: Counts
  readonly gossipBytes: number
  readonly gossipBytesPerSecond: number
}

export type Counts = Readonly<Record<string, number>>

export interface NodeSummary {
  readonly name: string
  readonly phase: string
  readonly pid: number | undefined
  readonly httpPort: number
  readonly restarts: number
  readonly requestsPerSecond: number
  readonly decisionMs: Quantiles
  readonly indexEntries: number
  readonly shards: number
  readonly heapBytes: number
}

interface CampaignSummary {
  readonly campaignId: string
  readonly advertiserId: string
  readonly spentMicros: number
  readonly budgetMicros: number
}

export interface Quantiles {
  readonly p50: number
  readonly p99: number
  readonly p999: number
}

/**
 * Makes summaries of observations. What is counted per second is counted over the last `windowMs`;
 * `Infinity` counts since the first observation.
 */
export class Summaries {
  readonly #windowMs: number
  readonly #recent: Observation[] = []

  constructor(windowMs: number = WINDOW_MS) {
    this.#windowMs = windowMs
  }

  observe(observation: Observation): Summary {
    const recent = this.#recent
    if (this.#windowMs < Infinity || recent.length === 0) recent.push(observation)
    while (recent.length > 2 && observation.nowMs - (recent[1]?.nowMs ?? 0) >= this.#windowMs)
      recent.shift()
    return summaryOf(observation, recent[0] ?? observation)
  }
}

function summaryOf(now: Observation, before: Observation): Summary {
  const { load } = now
  const seconds = Math.max(0.001, (now.nowMs - before.nowMs) / 1_000)
  const all = countedBy(now)
  const campaigns = campaignsOf(now)
  const gossipBytes = sumOf(all, (stats) => stats.gossipBytes)
  const gossipBefore = sumOf(countedBy(before), (stats) => stats.gossipBytes)
  return {
    scenarioNowMs: now.scenarioNowMs,
    nodes: now.nodes.map((node) => nodeSummaryOf(node, before, seconds)),
    nodesUp: now.nodes.filter(({ phase }) => phase === 'up').length,
    restarts: sumOf(now.nodes, ({ starts }) => Math.max(0, starts - 1)),
    requestsPerSecond: ((load?.requests ?? 0) - (before.load?.requests ?? 0)) / seconds,
    requests: load?.requests ?? 0,
    served: load?.served ?? 0,
    ads: load?.ads ?? 0,
    impressions: load?.impressions ?? 0,
    clicks: load?.clicks ?? 0,
    skipped: load?.skipped ?? 0,
    unanswered: load?.unanswered ?? 0,
    noContent: load?.noContent ?? {},
    httpErrors: load?.httpErrors ?? {},
    retries: load?.retries ?? {},
    decisionMs: quantilesOf(all.map((stats) => stats.decisionMs)),
    httpMs: quantilesOf(load === undefined ? [] : [load.httpMs]),
    campaigns,
    spendMicros: sumOf(campaigns, ({ spentMicros }) => spentMicros),
    budgetMicros: sumOf(campaigns, ({ budgetMicros }) => budgetMicros),
    replicasAgree: doReplicasAgree(now.nodes),
    dropped: addedUp(all.map((stats) => stats.dropped)),
    gossipBytes,
    gossipBytesPerSecond: Math.max(0, gossipBytes - gossipBefore) / seconds,
  }
}

function nodeSummaryOf(node: ObservedNode, before: Observation, seconds: number): NodeSummary {
  const { stats } = node
  const earlier = before.nodes.find(({ name }) => name === node.name)?.stats
  // After a restart the counters begin again.
  const since = earlier?.uid === stats?.uid ? earlier : undefined
  return {
    name: node.name,
    phase: node.phase,
    pid: node.pid,
    httpPort: node.httpPort,
    restarts: Math.max(0, node.starts - 1),
    requestsPerSecond: ((stats?.requests ?? 0) - (since?.requests ?? 0)) / seconds,
    decisionMs: quantilesOf(stats === undefined ? [] : [stats.decisionMs]),
    indexEntries: stats?.indexEntries ?? 0,
    shards: stats?.shards ?? 0,
    heapBytes: stats?.heapBytes ?? 0,
  }
}

function countedBy({ nodes }: Observation): Counted[] {
  return nodes
    .flatMap(({ earlier, stats }) => [earlier, stats])
    .filter((each) => each !== undefined)
}

/** Each campaign as its owner published it last; several nodes may have heard of it. */
function campaignsOf({ nodes }: Observation): CampaignSummary[] {
  const newest = new Map<string, CampaignFigures>()
  for (const campaign of nodes.flatMap(({ stats }) => stats?.campaigns ?? [])) {
    // The nodes name a campaign as its entity is named, `advertiser|campaign`.
    const key = `${campaign.advertiserId}|${campaign.campaignId.split('|').at(-1) ?? ''}`
    const known = newest.get(key)
    if (known === undefined || campaign.revision > known.revision) newest.set(key, campaign)
  }
  return [...newest]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, { advertiserId, spentMicros, budgetMicros }]) => ({
      campaignId: key.slice(advertiserId.length + 1),
      advertiserId,
      spentMicros,
      budgetMicros,
    }))
}

function doReplicasAgree(nodes: readonly ObservedNode[]): boolean {
  const digests = new Set(nodes.map(({ stats }) => stats?.replicaDigest))
  return (
    digests.size === 1 && nodes.every(({ phase, stats }) => phase === 'up' && stats !== undefined)
  )
}

function quantilesOf(snapshots: readonly NodeStats['decisionMs'][]): Quantiles {
  const histogram = new LatencyHistogram()
  for (const snapshot of snapshots) histogram.merge(snapshot)
  const at = (q: number) => Number(histogram.quantile(q).toPrecision(3))
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999) }
}

function addedUp(all: readonly Counts[]): Counts {
  const sums = new Map<string, number>()
  for (const counts of all)
    for (const [name, count] of Object.entries(counts))
      sums.set(name, (sums.get(name) ?? 0) + count)
  return Object.fromEntries(sums)
}

/** The sum of all counts. */
export function totalOf(counts: Counts): number {
  return sumOf(Object.values(counts), (count) => count)
}

function sumOf<T>(items: readonly T[], figure: (item: T) => number): number {
  return items.reduce((sum, item) => sum + figure(item), 0)
}

const WINDOW_MS = 2_000
