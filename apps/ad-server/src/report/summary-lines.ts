import {
  bytesText,
  countText,
  dollarText,
  durationText,
  momentText,
  msText,
  percentText,
} from './figure-text.ts'
import { type Counts, type NodeSummary, type Quantiles, type Summary, totalOf } from './summary.ts'
import { barText, type Cell, type Paint, tableLines } from './text-table.ts'

/** What stands above and below the figures. */
export interface Frame {
  readonly title: string
  /** How long the load has lasted; undefined before it. */
  readonly elapsedMs: number | undefined
  readonly speed: number
  /** The last few things that happened, oldest first. */
  readonly notices: readonly string[]
  /** What the times are those of: `last 10 s`. */
  readonly timesOf: string
  readonly hint: string
}

/** The whole summary for a reader with a terminal of any width. */
export function summaryLines(summary: Summary, frame: Frame, paint: Paint): string[] {
  return [
    paint('strong', frame.title),
    paint('quiet', clockText(summary, frame)),
    '',
    ...nodeLines(summary, paint),
    paint('quiet', replicaText(summary)),
    '',
    ...trafficLines(summary, frame, paint),
    '',
    ...campaignLines(summary, paint),
    '',
    ...frame.notices.map((text) => paint('quiet', text)),
    ...(frame.hint === '' ? [] : [paint('quiet', frame.hint)]),
  ]
}

/** The same in one line, for logs. */
export function summaryLine(summary: Summary, elapsedMs: number): string {
  const { decisionMs, httpMs, nodes, nodesUp } = summary
  const answered = summary.served + totalOf(summary.noContent)
  const reasons = Object.entries(summary.noContent)
    .map(([reason, count]) => ` ${reason} ${percentText(count, answered)}`)
    .join(',')
  return [
    durationText(elapsedMs).padStart(5),
    `${nodesUp}/${nodes.length} nodes up`,
    `${countText(summary.requestsPerSecond)} req/s`,
    `served ${percentText(summary.served, answered)}`,
    `204${reasons || ' 0 %'}`,
    `decision p50 ${msText(decisionMs.p50)} p99 ${msText(decisionMs.p99)} ms`,
    `http p50 ${msText(httpMs.p50)} p99 ${msText(httpMs.p99)} ms`,
    `errors ${countText(totalOf(summary.httpErrors))}`,
    `spent ${dollarText(summary.spendMicros)} of ${dollarText(summary.budgetMicros)}`,
    summary.replicasAgree ? 'replicas agree' : 'replicas converging',
  ].join('  ')
}

function clockText(summary: Summary, { elapsedMs, speed }: Frame): string {
  const running = elapsedMs === undefined ? 'starting' : `running ${durationText(elapsedMs)}`
  return `${running}   scenario time ${momentText(summary.scenarioNowMs)} (${speed} x real time)`
}

function nodeLines(summary: Summary, paint: Paint): string[] {
  const columns = [
    { title: 'node', align: 'left' },
    { title: 'state', align: 'left' },
    { title: 'pid', align: 'right' },
    { title: 'http', align: 'right' },
    { title: 'req/s', align: 'right' },
    { title: 'p50 / p99 ms', align: 'right' },
    { title: 'index', align: 'right' },
    { title: 'shards', align: 'right' },
    { title: 'restarts', align: 'right' },
  ] as const
  return tableLines(columns, summary.nodes.map(nodeCells), paint)
}

function nodeCells(node: NodeSummary): Cell[] {
  const isUp = node.phase === 'up'
  return [
    { text: node.name },
    { text: node.phase, tone: isUp ? 'good' : 'bad' },
    { text: node.pid === undefined ? '-' : String(node.pid), tone: 'quiet' },
    { text: `:${node.httpPort}`, tone: 'quiet' },
    { text: countText(node.requestsPerSecond) },
    { text: `${msText(node.decisionMs.p50)} / ${msText(node.decisionMs.p99)}` },
    { text: countText(node.indexEntries) },
    { text: countText(node.shards) },
    { text: String(node.restarts), tone: node.restarts > 0 ? 'strong' : 'quiet' },
  ]
}

