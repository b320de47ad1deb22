import { type HistogramSnapshot, LatencyHistogram } from '../latency-histogram.ts'
import type { NodeStats } from '../node-protocol.ts'

/** What the ended processes of a node had counted, all together. */
export interface EarlierCounts {
  readonly decisionMs: HistogramSnapshot
  readonly dropped: Readonly<Record<string, number>>
  readonly gossipBytes: number
}

/** Adds one more ended process: what a killed one had counted is not forgotten, and takes no more room. */
export function withEnded(earlier: EarlierCounts | undefined, ended: NodeStats): EarlierCounts {
  const { decisionMs, dropped, gossipBytes } = ended
  if (earlier === undefined) return { decisionMs, dropped, gossipBytes }
  const histogram = new LatencyHistogram()
  histogram.merge(earlier.decisionMs)
  histogram.merge(decisionMs)
  const counts = new Map(Object.entries(earlier.dropped))
  for (const [reason, count] of Object.entries(dropped))
    counts.set(reason, (counts.get(reason) ?? 0) + count)
  return {
    decisionMs: histogram.snapshot(),
    dropped: Object.fromEntries(counts),
    gossipBytes: earlier.gossipBytes + gossipBytes,
  }
}
