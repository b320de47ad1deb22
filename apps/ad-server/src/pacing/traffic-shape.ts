import { DAY_MS } from './day-clock.ts'

/**
 * How a site's traffic spreads over the hours of a day, workdays and weekends apart.
 *
 * Pacing plans by it: half the money is due when half the day's visitors have come, not at noon.
 * A shape starts flat, is drawn roughly during the first day from the rates seen, and afterwards
 * each finished day counts for a fifth.
 *
 * Hours are those of UTC. Volumes are relative; only their proportions matter.
 */
export class TrafficShape {
  readonly #workday: Day
  readonly #weekend: Day
  #rateAverage = NaN
  #hourSeen = -1
  #hoursSeen = 0
  #isFirstDay = true

  /** 24 volumes each; without any, flat and not yet `isWarm`. */
  constructor(workday?: readonly number[], weekend: readonly number[] | undefined = workday) {
    this.#workday = new Day(workday)
    this.#weekend = new Day(weekend)
    if (workday === undefined) return
    this.#hoursSeen = WARM_HOURS
    this.#isFirstDay = false
  }

  /** True once the shape was given, or has seen nearly a day. */
  get isWarm(): boolean {
    return this.#hoursSeen >= WARM_HOURS
  }

  /** Counts a request and, on the first day, adjusts the hour to the rate seen now. */
  observe(at: number, ratePerSecond: number): void {
    const hour = hourOf(at)
    if (hour !== this.#hourSeen) {
      if (this.#hourSeen >= 0) this.#hoursSeen++
      this.#hourSeen = hour
    }
    const day = this.#dayAt(at)
    day.counts[hour] = (day.counts[hour] ?? 0) + 1
    if (!this.#isFirstDay || !(ratePerSecond > 0)) return
    const average = Number.isNaN(this.#rateAverage) ? ratePerSecond : this.#rateAverage
    this.#rateAverage = 0.1 * ratePerSecond + 0.9 * average
    day.blend(hour, ratePerSecond / Math.max(1, this.#rateAverage), 0.1)
  }

  /** The day that contains `at` is over: what was counted changes the shape by a fifth. */
  rollDay(at: number): void {
    this.#isFirstDay = false
    this.#dayAt(at).takeCounts()
  }

  /** Share of the day's traffic that comes between midnight and `at`. */
  cdf(at: number): number {
    return this.#dayAt(at).cdf((((at % DAY_MS) + DAY_MS) % DAY_MS) / HOUR_MS)
  }

  /** Traffic between two moments in days of traffic: 1 for a whole day, also across midnight. */
  mass(fromMs: number, toMs: number): number {
    return (
      Math.floor(toMs / DAY_MS) - Math.floor(fromMs / DAY_MS) + this.cdf(toMs) - this.cdf(fromMs)
    )
  }

  /** Traffic at `at` over the day's mean; between two hours' beginnings it runs straight. */
  relativeVolume(at: number): number {
    const hour = hourOf(at)
    const day = this.#dayAt(at)
    const part = (at % HOUR_MS) / HOUR_MS
    return day.relative(hour) * (1 - part) + day.relative((hour + 1) % 24) * part
  }

  /** How much stronger to steer because the next hour differs: 1, and up to 2 late in the hour. */
  gainBoost(at: number): number {
    const hour = hourOf(at)
    const day = this.#dayAt(at)
    if ((at % HOUR_MS) / HOUR_MS < 1 - TRANSITION_PART) return 1
    const change = day.relative((hour + 1) % 24) / Math.max(day.relative(hour), Number.MIN_VALUE)
    const severity = Math.abs(Math.log(Math.min(10, Math.max(0.1, change))))
    return severity > 0.5 ? 1 + Math.min(1, severity / 2) : 1
  }

  #dayAt(at: number): Day {
    return isWeekend(at) ? this.#weekend : this.#workday
  }
}

/** Saturday and Sunday, by UTC. */
export function isWeekend(at: number): boolean {
  // 1970-01-01 was a Thursday.
  const weekday = (((Math.floor(at / DAY_MS) + 4) % 7) + 7) % 7
  return weekday === 0 || weekday === 6
}

class Day {
  readonly counts = new Float64Array(24)
  readonly #volumes = new Float64Array(24).fill(1)
  /** Share of the day before each hour. */
  readonly #before = new Float64Array(25)

  constructor(volumes: readonly number[] | undefined) {
    if (volumes !== undefined) this.#volumes.set(volumes)
    this.#sumUp()
  }

  blend(hour: number, observed: number, share: number): void {
    this.#volumes[hour] = share * observed + (1 - share) * (this.#volumes[hour] ?? 0)
    this.#sumUp()
  }

  takeCounts(): void {
    const mean = this.counts.reduce((sum, count) => sum + count, 0) / 24
    if (mean > 0)
      for (let hour = 0; hour < 24; hour++) this.blend(hour, (this.counts[hour] ?? 0) / mean, 0.2)
    this.counts.fill(0)
  }

  /** `hours` since midnight, 0 to 24. */
  cdf(hours: number): number {
    const hour = Math.min(23, Math.floor(hours))
    const low = this.#before[hour] ?? 0
    return low + ((this.#before[hour + 1] ?? 0) - low) * (hours - hour)
  }

  relative(hour: number): number {
    return 24 * ((this.#before[hour + 1] ?? 0) - (this.#before[hour] ?? 0))
  }

  #sumUp(): void {
    const total = this.#volumes.reduce((sum, volume) => sum + volume, 0)
    let sum = 0
    for (let hour = 0; hour < 24; hour++) {
      this.#before[hour] = sum / total
      sum += this.#volumes[hour] ?? 0
    }
    this.#before[24] = 1
  }
}

function hourOf(at: number): number {
  return Math.floor((((at % DAY_MS) + DAY_MS) % DAY_MS) / HOUR_MS)
}

const HOUR_MS = 3_600_000
/** Changes of the hour until a shape that started flat counts as known. */
const WARM_HOURS = 23
const TRANSITION_PART = 0.2