function replicaText(summary: Summary): string {
  const lost = totalOf(summary.dropped)
  const dropped = lost === 0 ? 'no message dropped' : `dropped ${reasonsText(summary.dropped)}`
  const agree = summary.replicasAgree ? 'replicas agree' : 'replicas are exchanging changes'
  return `${agree}   gossip ${bytesText(summary.gossipBytesPerSecond)}/s   ${dropped}`
}

function trafficLines(summary: Summary, { timesOf }: Frame, paint: Paint): string[] {
  const { requests, served, noContent, httpErrors, retries } = summary
  const answered = served + totalOf(noContent)
  const errors = totalOf(httpErrors)
  const line = (label: string, text: string) => `${paint('quiet', label.padEnd(12))}${text}`
  const times = (quantiles: Quantiles) =>
    `${quantilesText(quantiles)}   ${paint('quiet', `(${timesOf})`)}`
  const lines = [
    line(
      'requests',
      `${countText(summary.requestsPerSecond)} /s   ${countText(requests)} in all, three slots each`,
    ),
    line(
      'served',
      `${percentText(served, answered)}   ${countText(summary.ads)} ads, ` +
        `${countText(summary.impressions)} impressions, ${countText(summary.clicks)} clicks`,
    ),
    line('204', sharesText(noContent, answered)),
    line('decision', times(summary.decisionMs)),
    line('http', times(summary.httpMs)),
    line('errors', errors === 0 ? paint('good', 'none') : paint('bad', reasonsText(httpErrors))),
  ]
  if (totalOf(retries) > 0)
    lines.push(line('retries', `${reasonsText(retries)}; sent again to another node`))
  if (summary.unanswered > 0)
    lines.push(line('unanswered', `${countText(summary.unanswered)} when the run ended`))
  if (summary.skipped > 0)
    lines.push(
      line('skipped', `${countText(summary.skipped)} page views this machine could not send`),
    )
  return lines
}

function campaignLines({ campaigns, spendMicros, budgetMicros }: Summary, paint: Paint): string[] {
  const columns = [
    { title: 'campaign', align: 'left' },
    { title: 'advertiser', align: 'left' },
    { title: 'spent today', align: 'right' },
    { title: 'budget', align: 'right' },
    { title: '', align: 'right' },
    { title: '', align: 'left' },
  ] as const
  const row = (name: string, by: string, spent: number, budget: number): Cell[] => [
    { text: name },
    { text: by, tone: 'quiet' },
    { text: dollarText(spent) },
    { text: dollarText(budget), tone: 'quiet' },
    { text: percentText(spent, budget) },
    { text: barText(spent, budget, BAR_WIDTH), tone: 'quiet' },
  ]
  const shown = campaigns.slice(0, CAMPAIGNS_SHOWN)
  const rows = shown.map((campaign) =>
    row(campaign.campaignId, campaign.advertiserId, campaign.spentMicros, campaign.budgetMicros),
  )
  const hidden = campaigns.length - shown.length
  const all = hidden > 0 ? `all (${hidden} not shown)` : 'all'
  return tableLines(columns, [...rows, row(all, '', spendMicros, budgetMicros)], paint)
}

function quantilesText({ p50, p99, p999 }: Quantiles): string {
  return `p50 ${msText(p50)}   p99 ${msText(p99)}   p99.9 ${msText(p999)} ms`
}

function sharesText(counts: Counts, whole: number): string {
  const shares = Object.entries(counts).map(([name, n]) => `${name} ${percentText(n, whole)}`)
  return shares.length === 0 ? 'none' : shares.join('   ')
}

function reasonsText(counts: Counts): string {
  return Object.entries(counts)
    .map(([reason, count]) => `${countText(count)} ${reason}`)
    .join(', ')
}

const BAR_WIDTH = 24
const CAMPAIGNS_SHOWN = 12
