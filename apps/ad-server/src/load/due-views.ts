/**
 * How many page views are due: the rate, times the hour's volume, whatever the answers take.
 *
 * A driver that waited for answers would ask less the slower they come, and measure a server at its
 * best. What could not be sent in time is not made up for in one burst either: it counts as skipped.
 */
export class DueViews {
  readonly #ratePerMs: number
  readonly #volumeAt: (nowMs: number) => number
  #lastMs: number
  #due = 0
  #skipped = 0

  /** `rate`: views a second at a volume of 1. `volumeAt`: the volume at a moment of the same clock. */
  constructor(rate: number, volumeAt: (nowMs: number) => number, nowMs: number) {
    this.#ratePerMs = rate / 1_000
    this.#volumeAt = volumeAt
    this.#lastMs = nowMs
  }

  get skipped(): number {
    return this.#skipped
  }

  /** Views that have become due since the last call; whole ones. */
  take(nowMs: number): number {
    const volume = this.#volumeAt(nowMs)
    const passedMs = nowMs - this.#lastMs
    this.#lastMs = nowMs
    if (passedMs > LATE_MS)
      this.#skipped += Math.floor((passedMs - LATE_MS) * this.#ratePerMs * volume)
    this.#due += Math.min(passedMs, LATE_MS) * this.#ratePerMs * volume
    const whole = Math.floor(this.#due)
    this.#due -= whole
    return whole
  }
}

/** Longest pause of the driver that is made up for. */
const LATE_MS = 100
