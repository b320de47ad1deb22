import { identifierFault, urlFault } from '../identifier.ts'
import { isCpm } from '../money.ts'

/** How often a creative was shown and clicked. */
export interface CreativeCounts {
  readonly impressions: number
  readonly clicks: number
}

/** What an auction found worth showing in a slot: one creative of one campaign, at a price. */
export interface Candidate {
  readonly creativeId: string
  readonly campaignId: string
  readonly advertiserId: string
  /**
   * The campaign's epoch when the auction ran. Pausing or removing a campaign raises its epoch, so
   * that candidates of auctions already under way are never served (the takedown fence).
   */
  readonly campaignEpoch: number
  readonly assetUrl: string
  readonly mime: string
  readonly width: number
  readonly height: number
  readonly category: string
  readonly cpmMicros: number
  /** The lowest price this slot sells for; at most `cpmMicros`. */
  readonly floorMicros: number
  /** How well the page fits the category, 0 to 1: the first guess of a creative nobody has seen. */
  readonly categoryScore: number
  readonly classifiedAtMs: number
  readonly landingUrl: string
  readonly adProductCategory?: string
  /** Counts when the auction ran. Counts a node has itself are fresher and win. */
  readonly ctrStats?: CreativeCounts
}

/** A candidate as the index holds it. */
export interface ServeView extends Candidate {
  /** Not served at this moment or later, whether or not a sweep has been by. */
  readonly expiresAtMs: number
  /** Grows whenever a creative is put again; a remove spares what is newer than what it has seen. */
  readonly version: number
}

export type Parsed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string }

/** Checks a view that comes from outside this process; afterwards it is trusted. Copies field by field. */
export function parseServeView(input: unknown): Parsed<ServeView> {
  const candidate = parseCandidate(input)
  if (!candidate.ok) return candidate
  const { expiresAtMs, version } = input as Record<string, unknown>
  if (!isCount(expiresAtMs)) return refused('expiresAtMs', 'is not a time in milliseconds')
  if (!isCount(version)) return refused('version', 'is not a whole number >= 0')
  return { ok: true, value: { ...candidate.value, expiresAtMs, version } }
}

/** The same for a candidate. `reason` names the field, never its content. */
export function parseCandidate(input: unknown): Parsed<Candidate> {
  if (typeof input !== 'object' || input === null) return refused('a candidate', 'is not an object')
  const from = input as { readonly [Field in keyof Candidate]?: unknown }
  const fault = faultOf(from)
  if (fault !== undefined) return fault
  // Every field was checked by `faultOf`; the cast only says so.
  const checked = from as Candidate
  const { ctrStats, adProductCategory } = checked
  return {
    ok: true,
    value: {
      creativeId: checked.creativeId,
      campaignId: checked.campaignId,
      advertiserId: checked.advertiserId,
      campaignEpoch: checked.campaignEpoch,
      assetUrl: checked.assetUrl,
      mime: checked.mime,
      width: checked.width,
      height: checked.height,
      category: checked.category,
      cpmMicros: checked.cpmMicros,
      floorMicros: checked.floorMicros,
      categoryScore: checked.categoryScore,
      classifiedAtMs: checked.classifiedAtMs,
      landingUrl: checked.landingUrl,
      ...(adProductCategory === undefined ? {} : { adProductCategory }),
      ...(ctrStats === undefined
        ? {}
        : { ctrStats: { impressions: ctrStats.impressions, clicks: ctrStats.clicks } }),
    },
  }
}

type Unchecked = { readonly [Field in keyof Candidate]?: unknown }

function faultOf(from: Unchecked): Parsed<never> | undefined {
  for (const field of ['creativeId', 'campaignId', 'advertiserId', 'category'] as const) {
    const value = from[field]
    if (typeof value !== 'string') return refused(field, 'is not a text')
    const fault = field === 'campaignId' ? entityIdFault(value) : identifierFault(value)
    if (fault !== undefined) return refused(field, fault)
  }
  for (const field of ['assetUrl', 'landingUrl'] as const) {
    const value = from[field]
    if (typeof value !== 'string') return refused(field, 'is not a text')
    const fault = urlFault(value)
    if (fault !== undefined) return refused(field, fault)
  }
  for (const field of ['width', 'height'] as const) {
    const value = from[field]
    if (!isCount(value) || value < 1 || value > 10_000)
      return refused(field, 'is not between 1 and 10000 pixels')
  }
  return figureFaultOf(from)
}

function figureFaultOf(from: Unchecked): Parsed<never> | undefined {
  const { mime, categoryScore, ctrStats, adProductCategory } = from
  if (!isCount(from.campaignEpoch)) return refused('campaignEpoch', 'is not a whole number >= 0')
  if (!isCount(from.classifiedAtMs)) return refused('classifiedAtMs', 'is not a time')
  if (!isCpm(from.cpmMicros)) return refused('cpmMicros', 'is not between 1000 and 1000000000')
  if (!isCount(from.floorMicros) || from.floorMicros > from.cpmMicros)
    return refused('floorMicros', 'is not between 0 and the price')
  if (typeof mime !== 'string' || mime.length > 64 || !/^[a-z]+\/[a-z0-9.+-]+$/.test(mime))
    return refused('mime', 'is not a media type')
  if (typeof categoryScore !== 'number' || !(categoryScore >= 0 && categoryScore <= 1))
    return refused('categoryScore', 'is not between 0 and 1')
  if (ctrStats !== undefined && !isCounts(ctrStats))
    return refused('ctrStats', 'is not a pair of counts')
  if (adProductCategory === undefined) return undefined
  if (typeof adProductCategory !== 'string') return refused('adProductCategory', 'is not a text')
  const fault = identifierFault(adProductCategory)
  return fault === undefined ? undefined : refused('adProductCategory', fault)
}

/** A campaign may be named by the id of its entity, `advertiser|campaign`: one bar is allowed. */
function entityIdFault(text: string): string | undefined {
  return identifierFault(text.replace('|', '-'))
}

function isCounts(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { impressions, clicks } = value as Record<string, unknown>
  return isCount(impressions) && isCount(clicks)
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function refused(what: string, fault: string): Parsed<never> {
  return { ok: false, reason: `${what} ${fault}` }
}
