import { performance } from 'node:perf_hooks'
import type { ServedAd } from '../node-protocol.ts'
import type { Random } from '../random.ts'
import type { Scenario } from '../scenario.ts'
import type { PagePlace, Traffic } from '../scenario/traffic.ts'
import { DueViews } from './due-views.ts'
import type { HttpOutcome } from './http-connection.ts'
import { HttpPool } from './http-pool.ts'
import { type LoadFigures, LoadTally } from './load-tally.ts'
import type { HttpAnswer } from './response-parser.ts'
import { adsOf } from './serve-answer.ts'

/** Where requests may go now. */
export interface Target {
  readonly name: string
  readonly host: string
  readonly port: number
}

export interface LoadSettings {
  readonly scenario: Scenario
  readonly traffic: Traffic
  readonly random: Random
  /** Page views a second at the mean volume. */
  readonly rate: number
  /** The scenario's clock now, in milliseconds. */
  readonly scenarioNow: () => number
  /** Nodes that take requests at this moment. */
  readonly targets: () => readonly Target[]
}

/**
 * The visitors: real HTTP requests to all nodes, at a rate that does not depend on the answers.
 *
 * A page view is one request for the ads of its three slots, an impression beacon for each ad shown, and
 * now and then a click. When a connection breaks the request goes to another node: that is what a
 * load balancer in front of the nodes would do. Each such retry is counted.
 */
export class HttpLoad {
  readonly #settings: LoadSettings
  readonly #tally = new LoadTally()
  readonly #pools = new Map<string, HttpPool>()
  readonly #paths = new Map<string, string>()
  readonly #clickRates: ReadonlyMap<string, ClickRate>
  #timer: NodeJS.Timeout | undefined
  #underWay = 0
  #isOver = false
  #turn = 0

  constructor(settings: LoadSettings) {
    this.#settings = settings
    this.#clickRates = clickRatesOf(settings.scenario)
  }

  start(): void {
    const { rate, traffic, scenarioNow } = this.#settings
    const due = new DueViews(rate, () => traffic.volumeAt(scenarioNow()), performance.now())
    let skipped = 0
    this.#timer = setInterval(() => {
      const views = due.take(performance.now())
      const room = Math.max(0, UNDER_WAY_MAX - this.#underWay)
      for (let i = 0; i < Math.min(views, room); i++) this.#view()
      this.#tally.skipped(Math.max(0, views - room) + due.skipped - skipped)
      skipped = due.skipped
      for (const pool of this.#pools.values()) pool.breakLate()
    }, TICK_MS)
  }

  figures(): LoadFigures {
    return this.#tally.figures()
  }

  /** No new page views; resolves when those under way have ended, or have had their time. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    const giveUpAt = performance.now() + DRAIN_MS
    while (this.#underWay > 0 && performance.now() < giveUpAt) {
      for (const pool of this.#pools.values()) pool.breakLate()
      await nextTick()
    }
    this.#isOver = true
    for (const pool of this.#pools.values()) pool.close()
  }

  /** One request on behalf of somebody else, the page for instance; not counted. */
  ask(path: string): Promise<HttpAnswer | undefined> {
    return new Promise((resolve) => this.#send(path, undefined, resolve, () => undefined))
  }

  #view(): void {
    const place = this.#settings.traffic.nextPage(this.#settings.random.next())
    const startedAt = performance.now()
    this.#tally.requested()
    this.#underWay++
    const answered = (answer: HttpAnswer | undefined, from: Target | undefined): void => {
      this.#underWay--
      if (answer === undefined) return this.#tally.failed('no node answered')
      const tookMs = performance.now() - startedAt
      const ads = answer.status === 200 ? adsOf(answer.body) : undefined
      if (ads !== undefined) {
        this.#tally.served(ads.length, tookMs)
        for (const ad of ads) this.#show(ad, from)
      } else if (answer.status === 204) {
        this.#tally.unserved(answer.headers.get('x-ad-reason') ?? 'no reason given', tookMs)
      } else {
        this.#tally.failed(answer.status === 200 ? 'unreadable answer' : `status ${answer.status}`)
      }
    }
    this.#send(this.#pathOf(place), undefined, answered, (reason) => this.#tally.retried(reason))
  }

