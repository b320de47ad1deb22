import { createHmac, timingSafeEqual } from 'node:crypto'
import { identifierFault, urlFault } from '../identifier.ts'
import { isMoney } from '../money.ts'

/**
 * Signs what a page sends back when an ad was seen or clicked.
 *
 * A token carries everything its beacon needs to have an effect, so that no node has to remember what
 * it served: any node of the cluster can take it. It is `payload.signature`: the payload is base64url of
 * JSON, the signature HMAC-SHA256 over the kind of event and the payload, so that the token of an
 * impression never passes for a click. It is good for three minutes, give or take the clocks.
 */
export class BeaconTokens {
  readonly #key: Uint8Array

  /** `secret`: shared by all nodes of the cluster. The key is derived, so that tokens tell nothing of it. */
  constructor(secret: string) {
    this.#key = createHmac('sha256', secret).update('ad beacon tokens, version 1').digest()
  }

  /** Tokens of both events for one served ad. */
  sign(ad: BeaconAd, now: number): { readonly impression: string; readonly click: string } {
    const fields = [
      Math.floor(now / 1_000),
      ad.site,
      ad.slot,
      ad.creativeId,
      ad.campaignId,
      ad.requestId,
      ad.amountMicros,
      ad.day,
      ad.landingUrl,
    ]
    const payload = Buffer.from(JSON.stringify(fields)).toString('base64url')
    return {
      impression: `${payload}.${this.#signature('impression', payload)}`,
      click: `${payload}.${this.#signature('click', payload)}`,
    }
  }

  /** Checks the signature first and in constant time; nothing of a forged token is looked at. */
  verify(event: BeaconEvent, token: string, now: number): TokenVerdict {
    if (token.length > TOKEN_LENGTH_MAX) return FORGED
    const dot = token.indexOf('.')
    const payload = token.slice(0, Math.max(0, dot))
    const expected = Buffer.from(this.#signature(event, payload))
    const given = Buffer.from(token.slice(dot + 1))
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return FORGED
    const fields: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const ad = adOf(fields)
    if (ad === undefined) return FORGED
    const ageMs = now - ad.issuedAtMs
    return ageMs > TOKEN_TTL_MS || ageMs < -TOKEN_TTL_MS
      ? { type: 'Expired' }
      : { type: 'Good', ad }
  }

  #signature(event: BeaconEvent, payload: string): string {
    return createHmac('sha256', this.#key).update(`${event}|${payload}`).digest('base64url')
  }
}

export type BeaconEvent = 'impression' | 'click'

/** What a beacon is about. */
export interface BeaconAd {
  readonly site: string
  readonly slot: string
  readonly creativeId: string
  /** Id of the campaign's entity. */
  readonly campaignId: string
  /** Names the impression. */
  readonly requestId: string
  readonly amountMicros: number
  /** Number of the campaign's day in which it was served. */
  readonly day: number
  /** Where a click leads: the only place it ever leads. */
  readonly landingUrl: string
}

export type TokenVerdict =
  | { readonly type: 'Good'; readonly ad: BeaconAd & { readonly issuedAtMs: number } }
  | { readonly type: 'Forged' }
  | { readonly type: 'Expired' }

/** How long a token is good. Longer than it takes to look at a page; shorter than a lease's beacon window. */
export const TOKEN_TTL_MS = 180_000

/** The payload was signed by a node of ours, maybe of another version: it is still read with care. */
function adOf(fields: unknown): (BeaconAd & { readonly issuedAtMs: number }) | undefined {
  if (!Array.isArray(fields) || fields.length !== 9) return undefined
  const [
    issued,
    site,
    slot,
    creativeId,
    campaignId,
    requestId,
    amountMicros,
    day,
    landingUrl,
  ]: unknown[] = fields
  if (!isMoney(issued) || !isMoney(amountMicros) || !isMoney(day)) return undefined
  if (!isId(site) || !isId(slot) || !isId(creativeId)) return undefined
  if (typeof campaignId !== 'string' || typeof requestId !== 'string') return undefined
  if (typeof landingUrl !== 'string' || urlFault(landingUrl) !== undefined) return undefined
  const ad = { site, slot, creativeId, campaignId, requestId, amountMicros, day, landingUrl }
  return { ...ad, issuedAtMs: issued * 1_000 }
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && identifierFault(value) === undefined
}

const FORGED: TokenVerdict = { type: 'Forged' }
const TOKEN_LENGTH_MAX = 3_000
