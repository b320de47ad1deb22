import { describe, expect, it } from 'vitest'
import { LatencyHistogram } from '../latency-histogram.ts'
import { LoadTally } from '../load/load-tally.ts'
import type { CampaignFigures, NodeStats } from '../node-protocol.ts'
import { finalReport, rowLines } from './final-report.ts'
import { type ObservedNode, Summaries } from './summary.ts'
import { summaryLine, summaryLines } from './summary-lines.ts'
import { noColours } from './terminal.ts'

const histogramOf = (...durations: number[]) => {
  const histogram = new LatencyHistogram()
  for (const duration of durations) histogram.record(duration)
  return histogram.snapshot()
}
const campaign = (spentMicros: number, revision: number): CampaignFigures => ({
  campaignId: 'desk-lamp',
  advertiserId: 'exchange-2',
  status: 'Active',
  revision,
  budgetMicros: 10_000_000,
  spentMicros,
  outstandingMicros: 0,
  day: 0,
})
const stats = (changes: Partial<NodeStats> = {}): NodeStats => ({
  name: 'node-1',
  uid: 'u1',
  clusterAddress: '',
  members: [],
  requests: 0,
  served: 0,
  ads: 0,
  noContent: {},
  httpErrors: {},
  impressions: 0,
  clicks: 0,
  beaconsRefused: {},
  decisionMs: [],
  handlingMs: [],
  indexEntries: 360,
  indexSlots: 120,
  replicaDigest: 'a',
  replicaKeys: 1,
  campaigns: [],
  dropped: {},
  sentBytes: 0,
  receivedBytes: 0,
  gossipBytes: 0,
  shards: 50,
  entities: {},
  heapBytes: 20_000_000,
  scenarioNowMs: 0,
  ...changes,
})
const node = (name: string, changes: Partial<ObservedNode> = {}): ObservedNode => ({
  name,
  phase: 'up',
  starts: 1,
  httpPort: 8001,
  stats: stats({ name }),
  ...changes,
})
const summaryOf = (...nodes: ObservedNode[]) =>
  new Summaries().observe({ nowMs: 0, scenarioNowMs: 0, nodes })

describe('a summary', () => {
  it('adds up the figures of all nodes, and of what earlier processes had counted', () => {
    const earlier = stats({
      decisionMs: histogramOf(100),
      dropped: { unreachable: 2 },
      gossipBytes: 5,
    })
    const summary = summaryOf(
      node('node-1', {
        stats: stats({
          decisionMs: histogramOf(1, 1),
          dropped: { unreachable: 1 },
          gossipBytes: 1,
        }),
      }),
      node('node-2', { starts: 3, earlier, stats: stats({ dropped: { full: 1 } }) }),
    )

    expect(summary.dropped).toEqual({ unreachable: 3, full: 1 })
    expect(summary.gossipBytes).toBe(6)
    expect(summary.restarts).toBe(2)
    expect(summary.decisionMs.p50).toBeCloseTo(1, 1)
    expect(summary.decisionMs.p99 / 100).toBeCloseTo(1, 1)
  })

  it('takes the newest figures of a campaign, whoever has them', () => {
    const summary = summaryOf(
      node('node-1', {
        stats: stats({
          campaigns: [{ ...campaign(3_000_000, 7), campaignId: 'exchange-2|desk-lamp' }],
        }),
      }),
      node('node-2', { stats: stats({ campaigns: [campaign(2_000_000, 6)] }) }),
      node('node-3', { phase: 'down', earlier: stats({ campaigns: [campaign(9, 9)] }) }),
    )

    expect(summary.campaigns).toEqual([
      {
        campaignId: 'desk-lamp',
        advertiserId: 'exchange-2',
        spentMicros: 3_000_000,
        budgetMicros: 10_000_000,
      },
    ])
    expect([summary.spendMicros, summary.budgetMicros]).toEqual([3_000_000, 10_000_000])
  })

  it('says that replicas agree only when all nodes are up and hold the same', () => {
    const other = node('node-2', { stats: stats({ replicaDigest: 'b' }) })
    const { stats: _, ...gone } = node('node-2', { phase: 'down' })

    expect(summaryOf(node('node-1'), node('node-2')).replicasAgree).toBe(true)
    expect(summaryOf(node('node-1'), other).replicasAgree).toBe(false)
    expect(summaryOf(node('node-1'), gone).replicasAgree).toBe(false)
    expect(summaryOf(node('node-1'), node('node-2', { phase: 'joining' })).replicasAgree).toBe(
      false,
    )
  })

  it('counts per second over the last two seconds, also across a restart', () => {
    const summaries = new Summaries()
    const observe = (nowMs: number, requests: number, uid = 'u1') =>
      summaries.observe({
        nowMs,
        scenarioNowMs: 0,
        nodes: [node('node-1', { stats: stats({ requests, uid }) })],
      }).nodes[0]?.requestsPerSecond

    expect(observe(0, 0)).toBe(0)
    expect(observe(1_000, 100)).toBe(100)
    expect(observe(2_000, 200)).toBe(100)
    expect(observe(3_000, 400)).toBe(150)
    expect(observe(4_000, 600)).toBe(200)
    expect(observe(5_000, 40, 'u2')).toBe(20)
  })
})

