import type { ScoreFormula } from '../sampling/score-formula.ts'
import type { Candidate } from '../serve-index/serve-view.ts'

/**
 * The auction of one slot, in pure steps: choose the page's categories, filter the bids by floor and by
 * distance from the best, and order what is left.
 *
 * Here creatives win a place in the index. Which of them is shown, and at what price, is decided per
 * request by sampling and `clearingPrice`.
 */
export interface AuctionSettings {
  /** Bids lower than the best by more than this share are dropped. Default 0.80. */
  readonly thresholdPct: number
  /** Most bids considered, best first. */
  readonly bidsMax: number
  /** Most creatives kept for a slot; `Infinity` keeps all. */
  readonly keepMax: number
  /** True keeps only the best creative of each campaign. */
  readonly onePerCampaign: boolean
}

export const defaultAuctionSettings: AuctionSettings = {
  thresholdPct: 0.8,
  bidsMax: 50,
  keepMax: Infinity,
  onePerCampaign: false,
}

export interface CategoryScore {
  readonly category: string
  readonly score: number
}

/** The `limit` categories a page fits best, best first; equal scores in the order of their names. */
export function topCategories(
  scores: Iterable<readonly [category: string, score: number]>,
  limit: number = 3,
  scoreMin: number = 0,
): CategoryScore[] {
  const fitting: CategoryScore[] = []
  for (const [category, score] of scores) if (score >= scoreMin) fitting.push({ category, score })
  return fitting.toSorted(byScore).slice(0, limit)
}

/** Lowest prices a site accepts: the slot's own comes first, then the category's, then the site's. */
export interface Floors {
  readonly siteMicros: number
  readonly byCategory: ReadonlyMap<string, number>
  readonly bySlot: ReadonlyMap<string, number>
}

export const DEFAULT_SITE_FLOOR_MICROS = 500_000

export function floorMicrosOf(floors: Floors, slot: string, category: string): number {
  return floors.bySlot.get(slot) ?? floors.byCategory.get(category) ?? floors.siteMicros
}

/** Runs the auction of one slot. The result is ordered: the best of each campaign first, then the rest. */
export function runAuction(
  bids: readonly Candidate[],
  slot: string,
  floors: Floors,
  settings: AuctionSettings = defaultAuctionSettings,
): Candidate[] {
  const aboveFloor = bids.filter(
    (bid) => bid.cpmMicros >= floorMicrosOf(floors, slot, bid.category),
  )
  return shortlist(nearTheTop(aboveFloor, settings.thresholdPct), settings)
}

/**
 * Bids with `cpm >= top * (1 - pct)`. The share is a whole number of millionths and both sides whole
 * micros: 3 dollars at 20 % keep a bid of exactly 2.40, which floating point would drop.
 */
export function nearTheTop(bids: readonly Candidate[], pct: number): Candidate[] {
  const keepMillionths = Math.round((1 - pct) * 1_000_000)
  const topMicros = bids.reduce((top, bid) => Math.max(top, bid.cpmMicros), 0)
  return bids.filter((bid) => bid.cpmMicros * 1_000_000 >= topMicros * keepMillionths)
}

/** Removes doubles, sorts by price, and puts the best creative of each campaign in front. */
export function shortlist(bids: readonly Candidate[], settings: AuctionSettings): Candidate[] {
  const best: Candidate[] = []
  const rest: Candidate[] = []
  const campaigns = new Set<string>()
  const creatives = new Set<string>()
  for (const bid of bids.toSorted(byPrice)) {
    if (creatives.has(bid.creativeId)) continue
    creatives.add(bid.creativeId)
    if (creatives.size > settings.bidsMax) break
    if (!campaigns.has(bid.campaignId)) best.push(bid)
    else if (!settings.onePerCampaign) rest.push(bid)
    campaigns.add(bid.campaignId)
  }
  return [...best, ...rest].slice(0, settings.keepMax)
}

export interface ClearingInput {
  readonly formula: ScoreFormula
  /** Score of the strongest rival at its expected engagement; 0 when there is none. */
  readonly runnerUpMeanScore: number
  /** Engagement the winner is expected to have. */
  readonly winnerMeanEngagement: number
  readonly floorMicros: number
  /** At least the floor: candidates below it never get here. */
  readonly bidMicros: number
}

/**
 * Quality-adjusted second price: the smallest CPM at which the winner still beats the runner-up.
 *
 * Computed from what is expected, never from the samples that chose the winner: a lucky draw must
 * not raise the price. The floor when there is no rival; never above the bid.
 */
export function clearingPrice(input: ClearingInput): number {
  const { formula, runnerUpMeanScore, winnerMeanEngagement, floorMicros, bidMicros } = input
  if (!(runnerUpMeanScore > 0) || !(winnerMeanEngagement > 0)) return floorMicros
  const price = formula.cpmMicrosAt(runnerUpMeanScore / winnerMeanEngagement)
  return Math.max(floorMicros, Math.min(bidMicros, Math.round(price)))
}

function byScore(a: CategoryScore, b: CategoryScore): number {
  return b.score - a.score || compareText(a.category, b.category)
}

function byPrice(a: Candidate, b: Candidate): number {
  return b.cpmMicros - a.cpmMicros || compareText(a.creativeId, b.creativeId)
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
