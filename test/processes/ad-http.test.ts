import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type {
  LauncherMessage,
  NodeConfig,
  NodeMessage,
  NodeStats,
  ServeAnswer,
} from '../../apps/ad-server/src/node-protocol.ts'
import { campaignOf, scenarioOf } from '../apps/ad-server-cluster.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** A node in a process of its own, led as the launcher would. */
class NodeUnderTest {
  readonly child: ChildProcess
  readonly #heard: NodeMessage[] = []
  readonly #waiting: (() => void)[] = []

  constructor(config: Partial<NodeConfig> = {}) {
    this.child = fork(join(root, 'apps/ad-server/src/ad-node-process.ts'), [], {
      cwd: root,
      execArgv: ['--import', join(root, 'scripts/ts-hook.mjs'), '--conditions=@troupe/source'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.child.on('message', (message) => {
      this.#heard.push(message as NodeMessage)
      for (const wake of this.#waiting.splice(0)) wake()
    })
    this.send({ type: 'Start', config: { ...configOf(), ...config } })
  }

  send(message: LauncherMessage): void {
    this.child.send(message)
  }

  /** The first message heard, now or later, that `isWanted`. */
  async heard<T extends NodeMessage>(isWanted: (message: NodeMessage) => message is T): Promise<T> {
    for (;;) {
      const found = this.#heard.find(isWanted)
      if (found !== undefined) return found
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  ready(): Promise<Extract<NodeMessage, { type: 'Ready' }>> {
    return this.heard((message) => message.type === 'Ready')
  }

  /** Figures that fulfil `condition`; the node sends new ones all the time. */
  async stats(condition: (stats: NodeStats) => boolean): Promise<NodeStats> {
    this.#heard.length = 0
    const isWanted = (message: NodeMessage): message is Extract<NodeMessage, { type: 'Stats' }> =>
      message.type === 'Stats' && condition(message)
    return this.heard(isWanted)
  }

  async exitCode(): Promise<unknown> {
    if (this.child.exitCode !== null) return this.child.exitCode
    return ((await once(this.child, 'exit')) as unknown[])[0]
  }
}

function configOf(): NodeConfig {
  const now = Date.now()
  return {
    name: 'node-1',
    host: '127.0.0.1',
    clusterPort: 0,
    httpPort: 0,
    seeds: [],
    secret: 'a secret for the tests of processes',
    dataDir: mkdtempSync(join(tmpdir(), 'ad-node-')),
    speed: 60,
    realStartMs: now,
    scenarioStartMs: Date.UTC(2026, 2, 2, 8),
    statsIntervalMs: 50,
    scenario: scenarioOf(campaignOf('shoes'), campaignOf('hats')),
    logLevel: 'error',
  }
}

let node: NodeUnderTest
let port: number

/** Sends bytes as they are and collects all that comes until the other side closes, or `until` is there. */
function exchange(request: string, until?: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(request))
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      answer += chunk
      if (until?.test(answer) === true) socket.destroy()
    })
    socket.on('close', () => resolve(answer))
    socket.on('error', reject)
  })
}

async function statusOf(request: string): Promise<number> {
  const answer = await exchange(request)
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(answer)?.[1])
}

async function get(path: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}${path}`, { redirect: 'manual' })
}

/** An answer with ads; the first ones need a moment until auctions are held and money is there. */
async function served(): Promise<ServeAnswer> {
  for (;;) {
    const response = await get('/v1/serve?site=site-1&slot=top&slot=side')
    if (response.status === 200) return (await response.json()) as ServeAnswer
    expect(response.status).toBe(204)
    await node.stats(() => true)
  }
}

beforeAll(async () => {
  node = new NodeUnderTest()
  port = (await node.ready()).httpPort
  await served()
})

afterAll(() => void node.child.kill('SIGKILL'))

describe('a page view', () => {
  it('gets ads, reports the impression once, and is led to the landing page', async () => {
    const { ads } = await served()
    const ad = ads.find((each) => each !== null)

    expect((await get(ad?.impUrl ?? '')).status).toBe(204)
    expect((await get(ad?.impUrl ?? '')).status).toBe(409)
    const click = await get(`${ad?.clickUrl}&to=https%3A%2F%2Fevil.example`)
    expect(click.status).toBe(302)
    expect(click.headers.get('location')).toBe(`https://${ad?.creativeId}.example/`)
    expect((await get('/v1/click?t=forged.token')).status).toBe(403)
  })

  it('gets 204 and a reason where there is nothing to show', async () => {
    const response = await get('/v1/serve?site=nowhere&slot=top')

    expect(response.status).toBe(204)
    expect(response.headers.get('x-ad-reason')).toBe('noCandidates')
    expect(response.headers.get('content-length')).toBeNull()
  })

  it('may come from a page of another host', async () => {
    expect((await get('/healthz')).headers.get('access-control-allow-origin')).toBe('*')
    expect((await get('/readyz')).status).toBe(200)
  })
})

