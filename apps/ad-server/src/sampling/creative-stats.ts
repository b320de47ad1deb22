import type { CreativeCounts } from '../serve-index/serve-view.ts'

/**
 * How often each creative was shown and clicked in the last hour.
 *
 * Per creative a ring of 60 buckets, one per minute; a bucket whose minute is over an hour ago is
 * emptied when its place is needed again. The estimate forgets instead of decaying, so what a creative
 * earned yesterday does not hide what it earns now.
 *
 * Every node counts for itself and learns the others' counts per minute. The two are kept apart:
 * own counts only grow here, the others' are replaced by whatever replication says they are.
 */
export class CreativeStats {
  readonly #windows = new Map<string, Window>()
  readonly #changed = new Set<Window>()

  /** Creatives with a window, empty ones included. */
  get size(): number {
    return this.#windows.size
  }

  /** Counted when the creative is chosen, not when its beacon comes: exploring must see its own choice. */
  impression(creativeId: string, now: number): void {
    this.#own(creativeId, minuteOf(now), IMPRESSIONS)
  }

  /** Booked in the minute of the click; the impression's minute may be gone already. */
  click(creativeId: string, now: number): void {
    this.#own(creativeId, minuteOf(now), CLICKS)
  }

  /**
   * Replaces what all other nodes together counted in one minute. Ignored when the minute is too old,
   * or further ahead than clocks may differ: neither may empty the window.
   */
  replaceOthers(creativeId: string, minute: number, counts: CreativeCounts, now: number): void {
    const window = this.#windowOf(creativeId, minuteOf(now))
    if (minute > minuteOf(now) && minute <= minuteOf(now) + AHEAD_MAX) window.advance(minute)
    const place = window.placeOf(minute)
    if (place < 0) return
    window.set(place + OTHERS + IMPRESSIONS, counts.impressions)
    window.set(place + OTHERS + CLICKS, counts.clicks)
  }

  /** Impressions and clicks of the last 60 minutes, all nodes. The answer is reused: read it at once. */
  countsOf(creativeId: string, now: number): CreativeCounts {
    const window = this.#windows.get(creativeId)
    if (window === undefined) return NONE
    window.advance(minuteOf(now))
    return window
  }

  /** This node's counts of every minute that changed since the last call, for the others to learn. */
  takeChanges(): OwnMinute[] {
    const changes: OwnMinute[] = []
    for (const window of this.#changed) window.takeChanges(changes)
    this.#changed.clear()
    return changes
  }

  /** Drops creatives nobody has shown for an hour. */
  purge(now: number): void {
    for (const [creativeId, window] of this.#windows) {
      window.advance(minuteOf(now))
      if (window.impressions === 0 && window.clicks === 0) this.#windows.delete(creativeId)
    }
  }

  #own(creativeId: string, minute: number, what: number): void {
    const window = this.#windowOf(creativeId, minute)
    const place = window.placeOf(minute)
    if (place < 0) return
    window.add(place + what)
    window.markChanged(minute)
    this.#changed.add(window)
  }

  #windowOf(creativeId: string, minute: number): Window {
    let window = this.#windows.get(creativeId)
    if (window === undefined) {
      this.#windows.set(creativeId, (window = new Window(creativeId, minute)))
    }
    window.advance(minute)
    return window
  }
}

/** What this node counted for a creative in one minute, in all: a later report replaces an earlier one. */
export interface OwnMinute extends CreativeCounts {
  readonly creativeId: string
  /** Minutes since 1970. */
  readonly minute: number
}

export function minuteOf(at: number): number {
  return Math.floor(at / 60_000)
}

/** Invariant: `impressions` and `clicks` are the sums over the cells, and no cell is older than 60 minutes. */
class Window implements CreativeCounts {
  impressions = 0
  clicks = 0
  readonly #creativeId: string
  readonly #cells = new Uint32Array(MINUTES * CELLS)
  readonly #changed = new Set<number>()
  #newest: number

  constructor(creativeId: string, minute: number) {
    this.#creativeId = creativeId
    this.#newest = minute
  }

  /** Makes `minute` the newest if it is newer. A clock that jumped back beyond the window starts anew. */
  advance(minute: number): void {
    if (minute === this.#newest) return
    if (minute > this.#newest + MINUTES || minute <= this.#newest - MINUTES) {
      this.#clear(minute)
      return
    }
    while (this.#newest < minute) this.#empty(++this.#newest)
  }

  /** Index of the minute's first cell, or -1 when the minute lies outside the window. */
  placeOf(minute: number): number {
    const isInside = minute <= this.#newest && minute > this.#newest - MINUTES
    return isInside ? (minute % MINUTES) * CELLS : -1
  }

  add(cell: number): void {
    this.set(cell, (this.#cells[cell] ?? 0) + 1)
  }

  set(cell: number, count: number): void {
    const change = count - (this.#cells[cell] ?? 0)
    this.#cells[cell] = count
    if (cell % 2 === IMPRESSIONS) this.impressions += change
    else this.clicks += change
  }

  markChanged(minute: number): void {
    this.#changed.add(minute)
  }

  takeChanges(into: OwnMinute[]): void {
    for (const minute of this.#changed) {
      const place = this.placeOf(minute)
      if (place < 0) continue
      into.push({
        creativeId: this.#creativeId,
        minute,
        impressions: this.#cells[place + IMPRESSIONS] ?? 0,
        clicks: this.#cells[place + CLICKS] ?? 0,
      })
    }
    this.#changed.clear()
  }

  #empty(minute: number): void {
    const place = (minute % MINUTES) * CELLS
    for (let cell = place; cell < place + CELLS; cell++) this.set(cell, 0)
  }

  #clear(minute: number): void {
    this.#cells.fill(0)
    this.impressions = 0
    this.clicks = 0
    this.#newest = minute
  }
}

const MINUTES = 60
/** Minutes another node's clock may be ahead. */
const AHEAD_MAX = 2
/** Cells of one minute: own impressions, own clicks, then the same of all others. */
const CELLS = 4
const OTHERS = 2
const IMPRESSIONS = 0
const CLICKS = 1

const NONE: CreativeCounts = { impressions: 0, clicks: 0 }
