// A stand-in for a node of the ad server, for tests of the launcher: it speaks the launcher's protocol and
// answers ad requests at once, without a cluster behind it. Its "membership" is a file in the run's folder.
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { dirname, join } from 'node:path'
import type {
  LauncherMessage,
  NodeConfig,
  NodeMember,
  NodeMessage,
  NodeStats,
} from '../../apps/ad-server/src/node-protocol.ts'
import { LatencyHistogram } from '../../apps/ad-server/src/latency-histogram.ts'

const decisionMs = new LatencyHistogram()
const counts = { requests: 0, served: 0, ads: 0, impressions: 0, clicks: 0 }
const noContent: Record<string, number> = {}

process.on('disconnect', () => process.exit(1))
process.on('SIGINT', () => undefined)
process.on('message', (message: LauncherMessage) => {
  if (message.type === 'Start') start(message.config)
})

function start(config: NodeConfig): void {
  const server = createServer((request, response) => answer(request.url ?? '/', response))
  server.keepAliveTimeout = 65_000
  server.on('error', (error: NodeJS.ErrnoException) => {
    send({
      type: 'Failed',
      code: error.code ?? '',
      reason: `port ${config.httpPort}: ${error.code ?? ''}`,
    })
    process.exit(1)
  })
  server.listen(config.httpPort, config.host, () => joined(config, server))
}

function joined(config: NodeConfig, server: Server): void {
  const { name, clusterPort, httpPort } = config
  const folder = dirname(config.dataDir)
  const memberFile = join(folder, `${name}.member`)
  writeFileSync(memberFile, '')
  send({ type: 'Ready', name, pid: process.pid, clusterPort, httpPort })
  const timer = setInterval(() => send(statsOf(config, membersIn(folder))), 50)
  process.on('message', (message: LauncherMessage) => {
    if (message.type !== 'Shutdown') return
    clearInterval(timer)
    rmSync(memberFile, { force: true })
    server.close(() => process.exit(0))
    server.closeAllConnections()
  })
}

function answer(path: string, response: ServerResponse): void {
  const url = new URL(path, 'http://node')
  if (url.pathname === '/v1/imp') counts.impressions++
  if (url.pathname === '/v1/click') counts.clicks++
  if (url.pathname !== '/v1/serve') return void response.writeHead(204).end()
  counts.requests++
  decisionMs.record(0.05)
  // Every fourth request is refused, as by pacing.
  if (counts.requests % 4 === 0) {
    noContent['paced'] = (noContent['paced'] ?? 0) + 1
    return void response.writeHead(204, { 'x-ad-reason': 'paced' }).end()
  }
  const slots = url.searchParams.getAll('slot')
  counts.served++
  counts.ads += slots.length
  const body = JSON.stringify({
    ads: slots.map((slot) => ({
      slot,
      campaignId: 'desk-lamp',
      creativeId: 'desk-lamp-top-bold',
      version: 1,
      assetUrl: '/creatives/desk-lamp-top-bold.svg',
      mime: 'image/svg+xml',
      width: 728,
      height: 90,
      impUrl: `/v1/imp?slot=${slot}`,
      clickUrl: `/v1/click?slot=${slot}`,
    })),
  })
  response.writeHead(200, { 'content-length': Buffer.byteLength(body) }).end(body)
}

function membersIn(folder: string): NodeMember[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.member'))
    .map((file) => {
      const name = file.slice(0, -'.member'.length)
      return { address: name, uid: name, status: 'Up', isReachable: true }
    })
}

function statsOf(
  config: NodeConfig,
  members: NodeMember[],
): { readonly type: 'Stats' } & NodeStats {
  return {
    type: 'Stats',
    name: config.name,
    uid: config.name,
    clusterAddress: `${config.host}:${config.clusterPort}`,
    members,
    ...counts,
    noContent,
    httpErrors: {},
    beaconsRefused: {},
    decisionMs: decisionMs.snapshot(),
    handlingMs: [],
    indexEntries: 360,
    indexSlots: 120,
    replicaDigest: 'same',
    replicaKeys: 120,
    campaigns: [
      {
        campaignId: 'desk-lamp',
        advertiserId: 'exchange-2',
        status: 'Active',
        revision: 1,
        budgetMicros: 10_000_000,
        spentMicros: 2_500_000,
        outstandingMicros: 0,
        day: 0,
      },
    ],
    dropped: {},
    sentBytes: 2_000,
    receivedBytes: 2_000,
    gossipBytes: 1_000,
    shards: 33,
    entities: {},
    heapBytes: 20_000_000,
    scenarioNowMs: config.scenarioStartMs,
  }
}

function send(message: NodeMessage): void {
  process.send?.(message, () => undefined)
}
