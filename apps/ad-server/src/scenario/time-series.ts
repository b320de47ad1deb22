/** One row of a recording: a figure and its moment. */
export interface Sample {
  readonly at: number
  readonly value: number
}

/**
 * Recorded figures at even distances, repeated for ever.
 *
 * The period is a whole number of weeks, so that a Monday morning is always answered by a Monday
 * morning; every sample has its place in it. Where a sample is missing the one before it lasts longer.
 */
export class TimeSeries {
  readonly #firstMs: number
  readonly #stepMs: number
  readonly #values: Float64Array

  /** `samples`: at least one, in any order; of two within one step the first counts. */
  constructor(samples: readonly Sample[], stepMs: number) {
    const times = samples.map((sample) => sample.at)
    // Begins at a full step, so that the hour of a sample is the hour it answers for.
    this.#firstMs = Math.floor(least(times) / stepMs) * stepMs
    this.#stepMs = stepMs
    const weeks = Math.floor((most(times) - this.#firstMs) / WEEK_MS) + 1
    this.#values = new Float64Array((weeks * WEEK_MS) / stepMs).fill(NaN)
    for (const { at, value } of samples) {
      const place = this.#placeOf(at)
      if (Number.isNaN(this.#values[place])) this.#values[place] = value
    }
    this.#fillGaps()
  }

  /** The figure at a moment of any year. */
  at(ms: number): number {
    return this.#values[this.#placeOf(ms)] ?? 0
  }

  get mean(): number {
    return this.#values.reduce((sum, value) => sum + value, 0) / this.#values.length
  }

  /** The same series with every figure changed. */
  map(change: (value: number, at: number) => number): TimeSeries {
    const samples = [...this.#values].map((value, place) => {
      const at = this.#firstMs + place * this.#stepMs
      return { at, value: change(value, at) }
    })
    return new TimeSeries(samples, this.#stepMs)
  }

  get length(): number {
    return this.#values.length
  }

  /** The first moment of a day for which there are samples. */
  get firstMidnightMs(): number {
    return Math.ceil(this.#firstMs / DAY_MS) * DAY_MS
  }

  #placeOf(ms: number): number {
    const steps = Math.floor((ms - this.#firstMs) / this.#stepMs)
    const length = this.#values.length
    return ((steps % length) + length) % length
  }

  /** The first value is a sample, because the series begins with it. */
  #fillGaps(): void {
    for (let place = 1; place < this.#values.length; place++) {
      if (Number.isNaN(this.#values[place])) this.#values[place] = this.#values[place - 1] ?? 0
    }
  }
}

// `Math.min(...times)` would put a hundred thousand arguments on the stack.
function least(times: readonly number[]): number {
  return times.reduce((a, b) => Math.min(a, b), Infinity)
}

function most(times: readonly number[]): number {
  return times.reduce((a, b) => Math.max(a, b), -Infinity)
}

const DAY_MS = 86_400_000
const WEEK_MS = 7 * DAY_MS