  #show(ad: ServedAd, from: Target | undefined): void {
    const { random, traffic, scenarioNow } = this.#settings
    const click = this.#clickRates.get(ad.creativeId)
    const rate =
      click === undefined
        ? 0
        : click.rate * traffic.clickFactorAt(click.advertiserId, scenarioNow())
    const isClicked = random.next() < rate
    this.#beacon('impression', ad.impUrl, from, () => {
      if (isClicked) this.#beacon('click', ad.clickUrl, from, () => undefined)
    })
  }

  #beacon(
    kind: 'impression' | 'click',
    path: string,
    from: Target | undefined,
    then: () => void,
  ): void {
    let isRepeated = false
    this.#underWay++
    const answered = (answer: HttpAnswer | undefined): void => {
      this.#underWay--
      const status = answer?.status
      // The first try of a repeated beacon may have been counted before its connection broke.
      const isCounted =
        status === 204 || status === 200 || status === 302 || (isRepeated && status === 409)
      if (!isCounted) return this.#tally.failed(`${kind} beacon: ${status ?? 'no node answered'}`)
      this.#tally.counted(kind)
      then()
    }
    this.#send(path, from, answered, (reason) => {
      isRepeated = true
      this.#tally.retried(reason)
    })
  }

  /** Asks `first`, or nodes in turn, until one answers; `then` gets undefined when none does. */
  #send(
    path: string,
    first: Target | undefined,
    then: (answer: HttpAnswer | undefined, from: Target | undefined) => void,
    onRetry: (reason: string) => void,
    tried: readonly Try[] = [],
  ): void {
    const target = tried.length < TRIES_MAX ? this.#pick(first, tried) : undefined
    if (target === undefined) return then(undefined, undefined)
    const last = tried.at(-1)
    if (last !== undefined) onRetry(last.reason)
    this.#poolOf(target).get(path, (outcome: HttpOutcome) => {
      if (outcome.type === 'Answered') return then(outcome.answer, target)
      // We closed the connections ourselves.
      if (this.#isOver) return this.#tally.unanswered()
      const again = [...tried, { name: target.name, reason: outcome.reason }]
      this.#send(path, undefined, then, onRetry, again)
    })
  }

  /** A node not tried yet, in turn; when all were, any: one of them may be back. */
  #pick(first: Target | undefined, tried: readonly Try[]): Target | undefined {
    const targets = this.#settings.targets()
    if (first !== undefined && targets.some(({ name }) => name === first.name)) return first
    const fresh = targets.filter(({ name }) => !tried.some((each) => each.name === name))
    const choice = fresh.length > 0 ? fresh : targets
    return choice[this.#turn++ % choice.length]
  }

  #poolOf(target: Target): HttpPool {
    const key = `${target.host}:${target.port}`
    let pool = this.#pools.get(key)
    if (pool === undefined) {
      pool = new HttpPool(target, () => performance.now())
      this.#pools.set(key, pool)
    }
    return pool
  }

  #pathOf({ site, page }: PagePlace): string {
    const key = `${site}|${page}`
    let path = this.#paths.get(key)
    if (path === undefined)
      this.#paths.set(key, (path = servePath(this.#settings.scenario, site, page)))
    return path
  }
}

/** Asks for the ads of all slots of a page. */
export function servePath(scenario: Scenario, site: number, page: number): string {
  const pub = scenario.sites[site]
  const { url = '/', slots = [] } = pub?.pages[page] ?? {}
  const query = new URLSearchParams({ pub: pub?.siteId ?? '', url })
  for (const { slotId } of slots) query.append('slot', slotId)
  return `/v1/serve?${query.toString()}`
}

interface Try {
  readonly name: string
  readonly reason: string
}

interface ClickRate {
  readonly advertiserId: string
  readonly rate: number
}

function clickRatesOf(scenario: Scenario): ReadonlyMap<string, ClickRate> {
  return new Map(
    scenario.campaigns.flatMap(({ advertiserId, creatives }) =>
      creatives.map(({ creativeId, clickRate }) => [creativeId, { advertiserId, rate: clickRate }]),
    ),
  )
}

function nextTick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, TICK_MS))
}

const TICK_MS = 2
const TRIES_MAX = 6
/** Longer than any request may take. */
const DRAIN_MS = 6_000
/** Page views and beacons without an answer yet; a node that answers at all never gets near it. */
const UNDER_WAY_MAX = 5_000
