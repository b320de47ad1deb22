/**
 * Calendar days in the time zone of an advertiser.
 *
 * A budget is spent within [start of the day, next midnight). Both follow the calendar, never the
 * start of a process: a node started at 23:50 has ten minutes of the day left, not a fresh day.
 */
export class DayClock {
  readonly #parts: Intl.DateTimeFormat | undefined

  /** `timeZone`: a name of the tz database. Throws RangeError when there is no such zone. */
  constructor(timeZone: string) {
    // Making a formatter costs more than a thousand uses of it, and UTC needs none.
    this.#parts = timeZone === 'UTC' ? undefined : formatterOf(timeZone)
  }

  /** Number of the local day that contains `at`; days since 1970-01-01. */
  dayOf(at: number): number {
    return Math.floor((at + this.#offsetMs(at)) / DAY_MS)
  }

  /** When the local day begins. With a change of clocks a day has 23 or 25 hours. */
  startOf(day: number): number {
    const midnight = day * DAY_MS
    // The offset at the guess may be that of the other side of a change; the second look settles it.
    const guess = midnight - this.#offsetMs(midnight)
    const start = midnight - this.#offsetMs(guess)
    return this.dayOf(start) < day ? guess : start
  }

  windowOf(at: number): { readonly startMs: number; readonly endMs: number } {
    const day = this.dayOf(at)
    return { startMs: this.startOf(day), endMs: this.startOf(day + 1) }
  }

  /** What local clocks are ahead of UTC. */
  #offsetMs(at: number): number {
    if (this.#parts === undefined) return 0
    const fields: Record<string, number> = {}
    for (const { type, value } of this.#parts.formatToParts(at)) fields[type] = Number(value)
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = fields
    const local = Date.UTC(year, month - 1, day, hour, minute, second)
    return local - Math.floor(at / 1_000) * 1_000
  }
}

/** True inside [start, end); a missing end or start is no limit. */
export function isWithin(
  now: number,
  startMs: number = -Infinity,
  endMs: number = Infinity,
): boolean {
  return now >= startMs && now < endMs
}

export const DAY_MS = 86_400_000

function formatterOf(timeZone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  })
}
