/**
 * Money is whole micro-dollars everywhere: sums are exact, and equal on every node.
 *
 * A CPM is the price of 1,000 impressions. One impression at a CPM of 5 dollars costs 5,000 micros.
 */
export const MICROS_PER_DOLLAR = 1_000_000

/** The lowest price worth an auction: below it an impression would cost nothing. */
export const CPM_MICROS_MIN = 1_000
/** 1,000 dollars. Products of two prices and a share in millionths stay safe integers below it. */
export const CPM_MICROS_MAX = 1_000_000_000

/** The cost of one impression; rounded down, so that nobody pays more than the price says. */
export function impressionMicros(cpmMicros: number): number {
  return Math.floor(cpmMicros / 1_000)
}

/** From figures written by people or recorded elsewhere; the only place where fractions enter. */
export function microsOfDollars(dollars: number): number {
  return Math.round(dollars * MICROS_PER_DOLLAR)
}

export function isMoney(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

export function isCpm(value: unknown): value is number {
  return isMoney(value) && value >= CPM_MICROS_MIN && value <= CPM_MICROS_MAX
}
