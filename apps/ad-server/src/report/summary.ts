import type { LoadFigures } from '../load/load-tally.ts'
import { type HistogramSnapshot, LatencyHistogram } from '../latency-histogram.ts'
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
 * Makes summaries of observations: rates of the last seconds, times of the last ten. For a whole run,
 * rates and times are those since the first observation.
 */
export class Summaries {
  readonly #isOfWholeRun: boolean
  readonly #recent: Observation[] = []

  constructor(span: 'recent' | 'whole run' = 'recent') {
    this.#isOfWholeRun = span === 'whole run'
  }

  observe(observation: Observation): Summary {
    const recent = this.#recent
    if (!this.#isOfWholeRun || recent.length === 0) recent.push(observation)
    while (recent.length > 2 && ageOf(recent[1], observation) >= TIMES_MS) recent.shift()
    const oldest = recent[0] ?? observation
    const forRates = this.#isOfWholeRun
      ? oldest
      : (recent.findLast((each) => ageOf(each, observation) >= RATES_MS) ?? oldest)
    // The first observation of all has nothing before it: its times are all there are.
    return summaryOf(observation, forRates, oldest === observation ? undefined : oldest)
  }
}

function ageOf(earlier: Observation | undefined, now: Observation): number {
  return now.nowMs - (earlier?.nowMs ?? now.nowMs)
}

/** `before`: since when rates count; `beforeThat`: since when times do, undefined for always. */
function summaryOf(
  now: Observation,
  before: Observation,
  beforeThat: Observation | undefined,
): Summary {
  const { load } = now
  const seconds = Math.max(0.001, (now.nowMs - before.nowMs) / 1_000)
  const all = countedBy(now)
  const campaigns = campaignsOf(now)
  const gossipBytes = sumOf(all, (stats) => stats.gossipBytes)
  const gossipBefore = sumOf(countedBy(before), (stats) => stats.gossipBytes)
  return {
    scenarioNowMs: now.scenarioNowMs,
    nodes: now.nodes.map((node) => nodeSummaryOf(node, before, beforeThat, seconds)),
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
    decisionMs: quantilesOf(
      all.map((counted) => counted.decisionMs),
      (beforeThat === undefined ? [] : countedBy(beforeThat)).map((counted) => counted.decisionMs),
    ),
    httpMs: quantilesOf([load?.httpMs ?? []], [beforeThat?.load?.httpMs ?? []]),
    campaigns,
    spendMicros: sumOf(campaigns, ({ spentMicros }) => spentMicros),
    budgetMicros: sumOf(campaigns, ({ budgetMicros }) => budgetMicros),
    replicasAgree: doReplicasAgree(now.nodes),
    dropped: addedUp(all.map((stats) => stats.dropped)),
    gossipBytes,
    gossipBytesPerSecond: Math.max(0, gossipBytes - gossipBefore) / seconds,
  }
}

function nodeSummaryOf(
  node: ObservedNode,
  before: Observation,
  beforeThat: Observation | undefined,
  seconds: number,
): NodeSummary {
  const { stats } = node
  const requestsBefore = sameProcess(node, before)?.requests ?? 0
  const timesBefore = sameProcess(node, beforeThat)?.decisionMs ?? []
  return {
    name: node.name,
    phase: node.phase,
    pid: node.pid,
    httpPort: node.httpPort,
    restarts: Math.max(0, node.starts - 1),
    requestsPerSecond: ((stats?.requests ?? 0) - requestsBefore) / seconds,
    decisionMs: quantilesOf([stats?.decisionMs ?? []], [timesBefore]),
    indexEntries: stats?.indexEntries ?? 0,
    shards: stats?.shards ?? 0,
    heapBytes: stats?.heapBytes ?? 0,
  }
}

/** What the node had counted then; undefined when it is another process now, whose counters began again. */
function sameProcess(
  { name, stats }: ObservedNode,
  then: Observation | undefined,
): NodeStats | undefined {
  const earlier = then?.nodes.find((node) => node.name === name)?.stats
  return earlier?.uid === stats?.uid ? earlier : undefined
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

/** Of what was counted after `before`, which is a part of `now`. */
function quantilesOf(
  now: readonly HistogramSnapshot[],
  before: readonly HistogramSnapshot[],
): Quantiles {
  const histogram = mergeOf(now).since(mergeOf(before).snapshot())
  const at = (q: number) => Number(histogram.quantile(q).toPrecision(3))
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999) }
}

function mergeOf(snapshots: readonly HistogramSnapshot[]): LatencyHistogram {
  const histogram = new LatencyHistogram()
  for (const snapshot of snapshots) histogram.merge(snapshot)
  return histogram
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

const RATES_MS = 2_000
const TIMES_MS = 10_000
