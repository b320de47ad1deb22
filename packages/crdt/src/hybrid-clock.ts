import { REPLICA_ID_BYTES_MAX, type Replica, type Stamp } from './crdt.ts'
import { CrdtError } from './errors.ts'

export interface HybridClockOptions {
  /** Wall time in milliseconds; it may jump. */
  readonly wallMs: () => number
  /** Stamps further ahead of the wall clock than this are refused. Default: 60 seconds. */
  readonly aheadMaxMs?: number
}

/**
 * Stamps that are close to wall time and yet never go back: each is later than all that this replica
 * has given or seen, so whoever overwrites what he has seen wins, whatever the clocks say. A peer whose
 * clock is wrong cannot drag the others along: stamps too far ahead are refused and counted.
 * Source: hybrid logical clocks (Kulkarni et al., 2014).
 */
export class HybridClock implements Replica {
  readonly id: string
  readonly #now: () => number
  readonly #aheadMaxMs: number
  #wallMs = 0
  #counter = 0
  #refused = 0

  constructor(id: string, options: HybridClockOptions) {
    if (id.length === 0 || new TextEncoder().encode(id).length > REPLICA_ID_BYTES_MAX) {
      throw new CrdtError('INVALID_REPLICA_ID', `a replica id has 1 to 64 bytes, got ${id.length}`)
    }
    this.id = id
    this.#now = options.wallMs
    this.#aheadMaxMs = options.aheadMaxMs ?? AHEAD_MAX_MS
  }

  /** Stamps refused so far because they were too far ahead. */
  get refused(): number {
    return this.#refused
  }

  stamp(): Stamp {
    const wallMs = this.#readWall()
    if (wallMs > this.#wallMs) {
      this.#wallMs = wallMs
      this.#counter = 0
    } else if (this.#counter < COUNTER_MAX) this.#counter++
    else {
      this.#wallMs++
      this.#counter = 0
    }
    return { wallMs: this.#wallMs, counter: this.#counter, replica: this.id }
  }

  observe(stamp: Stamp): boolean {
    const { wallMs, counter } = stamp
    if (wallMs < this.#wallMs || (wallMs === this.#wallMs && counter <= this.#counter)) return true
    if (wallMs > this.#readWall() + this.#aheadMaxMs) {
      this.#refused++
      return false
    }
    this.#wallMs = wallMs
    this.#counter = counter
    return true
  }

  #readWall(): number {
    const wallMs = Math.floor(this.#now())
    if (wallMs >= 0 && wallMs <= WALL_MS_MAX) return wallMs
    throw new CrdtError(
      'INVALID_CLOCK',
      `the wall clock says ${wallMs}; expected milliseconds since 1970`,
    )
  }
}

/** Negative when `a` is earlier, 0 when they are the same stamp. */
export function compareStamps(a: Stamp, b: Stamp): number {
  if (a.wallMs !== b.wallMs) return a.wallMs - b.wallMs
  if (a.counter !== b.counter) return a.counter - b.counter
  if (a.replica === b.replica) return 0
  return a.replica < b.replica ? -1 : 1
}

const AHEAD_MAX_MS = 60_000
/** Stamps of one millisecond; beyond it the clock runs ahead of the wall by one. */
export const COUNTER_MAX = 65_535
/** So that differences of times can be written; far enough. */
export const WALL_MS_MAX: number = 2 ** 52 - 1
