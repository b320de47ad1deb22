export interface FailureDetectorSettings {
  readonly phiThreshold: number
  readonly acceptablePauseMs: number
  readonly heartbeatIntervalMs: number
}

/**
 * Guesses from the rhythm of a peer's heartbeats whether it is alive.
 *
 * Intuition: learn how long the pauses between heartbeats usually are and how much they vary; the
 * longer the present silence is in comparison, the less likely it is that another heartbeat will
 * come. `phi` is that likelihood on a logarithmic scale: 8 means one false alarm in 10^8.
 * Source: Hayashibara et al. 2004, "The phi accrual failure detector", with the logistic
 * approximation of the normal distribution that Akka uses.
 */
export class FailureDetector {
  readonly #settings: FailureDetectorSettings
  readonly #intervals: number[] = []
  #sum = 0
  #sumOfSquares = 0
  #next = 0
  #lastAt: number

  /** Begins as if a first heartbeat had just come: a peer that never sends one is noticed too. */
  constructor(settings: FailureDetectorSettings, now: number) {
    this.#settings = settings
    this.#lastAt = now
    const usual = settings.heartbeatIntervalMs
    this.#learn(usual - usual / 4)
    this.#learn(usual + usual / 4)
  }

  heartbeat(now: number): void {
    // The pause that ended a suspicion is not the peer's rhythm.
    if (this.isAvailable(now)) this.#learn(now - this.#lastAt)
    this.#lastAt = now
  }

  /** Our own loop stood still for `lostMs`: the silence of that time was ours, not the peer's. */
  excuse(lostMs: number, now: number): void {
    this.#lastAt = Math.min(now, this.#lastAt + lostMs)
  }

  isAvailable(now: number): boolean {
    return this.phi(now) < this.#settings.phiThreshold
  }

  phi(now: number): number {
    const silence = now - this.#lastAt
    const count = this.#intervals.length
    const mean = this.#sum / count
    const variance = Math.max(0, this.#sumOfSquares / count - mean * mean)
    const deviation = Math.max(Math.sqrt(variance), DEVIATION_MIN_MS)
    const expected = mean + this.#settings.acceptablePauseMs
    const y = (silence - expected) / deviation
    const e = Math.exp(-y * (1.5976 + 0.070566 * y * y))
    return silence > expected ? -Math.log10(e / (1 + e)) : -Math.log10(1 - 1 / (1 + e))
  }

  #learn(interval: number): void {
    if (this.#intervals.length < HISTORY) this.#intervals.push(interval)
    else {
      const forgotten = this.#intervals[this.#next] ?? 0
      this.#sum -= forgotten
      this.#sumOfSquares -= forgotten * forgotten
      this.#intervals[this.#next] = interval
      this.#next = (this.#next + 1) % HISTORY
    }
    this.#sum += interval
    this.#sumOfSquares += interval * interval
  }
}

const HISTORY = 1_000
const DEVIATION_MIN_MS = 100
