import { isWithin } from '../pacing/day-clock.ts'

/** What of a campaign decides whether it bids. */
export interface CampaignTerms {
  readonly status: 'Active' | 'Paused' | 'Ended' | 'Deleted'
  readonly maxCpmMicros: number
  /** Categories the campaign wants; none means any. */
  readonly categories: ReadonlySet<string>
  readonly blockedCategories: ReadonlySet<string>
  /** Sites the campaign is limited to; none means any. */
  readonly siteAllowlist: ReadonlySet<string>
  readonly startAtMs?: number
  readonly endAtMs?: number
  /** False once the day's budget cannot pay another impression. */
  readonly canSpend: boolean
  readonly creatives: number
}

export interface BidRequest {
  readonly site: string
  readonly category: string
  readonly floorMicros: number
  readonly now: number
}

export type BidRejection =
  | 'Paused'
  | 'SiteNotAllowed'
  | 'CategoryMismatch'
  | 'CategoryBlocked'
  | 'BelowFloor'
  | 'BudgetExhausted'
  | 'NoCreatives'
  | 'OutsideFlight'

export type Bid =
  | { readonly type: 'Bid'; readonly cpmMicros: number }
  | { readonly type: 'NoBid'; readonly reason: BidRejection }

/** The first reason against bidding, in a fixed order, or the price: a campaign bids its maximum. */
export function bidOf(terms: CampaignTerms, request: BidRequest): Bid {
  const reason = rejectionOf(terms, request)
  return reason === undefined
    ? { type: 'Bid', cpmMicros: terms.maxCpmMicros }
    : { type: 'NoBid', reason }
}

function rejectionOf(terms: CampaignTerms, request: BidRequest): BidRejection | undefined {
  const { site, category, floorMicros, now } = request
  if (terms.status !== 'Active') return 'Paused'
  if (!isEmptyOrHas(terms.siteAllowlist, site)) return 'SiteNotAllowed'
  if (!isEmptyOrHas(terms.categories, category)) return 'CategoryMismatch'
  if (terms.blockedCategories.has(category)) return 'CategoryBlocked'
  if (terms.maxCpmMicros < floorMicros) return 'BelowFloor'
  if (!terms.canSpend) return 'BudgetExhausted'
  if (terms.creatives === 0) return 'NoCreatives'
  if (!isWithin(now, terms.startAtMs, terms.endAtMs)) return 'OutsideFlight'
  return undefined
}

function isEmptyOrHas(wanted: ReadonlySet<string>, item: string): boolean {
  return wanted.size === 0 || wanted.has(item)
}
