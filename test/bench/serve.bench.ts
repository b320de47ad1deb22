import { Agent, createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { AdHttp } from '../../apps/ad-server/src/http/ad-http.ts'
import { BeaconTokens } from '../../apps/ad-server/src/http/beacon-token.ts'
import { HttpServer } from '../../apps/ad-server/src/http/http-server.ts'
import { namespaceOf } from '../../apps/ad-server/src/serve-index/serve-index.ts'
import { ServingFixture } from './ad-fixture.ts'
import type { BenchCase, Suite } from './harness/bench-case.ts'
import { nsPer, verify } from './harness/measure.ts'

/**
 * How long it takes to decide what a page of three slots shows: index, fence, gate, Thompson sampling
 * over twenty candidates a slot, price, payment from the lease, statistics.
 *
 * The raw floor of a decision is written by hand: one look-up per slot in a `Map`, the best of the
 * candidates by a fixed score, a subtraction. It leaves out everything that makes a decision a good one.
 */
export const suite: Suite = ({ quick }) => {
  const sites = quick ? 20 : 400
  const decisions = quick ? 1_000 : 10_000
  return [
    quantileCase('decision p50', 0.5, sites, decisions),
    quantileCase('decision p99', 0.99, sites, decisions),
    quantileCase('decision p99.9', 0.999, sites, decisions),
    throughputCase(sites, decisions),
    answerCase(sites, decisions / 5),
    httpCase(sites, quick ? 300 : 3_000),
  ]
}

type Slots = ServingFixture['requests'][number]

function quantileCase(name: string, q: number, sites: number, decisions: number): BenchCase {
  let fixture: ServingFixture
  let money = 0
  return {
    name,
    unit: 'us',
    open: () => {
      fixture = new ServingFixture(sites)
    },
    ours: () => quantileOf(decisions, q, (i) => decideOurs(fixture, i)),
    raw: () =>
      quantileOf(decisions, q, (i) => {
        money -= decideRaw(fixture, i)
        return money < 0
      }),
  }
}

function throughputCase(sites: number, decisions: number): BenchCase {
  let fixture: ServingFixture
  return {
    name: 'decisions',
    unit: 'ns/decision',
    open: () => {
      fixture = new ServingFixture(sites)
    },
    ours: () =>
      nsPer(decisions, () =>
        verify(
          'served',
          countOf(decisions, (i) => decideOurs(fixture, i)),
          decisions,
        ),
      ),
    raw: () =>
      nsPer(decisions, () =>
        verify(
          'served',
          countOf(decisions, (i) => decideRaw(fixture, i) > 0),
          decisions,
        ),
      ),
  }
}

/** The whole answer: decision, two signatures for each ad, JSON. Raw: the same JSON without signatures or decision. */
function answerCase(sites: number, answers: number): BenchCase {
  let fixture: ServingFixture
  let http: AdHttp
  return {
    name: 'answer',
    unit: 'ns/answer',
    open: () => {
      fixture = new ServingFixture(sites)
      http = httpOf(fixture)
    },
    ours: () =>
      nsPer(answers, () => {
        const isServed = (i: number): boolean => answerTo(http, targetOf(fixture, i)) === 200
        verify('served', countOf(answers, isServed), answers)
      }),
    raw: () =>
      nsPer(answers, () => {
        const isServed = (i: number): boolean => rawBody(fixture, i).length > 0
        verify('served', countOf(answers, isServed), answers)
      }),
  }
}

/** Over HTTP on eight connections of one client. Raw: a server that always answers the same bytes. */
function httpCase(sites: number, requests: number): BenchCase {
  let fixture: ServingFixture
  let ours: HttpServer
  let raw: Server
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  return {
    name: 'http, 8 connections',
    unit: 'requests/s',
    open: async () => {
      fixture = new ServingFixture(sites)
      ours = await HttpServer.start({ host: '127.0.0.1', port: 0 }, httpOf(fixture))
      const body = rawBody(fixture, 0)
      const headers = { 'content-type': 'application/json', 'content-length': body.length }
      raw = createServer((_, response) => response.writeHead(200, headers).end(body))
      await new Promise<void>((resolve) => raw.listen(0, '127.0.0.1', resolve))
    },
    close: async () => {
      agent.destroy()
      await ours.stop()
      raw.closeAllConnections()
      raw.close()
    },
    ours: () => requestsPerSecond(agent, ours.port, requests, (i) => targetOf(fixture, i)),
    raw: () =>
      requestsPerSecond(agent, (raw.address() as AddressInfo).port, requests, (i) =>
        targetOf(fixture, i),
      ),
  }
}

function decideOurs(fixture: ServingFixture, i: number): boolean {
  return fixture.path.decide(requestAt(fixture, i), fixture.moment()).type === 'Served'
}

/** The price of what would be shown. */
function decideRaw(fixture: ServingFixture, i: number): number {
  const { site, slots } = requestAt(fixture, i)
  let price = 0
  for (const slot of slots) {
    let best = 0
    for (const view of fixture.bySlot.get(namespaceOf(site, slot)) ?? [])
      best = Math.max(best, view.cpmMicros * view.categoryScore)
    price += best
  }
  return price
}

function rawBody(fixture: ServingFixture, i: number): string {
  const { site, slots } = requestAt(fixture, i)
  const ads = slots.map((slot) => {
    const view = fixture.bySlot.get(namespaceOf(site, slot))?.[0]
    return {
      slot,
      campaignId: view?.campaignId,
      creativeId: view?.creativeId,
      version: view?.version,
      assetUrl: view?.assetUrl,
      mime: view?.mime,
      width: view?.width,
      height: view?.height,
      impUrl: `/v1/imp?t=${TOKEN}`,
      clickUrl: `/v1/click?t=${TOKEN}`,
      cpmMicros: view?.cpmMicros,
    }
  })
  return JSON.stringify({ site, ads })
}

function requestAt(fixture: ServingFixture, i: number): Slots {
  return fixture.requests[i % fixture.requests.length] ?? { site: '', slots: [] }
}

function targetOf(fixture: ServingFixture, i: number): string {
  const { site, slots } = requestAt(fixture, i)
  return `/v1/serve?site=${site}${slots.map((slot) => `&slot=${slot}`).join('')}`
}

function httpOf(fixture: ServingFixture): AdHttp {
  return new AdHttp(
    {
      isReady: true,
      moment: () => fixture.moment(),
      decide: (ads, at) => fixture.path.decide(ads, at),
      dayOf: () => 20_000,
      beacon: () => {},
      failed: (error) => {
        throw error
      },
    },
    new BeaconTokens('a secret of enough length'),
  )
}

function answerTo(http: AdHttp, target: string): number {
  return http.answer({ method: 'GET', target, httpVersion: '1.1', rawHeaders: ['host', 'a'] })
    .status
}

function countOf(times: number, isDone: (i: number) => boolean): number {
  let done = 0
  for (let i = 0; i < times; i++) if (isDone(i)) done++
  return done
}

/** Times each call apart, in microseconds. */
function quantileOf(times: number, q: number, isDone: (i: number) => boolean): number {
  const tookUs = new Float64Array(times)
  const done = countOf(times, (i) => {
    const startedAt = performance.now()
    const isOk = isDone(i)
    tookUs[i] = (performance.now() - startedAt) * 1_000
    return isOk
  })
  verify('decisions', done, times)
  return tookUs.sort()[Math.min(times - 1, Math.floor(q * times))] ?? Number.NaN
}

async function requestsPerSecond(
  agent: Agent,
  port: number,
  requests: number,
  target: (i: number) => string,
): Promise<number> {
  let served = 0
  let sent = 0
  const visitor = async (): Promise<void> => {
    while (sent < requests) if ((await statusOf(agent, port, target(sent++))) === 200) served++
  }
  const ns = await nsPer(requests, async () => {
    await Promise.all(Array.from({ length: 8 }, visitor))
  })
  verify('served over HTTP', served, requests)
  return 1e9 / ns
}

function statusOf(agent: Agent, port: number, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request({ agent, host: '127.0.0.1', port, path }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode ?? 0))
    })
    sent.on('error', reject)
    sent.end()
  })
}

/** As long as a real one. */
const TOKEN = 'x'.repeat(300)
