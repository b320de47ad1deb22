import { RecentIds } from '../budget/recent-ids.ts'
import { LatencyHistogram } from '../latency-histogram.ts'
import type { NodeStats } from '../node-protocol.ts'
import type { AdRequest, Decision, Moment } from '../serving/serve-path.ts'
import { adAnswer } from './ad-answer.ts'
import type { BeaconAd, BeaconEvent, BeaconTokens } from './beacon-token.ts'
import { TOKEN_TTL_MS } from './beacon-token.ts'
import type { RequestHead } from './http-router.ts'
import { routeOf } from './http-router.ts'

/**
 * The ad server's HTTP interface without its sockets: a head goes in, an answer comes out, and every
 * figure about it is counted here.
 *
 * `GET /v1/serve?site=S&slot=A&slot=B` answers 200 with ads, or 204 with the reason in `x-ad-reason`.
 * `GET /v1/imp?t=…` and `/v1/click?t=…` take beacons: 204, or 302 to the landing page for a click; 403
 * for a token that is forged or too old, 409 for one that was used before. `/healthz` says that the
 * process lives, `/readyz` that it is a member of its cluster.
 */
export class AdHttp {
  readonly #node: AdHttpNode
  readonly #tokens: BeaconTokens
  readonly #used = new RecentIds(2 * TOKEN_TTL_MS, USED_TOKENS_MAX)
  readonly #noContent = new Map<string, number>()
  readonly #errors = new Map<string, number>()
  readonly #beaconsRefused = new Map<string, number>()
  readonly #decisionMs = new LatencyHistogram()
  readonly #handlingMs = new LatencyHistogram()
  #dropped = 0
  #requests = 0
  #served = 0
  #ads = 0
  #impressions = 0
  #clicks = 0

  constructor(node: AdHttpNode, tokens: BeaconTokens) {
    this.#node = node
    this.#tokens = tokens
  }

  /** Never throws: a fault of ours costs the request that met it, not the node. */
  answer(head: RequestHead): HttpAnswer {
    try {
      return this.#answer(head)
    } catch (error) {
      this.#node.failed(error)
      return this.refused(500, 'this server failed; the failure was noted')
    }
  }

  #answer(head: RequestHead): HttpAnswer {
    const route = routeOf(head)
    switch (route.type) {
      case 'Serve':
        return this.#serve(route)
      case 'Impression':
        return this.#beacon('impression', route.token)
      case 'Click':
        return this.#beacon('click', route.token)
      case 'Health':
        return json(200, { status: 'alive' })
      case 'Ready':
        return this.#node.isReady
          ? json(200, { status: 'ready' })
          : json(503, { status: 'not ready', reason: 'this node is no member of its cluster yet' })
      case 'Refused':
        return this.refused(route.status, route.reason)
      default:
        return route satisfies never
    }
  }

  refused(status: number, reason: string): HttpAnswer {
    count(this.#errors, String(status))
    const { body, headers } = json(status, { error: reason })
    return { status, body, headers: status === 405 ? { ...headers, allow: 'GET' } : headers }
  }

  dropped(): void {
    this.#dropped++
  }

  /** Connections closed unanswered because there were too many. */
  get connectionsDropped(): number {
    return this.#dropped
  }

  handled(ms: number): void {
    this.#handlingMs.record(ms)
  }

  get figures(): HttpFigures {
    return {
      requests: this.#requests,
      served: this.#served,
      ads: this.#ads,
      noContent: Object.fromEntries(this.#noContent),
      httpErrors: Object.fromEntries(this.#errors),
      impressions: this.#impressions,
      clicks: this.#clicks,
      beaconsRefused: Object.fromEntries(this.#beaconsRefused),
      decisionMs: this.#decisionMs.snapshot(),
      handlingMs: this.#handlingMs.snapshot(),
    }
  }

  #serve(request: AdRequest): HttpAnswer {
    const at = this.#node.moment()
    this.#requests++
    const decision = this.#node.decide(request, at)
    this.#decisionMs.record(this.#node.moment().monotonicMs - at.monotonicMs)
    if (decision.type === 'NoContent') {
      count(this.#noContent, decision.reason)
      return { status: 204, headers: { ...OPEN, 'x-ad-reason': decision.reason }, body: '' }
    }
    this.#served++
    for (const ad of decision.ads) if (ad !== undefined) this.#ads++
    const dayOf = (campaignId: string): number => this.#node.dayOf(campaignId)
    const body = adAnswer(request, decision, { tokens: this.#tokens, now: at.wallMs, dayOf })
    return { status: 200, headers: JSON_HEADERS, body }
  }

  #beacon(event: BeaconEvent, token: string): HttpAnswer {
    const at = this.#node.moment()
    const verdict = this.#tokens.verify(event, token, at.wallMs)
    if (verdict.type !== 'Good') {
      count(this.#beaconsRefused, verdict.type === 'Expired' ? 'expired' : 'forged')
      return this.refused(
        403,
        verdict.type === 'Expired' ? 'the token is too old' : 'the token is not ours',
      )
    }
    const { ad } = verdict
    const useId = `${event}|${ad.requestId}`
    if (this.#used.has(useId, at.monotonicMs)) {
      count(this.#beaconsRefused, 'replayed')
      return this.refused(409, 'the token was used before')
    }
    this.#used.add(useId, at.monotonicMs)
    this.#node.beacon(event, ad, at)
    if (event === 'impression') {
      this.#impressions++
      return { status: 204, headers: OPEN, body: '' }
    }
    this.#clicks++
    return { status: 302, headers: { ...OPEN, location: asciiOf(ad.landingUrl) }, body: '' }
  }
}

/** What the interface needs of the node behind it. */
export interface AdHttpNode {
  readonly isReady: boolean
  moment(): Moment
  decide(request: AdRequest, at: Moment): Decision
  /** Number of the campaign's present day. */
  dayOf(campaignId: string): number
  /** A genuine beacon, the first of its kind for this impression here. */
  beacon(event: BeaconEvent, ad: BeaconAd, at: Moment): void
  /** A request met a fault of ours. */
  failed(error: unknown): void
}

export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export type HttpFigures = Pick<
  NodeStats,
  | 'requests'
  | 'served'
  | 'ads'
  | 'noContent'
  | 'httpErrors'
  | 'impressions'
  | 'clicks'
  | 'beaconsRefused'
  | 'decisionMs'
  | 'handlingMs'
>

function json(status: number, content: object): HttpAnswer {
  return { status, headers: JSON_HEADERS, body: JSON.stringify(content) }
}

/** Header values are ASCII: what is not is percent-encoded, and what is encoded already stays as it is. */
function asciiOf(url: string): string {
  // oxlint-disable-next-line no-control-regex -- all but printable ASCII
  return url.replaceAll(/[^\x21-\x7e]+/gu, (part) => encodeURIComponent(part))
}

function count(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

/** Pages of other hosts ask for ads, and may see why they got none. */
const OPEN = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'x-ad-reason',
  'cache-control': 'no-store',
} as const
const JSON_HEADERS = { ...OPEN, 'content-type': 'application/json; charset=utf-8' } as const

/** Beacons remembered against replay, per node: about ten minutes of a busy one. */
const USED_TOKENS_MAX = 200_000
