/**
 * Spreads a day's budget over the day: answers which share of requests to refuse.
 *
 * Two parts. The base says what plain arithmetic says: with more requests than impressions the budget
 * can pay, refuse the surplus. A PI controller corrects it by how the money really went: behind plan
 * it refuses less, ahead of plan more, and ahead counts double, because what is spent is gone.
 *
 * One controller per site and node. Time in milliseconds comes with each call; the order of the
 * steps in `throttle` matters.
 */
export class PacingController {
  readonly #settings: PacingSettings
  #requests = 0
  #integral = 0
  #smoothedRatio: number | undefined
  #smoothing = SMOOTHING_START
  #overPaceFactor = OVER_PACE_START
  #lastAt: number | undefined
  #history: number[] = []
  #callsSinceTuning = 0
  #lastTunedAt = 0

  constructor(settings: PacingSettings = defaultPacingSettings) {
    this.#settings = settings
  }

  /** What has been learned about this site's spending; for figures and tests. */
  get tuning(): { readonly overPaceFactor: number; readonly smoothing: number } {
    return { overPaceFactor: this.#overPaceFactor, smoothing: this.#smoothing }
  }

  /** The probability, 0 to 1, with which this request should be refused. 1 only while nothing can be spent. */
  throttle(input: PacingInput, now: number): number {
    if (this.#settings.fixedThrottle !== undefined) return this.#settings.fixedThrottle
    this.#requests++
    if (isHardStop(input)) return 1
    const ratio = this.#smooth(input.spendRatio)
    this.#maybeTune(now)
    const base = baseThrottle(input, this.#settings.daySeconds)
    if (this.#isInGrace(input)) {
      this.#lastAt = now
      return Math.min(base, THROTTLE_MAX)
    }
    const gapMs = this.#lastAt === undefined ? FIRST_GAP_MS : now - this.#lastAt
    this.#lastAt = now
    if (gapMs > staleGapMs(this.#settings.daySeconds)) {
      this.#integral = 0
      this.#smoothedRatio = undefined
    }
    return clamp(base - this.#correction(ratio, gapMs, input.gainBoost), 0, THROTTLE_MAX)
  }

  /**
   * A new day begins. `fractionLeft`: how much of the old day was left when its budget ran out, 0 when
   * it lasted. A day that ended early makes the controller brake harder; each other day lets go a little.
   */
  rollOver(fractionLeft: number = 0): void {
    const hint = fractionLeft > EARLY_END_FRACTION ? 1 + fractionLeft : 1
    this.#overPaceFactor =
      hint > 1
        ? Math.min(OVER_PACE_MAX, this.#overPaceFactor * hint)
        : Math.max(OVER_PACE_START, this.#overPaceFactor * 0.95)
    this.reset()
  }

  /** Forgets the course of spending but not how hard to brake: the campaigns of the site are others now. */
  reset(): void {
    this.#integral = 0
    this.#lastAt = undefined
    this.#smoothedRatio = undefined
    this.#history = []
    this.#smoothing = SMOOTHING_START
    this.#requests = 0
    this.#callsSinceTuning = 0
  }

  #smooth(raw: number): number {
    const previous = this.#smoothedRatio
    const ratio =
      previous === undefined ? raw : this.#smoothing * raw + (1 - this.#smoothing) * previous
    this.#smoothedRatio = ratio
    this.#history.push(ratio)
    if (this.#history.length > HISTORY_MAX) this.#history.shift()
    return ratio
  }

  #correction(ratio: number, gapMs: number, gainBoost: number): number {
    const error = 1 - ratio
    const gain = gainBoost * (error < 0 ? this.#overPaceFactor : 1)
    const seconds = clamp(gapMs / 1_000, 0.001, 1)
    this.#integral = clamp(INTEGRAL_DECAY * this.#integral + error * seconds, -1, 1)
    return gain * (this.#settings.kp * error + this.#settings.ki * this.#integral)
  }

  #isInGrace(input: PacingInput): boolean {
    const graceSeconds = Math.max(1, (10 * this.#settings.daySeconds) / 86_400)
    const graceRequests =
      input.hasShape && input.ratePerSecond > 0
        ? clamp(Math.trunc(input.ratePerSecond * graceSeconds), 10, 50)
        : Math.max(5, Math.trunc((10 * this.#settings.daySeconds) / 86_400))
    return input.elapsedSeconds < graceSeconds || this.#requests <= graceRequests
  }

  #maybeTune(now: number): void {
    this.#callsSinceTuning++
    // After a jump back of the clock the last tuning lies in the future: it counts as long ago.
    const sinceMs = now < this.#lastTunedAt ? Infinity : now - this.#lastTunedAt
    if (this.#callsSinceTuning < TUNE_CALLS || sinceMs < TUNE_INTERVAL_MS) return
    this.#callsSinceTuning = 0
    this.#lastTunedAt = now
    if (this.#history.length >= TUNE_SAMPLES) this.#tune()
  }

  #tune(): void {
    const { mean, deviation } = momentsOf(this.#history)
    if (mean > 1.05) this.#overPaceFactor = Math.min(OVER_PACE_MAX, this.#overPaceFactor * 1.15)
    else if (mean > 0.98 && mean < 1.02)
      this.#overPaceFactor = Math.max(OVER_PACE_MIN, this.#overPaceFactor * 0.95)
    if (deviation > 0.08) this.#smoothing = Math.max(SMOOTHING_MIN, this.#smoothing / 1.3)
    else if (deviation < 0.04) this.#smoothing = Math.min(SMOOTHING_MAX, this.#smoothing * 1.05)
  }
}

/** Where the money of a site stands. */
export interface PacingInput {
  readonly budgetMicros: number
  /** Spent so far, with what is reserved and not yet reported. */
  readonly spentMicros: number
  /** Spent over what was planned by now; 1 is on plan. */
  readonly spendRatio: number
  readonly averageCpmMicros: number
  /** Requests this node sees. */
  readonly ratePerSecond: number
  /** Expected traffic now over the day's mean. */
  readonly shapeMultiplier: number
  /** True once the shape of the day is known and not only assumed flat. */
  readonly hasShape: boolean
  readonly elapsedSeconds: number
  readonly remainingSeconds: number
  /** Live nodes that serve the site; each takes an equal part of the target. */
  readonly servingNodes: number
  /** 1, or more where traffic is about to change much. */
  readonly gainBoost: number
}

export interface PacingSettings {
  /** Length of the budget's day; 86,400, or less in a compressed simulation. */
  readonly daySeconds: number
  readonly kp: number
  readonly ki: number
  /** Replaces the whole controller by one probability, for tests of a site. */
  readonly fixedThrottle?: number
}

export const defaultPacingSettings: PacingSettings = { daySeconds: 86_400, kp: 0.5, ki: 0.3 }

/** The surplus of requests over the impressions the budget pays per second, as a share of the requests. */
export function baseThrottle(input: PacingInput, daySeconds: number): number {
  const dayTarget = input.budgetMicros / daySeconds / (input.averageCpmMicros / 1_000)
  const target = (dayTarget * input.shapeMultiplier) / input.servingNodes
  return input.ratePerSecond > target && target > 0 ? 1 - target / input.ratePerSecond : 0
}

/** A gap longer than this makes what the controller remembers meaningless. */
function staleGapMs(daySeconds: number): number {
  return Math.max(1_000, Math.trunc((30_000 * daySeconds) / 86_400))
}

function isHardStop(input: PacingInput): boolean {
  return (
    input.budgetMicros <= 0 ||
    input.remainingSeconds <= 0 ||
    input.budgetMicros - input.spentMicros <= 0
  )
}

function momentsOf(samples: readonly number[]): { mean: number; deviation: number } {
  const mean = samples.reduce((sum, sample) => sum + sample, 0) / samples.length
  const squares = samples.reduce((sum, sample) => sum + (sample - mean) ** 2, 0)
  return { mean, deviation: Math.sqrt(squares / samples.length) }
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value))
}

/** 1 is reserved for the hard stop: a gate that is only slow always lets some requests try. */
const THROTTLE_MAX = 0.99
const FIRST_GAP_MS = 100
const INTEGRAL_DECAY = 0.995
const SMOOTHING_START = 0.3
const SMOOTHING_MIN = 0.1
const SMOOTHING_MAX = 0.5
const OVER_PACE_START = 2
const OVER_PACE_MIN = 1.5
const OVER_PACE_MAX = 5
const HISTORY_MAX = 20
const TUNE_SAMPLES = 10
const TUNE_CALLS = 10
const TUNE_INTERVAL_MS = 500
const EARLY_END_FRACTION = 0.05
