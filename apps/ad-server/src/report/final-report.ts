import type { RowCounts } from '../scenario/traffic.ts'
import { type Summary, totalOf } from './summary.ts'
import { countText } from './figure-text.ts'

/** What a finished run adds to its summary. */
export interface RunFacts {
  readonly scenario: string
  /** How long the load lasted. */
  readonly elapsedMs: number
  readonly rate: number
  readonly speed: number
  readonly kills: number
  readonly rows: readonly RowCounts[]
}

/**
 * The one object that `--json` prints. Names are for programs and stay as they are; sums come first,
 * what they consist of beside them.
 */
export function finalReport(summary: Summary, facts: RunFacts): Readonly<Record<string, unknown>> {
  const entries = summary.nodes.map(({ indexEntries }) => indexEntries)
  return {
    scenario: facts.scenario,
    seconds: Number((facts.elapsedMs / 1_000).toFixed(1)),
    rate: facts.rate,
    speed: facts.speed,
    nodes: summary.nodes.length,
    nodesUp: summary.nodesUp,
    kills: facts.kills,
    restarts: summary.restarts,
    requests: summary.requests,
    requestsPerSecond: Number((summary.requests / (facts.elapsedMs / 1_000)).toFixed(1)),
    served: summary.served,
    ads: summary.ads,
    noContent: summary.noContent,
    impressions: summary.impressions,
    clicks: summary.clicks,
    httpErrors: totalOf(summary.httpErrors),
    httpErrorsByReason: summary.httpErrors,
    retries: totalOf(summary.retries),
    retriesByReason: summary.retries,
    skipped: summary.skipped,
    unanswered: summary.unanswered,
    decisionMs: summary.decisionMs,
    httpMs: summary.httpMs,
    replicasAgree: summary.replicasAgree,
    indexEntries: Math.max(0, ...entries),
    indexEntriesByNode: Object.fromEntries(
      summary.nodes.map(({ name, indexEntries }) => [name, indexEntries]),
    ),
    spendMicros: summary.spendMicros,
    budgetMicros: summary.budgetMicros,
    campaigns: summary.campaigns,
    dropped: totalOf(summary.dropped),
    droppedByReason: summary.dropped,
    gossipBytes: summary.gossipBytes,
    rows: facts.rows,
  }
}

/** What a replay made of each file, for people. */
export function rowLines(rows: readonly RowCounts[]): string[] {
  const widest = Math.max(0, ...rows.map(({ file }) => file.length))
  return rows.flatMap(({ file, read, used, refused }) => {
    const others = totalOf(refused)
    const start = `${file.padEnd(widest)}  ${countText(read).padStart(6)} rows read, ${countText(used).padStart(6)} used, ${countText(others).padStart(5)} refused`
    const reasons = Object.entries(refused).map(
      ([reason, count]) => `${countText(count)} ${reason}`,
    )
    return [reasons.length === 0 ? start : `${start}: ${reasons.join(', ')}`]
  })
}