describe('a request that is wrong', () => {
  const line = 'GET /v1/serve?site=site-1&slot=top HTTP/1.1\r\n'

  it.each([
    ['without Host', `${line}\r\n`, 400],
    ['with two Hosts', `${line}Host: a\r\nHost: b\r\nConnection: close\r\n\r\n`, 400],
    ['of HTTP/2.0', 'GET /healthz HTTP/2.0\r\nHost: a\r\nConnection: close\r\n\r\n', 400],
    [
      'with a whole address',
      'GET http://a/healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      400,
    ],
    [
      'with a broken escape',
      'GET /v1/serve?site=%zz&slot=a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      400,
    ],
    [
      'with a NUL escape',
      'GET /v1/serve?site=%00&slot=a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      400,
    ],
    ['with raw UTF-8', 'GET /v1/sérve HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', 400],
    ['with a space before a colon', `${line}Host : a\r\n\r\n`, 400],
    ['with two lengths', `${line}Host: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n`, 400],
    [
      'with a length and chunks',
      `${line}Host: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
      400,
    ],
    ['with a body', `${line}Host: a\r\nContent-Length: 3\r\n\r\nabc`, 413],
    [
      'with an endless body',
      `${line}Host: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n`,
      413,
    ],
    ['with a method nobody knows', 'BREW / HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    [
      'that would change something',
      'DELETE /v1/serve HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      405,
    ],
    [
      'for a page that is not there',
      'GET /admin HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      404,
    ],
    [
      'with an expectation',
      `${line}Host: a\r\nExpect: the-impossible\r\nConnection: close\r\n\r\n`,
      417,
    ],
    ['with 20 KB of headers', `${line}Host: a\r\nx: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
    [
      'with a long address',
      `GET /${'a'.repeat(4_000)} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
      414,
    ],
    ['that is TLS', '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003', 400],
    ['that is noise', '\u0000\u0001\u0002\r\n\r\n', 400],
  ])('%s', async (_, request, status) => {
    expect(await statusOf(request)).toBe(status)
  })

  it('is told why, in JSON, without being repeated', async () => {
    const response = await get('/v1/serve?site=%3Cscript%3E%7C&slot=a')

    expect(response.status).toBe(400)
    expect(await response.json()).toEqual({ error: 'site contains a bar (|)' })
  })
})

describe('a connection', () => {
  it('may carry a thousand requests at once', async () => {
    const one = 'GET /v1/serve?site=site-1&slot=top HTTP/1.1\r\nHost: a\r\n\r\n'
    const last = 'GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'

    const answer = await exchange(one.repeat(1_000) + last)

    const statuses = [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status)
    expect(statuses).toHaveLength(1_001)
    expect(statuses.every((status) => status === '200' || status === '204')).toBe(true)
  })

  it('that breaks off in the middle harms nobody', async () => {
    for (let i = 0; i < 50; i++) {
      const socket = connect(port, '127.0.0.1', () => {
        socket.write('GET /v1/serve?site=site-1')
        socket.destroy()
      })
      await once(socket, 'close')
    }

    expect((await get('/healthz')).status).toBe(200)
  })
})

it('has answered nothing of all this with a 5xx, and decides within a millisecond', async () => {
  const stats = await node.stats(({ requests }) => requests > 1_000)

  const serverErrors = Object.keys(stats.httpErrors).filter((status) => Number(status) >= 500)
  expect(serverErrors).toEqual([])
  expect(stats.served + Object.values(stats.noContent).reduce((sum, count) => sum + count, 0)).toBe(
    stats.requests,
  )
  const slow = stats.decisionMs.filter(([bucket]) => 0.0001 * 1.05 ** bucket > 1)
  const slowRequests = slow.reduce((sum, [, count]) => sum + count, 0)
  expect(slowRequests / stats.requests).toBeLessThan(0.05)
})

describe('a node’s process', () => {
  it('leaves in order when it is told to', async () => {
    const other = new NodeUnderTest()
    await other.ready()
    other.send({ type: 'Shutdown' })

    expect(await other.exitCode()).toBe(0)
  })

  it('ends when its launcher is gone', async () => {
    const other = new NodeUnderTest()
    await other.ready()
    other.child.disconnect()

    expect(await other.exitCode()).toBe(1)
  })

  it('says in one sentence that its port is taken', async () => {
    const other = new NodeUnderTest({ httpPort: port })

    const { code, reason } = await other.heard((message) => message.type === 'Failed')

    expect(code).toBe('EADDRINUSE')
    expect(reason).toContain(String(port))
    expect(await other.exitCode()).toBe(1)
  })

  it('takes up a new scenario while it runs', async () => {
    node.send({ type: 'LoadScenario', scenario: scenarioOf(campaignOf('boots')) })

    const isTaken = ({ campaigns }: NodeStats): boolean =>
      campaigns.some(({ campaignId }) => campaignId === 'adv|boots')
    expect((await node.stats(isTaken)).campaigns.map(({ status }) => status).toSorted()).toEqual([
      'Active',
      'Ended',
      'Ended',
    ])
  })
})
