import { impressionMicros } from '../money.ts'
import type { TrafficShape } from './traffic-shape.ts'

/** What one campaign has spent of a day's budget. The day is a window in real time, [start, end). */
export interface CampaignSpend {
  readonly campaignId: string
  readonly budgetMicros: number
  readonly spentMicros: number
  /** Reserved here and not yet part of `spentMicros`. */
  readonly pendingMicros: number
  readonly cpmMicros: number
  readonly dayStartMs: number
  readonly dayEndMs: number
}

/** The money of all campaigns of a site together, at one moment. */
export interface SpendPool {
  readonly campaigns: number
  readonly budgetMicros: number
  readonly spentMicros: number
  readonly expectedMicros: number
  readonly averageCpmMicros: number
  readonly startsAtMs: number
  /** End of the last campaign's day: until then something of the pool can be spent. */
  readonly endsAtMs: number
}

export const DEFAULT_CPM_MICROS = 5_000_000

/**
 * Spent over expected; 1 is on plan. Early in the day the plan is next to nothing and any spending
 * would look wild, so a hundredth of the budget (at least a cent) is the least it is divided by.
 */
export function spendRatio(
  spentMicros: number,
  expectedMicros: number,
  budgetMicros: number,
): number {
  if (spentMicros <= 0) return expectedMicros <= 0 ? 1 : 0
  return spentMicros / Math.max(expectedMicros, leastExpectedMicros(budgetMicros))
}

/** The share of a campaign's day that is over, measured in traffic. The window may cross midnight. */
export function fractionOf(shape: TrafficShape, spend: CampaignSpend, now: number): number {
  const { dayStartMs, dayEndMs } = spend
  if (now <= dayStartMs) return 0
  if (now >= dayEndMs) return 1
  const whole = shape.mass(dayStartMs, dayEndMs)
  if (whole < MASS_MIN) return (now - dayStartMs) / (dayEndMs - dayStartMs)
  return clamp01(shape.mass(dayStartMs, now) / whole)
}

/**
 * True while another impression fits strictly inside the budget. Dust, a rest too small to buy
 * anything, must not keep a campaign in the plan: the pool would wait for spending that cannot come.
 */
export function canSpend(spend: CampaignSpend): boolean {
  const committed = spend.spentMicros + spend.pendingMicros
  return committed + impressionMicros(spend.cpmMicros) < spend.budgetMicros
}

/** A day that ends at `now` is over: its figures say nothing about the day that begins. */
export function isCurrent(spend: CampaignSpend, now: number): boolean {
  return now < spend.dayEndMs
}

/** Adds up the campaigns that can still spend. Undefined when there is none. */
export function poolOf(
  spends: Iterable<CampaignSpend>,
  shape: TrafficShape,
  now: number,
): SpendPool | undefined {
  let campaigns = 0
  let budgetMicros = 0
  let spentMicros = 0
  let expectedMicros = 0
  let impressions = 0
  let startsAtMs = Infinity
  let endsAtMs = -Infinity
  // Most campaigns share one day, and measuring it is the dear part.
  let measured: CampaignSpend | undefined
  let fraction = 0
  for (const spend of spends) {
    if (!isCurrent(spend, now) || !canSpend(spend)) continue
    if (spend.dayStartMs !== measured?.dayStartMs || spend.dayEndMs !== measured.dayEndMs) {
      measured = spend
      fraction = fractionOf(shape, spend, now)
    }
    campaigns++
    budgetMicros += spend.budgetMicros
    spentMicros += spend.spentMicros + spend.pendingMicros
    expectedMicros += spend.budgetMicros * fraction
    impressions += (spend.budgetMicros / spend.cpmMicros) * 1_000
    startsAtMs = Math.min(startsAtMs, spend.dayStartMs)
    endsAtMs = Math.max(endsAtMs, spend.dayEndMs)
  }
  if (campaigns === 0) return undefined
  const averageCpmMicros =
    impressions > 0 ? (budgetMicros / impressions) * 1_000 : DEFAULT_CPM_MICROS
  return {
    campaigns,
    budgetMicros,
    spentMicros,
    expectedMicros,
    averageCpmMicros,
    startsAtMs,
    endsAtMs,
  }
}

function leastExpectedMicros(budgetMicros: number): number {
  return Math.max(budgetMicros / 100, CENT_MICROS)
}

function clamp01(value: number): number {
  return Math.min(1, Math.max(0, value))
}

const CENT_MICROS = 10_000
/** Below this share of a day's traffic a window has no shape worth following. */
const MASS_MIN = 0.001
