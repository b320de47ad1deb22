/**
 * Requests a second, as one node sees them.
 *
 * Requests are counted in windows of at least a second; each closed window pulls the estimate 30 % of
 * the way towards itself. Only arrivals drive it: no timer, and a quiet site keeps its last estimate.
 */
export class RateTracker {
  #windowStartedAt = NaN
  #count = 0
  #ratePerSecond = 0

  get ratePerSecond(): number {
    return this.#ratePerSecond
  }

  /** Counts one request (or `count` of them), including those that are refused later. */
  arrived(now: number, count: number = 1): void {
    // The first arrival must open the window, or no window ever closes and the rate stays zero. A
    // clock that jumped back opens a new one for the same reason.
    if (!(now >= this.#windowStartedAt)) {
      this.#windowStartedAt = now
      this.#count = 0
    }
    this.#count += count
    const elapsedMs = now - this.#windowStartedAt
    if (elapsedMs < WINDOW_MS) return
    const instant = this.#count / (elapsedMs / 1_000)
    this.#ratePerSecond = NEW_SHARE * instant + (1 - NEW_SHARE) * this.#ratePerSecond
    this.#windowStartedAt = now
    this.#count = 0
  }
}

const WINDOW_MS = 1_000
const NEW_SHARE = 0.3