it('shows the times of the last ten seconds', () => {
  const summaries = new Summaries()
  const histogram = new LatencyHistogram()
  const p50At = (nowMs: number, ...durations: number[]) => {
    for (const duration of durations) histogram.record(duration)
    const nodes = [node('node-1', { stats: stats({ decisionMs: histogram.snapshot() }) })]
    const { decisionMs, nodes: shown } = summaries.observe({ nowMs, scenarioNowMs: 0, nodes })
    expect(shown[0]?.decisionMs).toEqual(decisionMs)
    return Math.round(decisionMs.p50)
  }

  expect(p50At(0, 7, 7, 7, 7)).toBe(7)
  expect(p50At(1_000, 5, 5, 5)).toBe(5)
  expect(p50At(10_000, 9, 9)).toBe(5)
  expect(p50At(11_000)).toBe(9)
})

describe('a summary of a whole run', () => {
  it('counts per second since the first observation', () => {
    const summaries = new Summaries('whole run')
    const observe = (nowMs: number, requests: number) =>
      summaries.observe({
        nowMs,
        scenarioNowMs: 0,
        nodes: [node('node-1', { stats: stats({ requests }) })],
      }).nodes[0]?.requestsPerSecond

    observe(1_000, 100)
    expect(observe(5_000, 140)).toBe(10)
    expect(observe(11_000, 300)).toBe(20)
  })
})

function observedLoad() {
  const tally = new LoadTally()
  for (let i = 0; i < 10; i++) tally.requested()
  for (let i = 0; i < 6; i++) tally.served(3, 1)
  for (let i = 0; i < 3; i++) tally.unserved('paced', 1)
  tally.failed('no node answered')
  tally.retried('refused')
  return tally.figures()
}
const summary = new Summaries().observe({
  nowMs: 0,
  scenarioNowMs: Date.UTC(2015, 2, 2, 8),
  nodes: [
    node('node-1', { pid: 4711, stats: stats({ campaigns: [campaign(2_500_000, 1)] }) }),
    node('node-2', { phase: 'starting', starts: 2 }),
  ],
  load: observedLoad(),
})

describe('the text of a summary', () => {
  it('is a calm page', () => {
    const frame = {
      title: 'Troupe ad server',
      elapsedMs: 65_000,
      speed: 300,
      notices: ['0:05  node-2 was killed (SIGKILL)'],
      timesOf: 'last 10 s',
      hint: 'Ctrl-C ends the run in order',
    }

    expect(summaryLines(summary, frame, noColours).join('\n')).toBe(
      `Troupe ad server
running 1:05   scenario time Mon 2 Mar 2015 08:00 (300 x real time)

node    state      pid   http  req/s  p50 / p99 ms  index  shards  restarts
node-1  up        4711  :8001      0         - / -    360      50         0
node-2  starting     -  :8001      0         - / -    360      50         1
replicas are exchanging changes   gossip 0 B/s   no message dropped

requests    0 /s   10 in all, three slots each
served      66.7 %   18 ads, 0 impressions, 0 clicks
204         paced 33.3 %
decision    p50 -   p99 -   p99.9 - ms   (last 10 s)
http        p50 0.987   p99 0.987   p99.9 0.987 ms   (last 10 s)
errors      1 no node answered
retries     1 refused; sent again to another node

campaign   advertiser  spent today  budget
desk-lamp  exchange-2        $2.50  $10.00  25.0 %  ██████░░░░░░░░░░░░░░░░░░
all                          $2.50  $10.00  25.0 %  ██████░░░░░░░░░░░░░░░░░░

0:05  node-2 was killed (SIGKILL)
Ctrl-C ends the run in order`,
    )
  })

  it('fits into one line of a log', () => {
    expect(summaryLine(summary, 65_000)).toBe(
      ' 1:05  1/2 nodes up  0 req/s  served 66.7 %  204 paced 33.3 %  decision p50 - p99 - ms  ' +
        'http p50 0.987 p99 0.987 ms  errors 1  spent $2.50 of $10.00  replicas converging',
    )
  })
})

describe('the final report', () => {
  const facts = { scenario: 's', elapsedMs: 20_000, rate: 1, speed: 300, kills: 1, rows: [] }

  it('has every figure that programs rely on, and survives JSON', () => {
    const report = JSON.parse(JSON.stringify(finalReport(summary, facts))) as object

    expect(report).toMatchObject({
      nodes: 2,
      nodesUp: 1,
      requests: 10,
      served: 6,
      noContent: { paced: 3 },
      httpErrors: 1,
      retries: 1,
      decisionMs: { p50: 0, p99: 0, p999: 0 },
      httpMs: { p50: 0.987, p99: 0.987, p999: 0.987 },
      replicasAgree: false,
      indexEntries: 360,
      spendMicros: 2_500_000,
      budgetMicros: 10_000_000,
      dropped: 0,
      gossipBytes: 0,
    })
  })

  it('accounts for the rows of a replay', () => {
    const rows = [
      { file: 'weblog/requests.tsv', read: 12, used: 9, refused: { 'not a GET': 2, 'no path': 1 } },
      { file: 'a.csv', read: 1_000, used: 1_000, refused: {} },
    ]

    expect(rowLines(rows)).toEqual([
      'weblog/requests.tsv      12 rows read,      9 used,     3 refused: 2 not a GET, 1 no path',
      'a.csv                 1,000 rows read,  1,000 used,     0 refused',
    ])
  })
})
