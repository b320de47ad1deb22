import { CPM_MICROS_MIN, MICROS_PER_DOLLAR } from '../money.ts'

/**
 * How much a price counts against engagement: `score = engagement * weightOf(cpm)`.
 *
 * The inverse turns a score back into the price that would just reach it, so each formula brings
 * its own second price.
 */
export interface ScoreFormula {
  weightOf(cpmMicros: number): number
  /** The CPM whose weight is `weight`, in micros, unrounded; 0 when no price can tell. */
  cpmMicrosAt(weight: number): number
}

/**
 * Engagement times CPM to the power of `alpha`: 0.5 balances, 0.3 favours discovery, 0.7 revenue.
 * With `alpha` 0 or less the price does not count and the floor is paid.
 */
export function powerScore(alpha: number = 0.5): ScoreFormula {
  const isRoot = alpha === 0.5
  return {
    weightOf(cpmMicros) {
      const cpm = Math.max(cpmMicros, CPM_MICROS_MIN) / MICROS_PER_DOLLAR
      return isRoot ? Math.sqrt(cpm) : cpm ** alpha
    },
    cpmMicrosAt(weight) {
      return alpha > 0 ? MICROS_PER_DOLLAR * weight ** (1 / alpha) : 0
    },
  }
}

/** Engagement times ln(1 + CPM in dollars): high prices count less and less. */
export function logScore(): ScoreFormula {
  return {
    weightOf: (cpmMicros) => Math.log1p(cpmMicros / MICROS_PER_DOLLAR),
    cpmMicrosAt: (weight) => MICROS_PER_DOLLAR * Math.expm1(weight),
  }
}
