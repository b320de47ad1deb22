import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { HttpLoad, type Target } from '../../apps/ad-server/src/load/http-load.ts'
import { SeededRandom } from '../../apps/ad-server/src/random.ts'
import { builtInDrive } from '../../apps/ad-server/src/scenario/built-in.ts'

// The visitors against servers that misbehave on purpose.

const cleanUps: (() => void)[] = []
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp()
})

const ad = (slot: string) => ({
  slot,
  campaignId: 'desk-lamp',
  creativeId: 'desk-lamp-top-bold',
  version: 1,
  assetUrl: '/a.svg',
  mime: 'image/svg+xml',
  width: 728,
  height: 90,
  impUrl: '/v1/imp?t=1',
  clickUrl: '/v1/click?t=1',
})
const body = JSON.stringify({ ads: [ad('top'), null, ad('foot')] })
const AD_ANSWER = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`
const NOTHING = 'HTTP/1.1 204 No Content\r\n\r\n'

/** A server on a raw socket: `answer` gets the path of each request. */
async function serverThat(
  answer: (path: string, socket: Socket) => void,
): Promise<Target & { readonly server: Server }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => {
      for (const [, path] of bytes.toString().matchAll(/GET (\S+) HTTP/g))
        answer(path ?? '', socket)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return { name: `server-${port}`, host: '127.0.0.1', port, server }
}

/** Sends page views until `requests` of them were sent, and waits for the last answer. */
async function drive(targets: readonly Target[], requests: number) {
  const { scenario, traffic } = builtInDrive({ slotsPerDay: 1_000 })
  const load = new HttpLoad({
    scenario,
    traffic,
    random: new SeededRandom(1),
    rate: 500,
    scenarioNow: () => traffic.startMs,
    targets: () => targets,
  })
  load.start()
  while (load.figures().requests < requests) await new Promise((resolve) => setTimeout(resolve, 5))
  await load.stop()
  return load.figures()
}

const sumOf = (counts: Readonly<Record<string, number>>) =>
  Object.values(counts).reduce((sum, count) => sum + count, 0)
const good = (path: string, socket: Socket) =>
  socket.write(path.startsWith('/v1/serve?') ? AD_ANSWER : NOTHING)

describe('the visitors', () => {
  it('ask for the ads of a page, and send a beacon for each ad they see', async () => {
    const paths: string[] = []
    const target = await serverThat((path, socket) => {
      paths.push(path)
      good(path, socket)
    })
    const figures = await drive([target], 50)

    expect(paths[0]).toMatch(
      /^\/v1\/serve\?pub=\w+&url=%2F[^&]*&slot=page-\d+-top&slot=page-\d+-side&slot=page-\d+-foot$/,
    )
    expect(figures.served).toBe(figures.requests)
    expect(figures.ads).toBe(2 * figures.served)
    expect(figures.impressions).toBe(figures.ads)
    expect(paths.filter((path) => path.startsWith('/v1/imp?'))).toHaveLength(figures.impressions)
    expect([figures.httpErrors, figures.retries]).toEqual([{}, {}])
  })

  it('go to another node when a connection breaks, and say how often', async () => {
    const breaking = await serverThat((_, socket) => socket.destroy())
    const figures = await drive([breaking, await serverThat(good)], 50)

    expect(figures.served).toBe(figures.requests)
    expect(figures.impressions).toBe(figures.ads)
    expect(figures.httpErrors).toEqual({})
    expect(figures.retries['connection lost']).toBeGreaterThan(10)
  })

  it('go to another node when nobody listens', async () => {
    const gone = await serverThat(good)
    gone.server.close()
    const figures = await drive([gone, await serverThat(good)], 50)

    expect(figures.served).toBe(figures.requests)
    expect(figures.retries['refused']).toBeGreaterThan(10)
  })

  it('count a request as failed when no node answers, once', async () => {
    const breaking = await serverThat((_, socket) => socket.destroy())
    const figures = await drive([breaking], 20)

    expect(figures.httpErrors).toEqual({ 'no node answered': figures.requests })
  })

  it('count answers that are neither 200 nor 204, and what they cannot read', async () => {
    let turn = 0
    const answers = [
      'HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n',
      'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}',
      'HTTP/1.1 204 No Content\r\nX-Ad-Reason: paced\r\n\r\n',
    ]
    const target = await serverThat((_, socket) => socket.write(answers[turn++ % 3] ?? ''))
    const figures = await drive([target], 60)

    const { requests, noContent, httpErrors } = figures
    expect(httpErrors['status 500']).toBeGreaterThan(10)
    expect(httpErrors['unreadable answer']).toBeGreaterThan(10)
    expect(noContent['paced']).toBeGreaterThan(10)
    expect(sumOf(httpErrors) + sumOf(noContent)).toBe(requests)
  })

  it('take a repeated beacon for counted when the node says it was', async () => {
    let beacons = 0
    const target = await serverThat((path, socket) => {
      if (path.startsWith('/v1/serve?')) socket.write(AD_ANSWER)
      // The first try is counted and its connection breaks; the second is told so.
      else if (beacons++ % 2 === 0) socket.destroy()
      else socket.write('HTTP/1.1 409 Conflict\r\nContent-Length: 0\r\n\r\n')
    })
    const figures = await drive([target], 1)

    expect(figures.impressions + sumOf(figures.httpErrors)).toBe(figures.ads)
    expect(figures.impressions).toBeGreaterThan(0)
  })
})
