import type { Clock, Executor, Platform } from '@troupe/actor'
import { type Duration, durationMs } from './duration.ts'
import { TestKitError } from './errors.ts'
import { HeapTimers } from './heap-timers.ts'
import { KeyedRandom } from './keyed-random.ts'
import { MemoryDisk } from './memory-disk.ts'
import { settled } from './real-time.ts'

/**
 * Time in the hands of a test. It moves only in `advance`, and then from timer to timer: each fires
 * at its exact moment, and what it sets off has come to rest before the next one fires.
 *
 * One clock may serve several systems. Real I/O does not wait for it: tests of files and sockets
 * use real time.
 */
export class ManualClock implements Clock {
  readonly timers: HeapTimers = new HeapTimers(this)
  /** Runs the turns of actors, and keeps count of them to know when they have come to rest. */
  readonly executor: Executor
  #nowMs: number
  #wallAheadMs: number
  #turns = 0
  /** Turns, readings of the clock, and timers fired since anything was known to have come to rest. */
  #turnsSinceRest = 0
  #readings = 0
  #fired = 0
  #failure: unknown
  #last: Promise<void> = Promise.resolve()

  /** `wallMs`: what the wall clock shows at the start; default 2026-01-01. The other clock starts at 0. */
  constructor(wallMs: number = WALL_START_MS) {
    this.#nowMs = 0
    this.#wallAheadMs = wallMs
    const run = (turn: () => void): void => {
      // After a failure nothing goes on: `settle` and `advance` tell the test.
      if (this.#failure !== undefined) return
      this.#turns++
      if (++this.#turnsSinceRest > TURNS_MAX) {
        this.#failure = neverSettles(`actors took ${TURNS_MAX} turns without coming to rest`)
        return
      }
      Promise.resolve()
        .then(turn)
        .catch((error: unknown) => (this.#failure ??= error))
    }
    this.executor = { soon: run, afterIo: run }
  }

  monotonicMs(): number {
    // Dispatchers look at the clock every few turns, so actors that keep each other busy for ever end here.
    if (++this.#readings > READINGS_MAX) {
      throw neverSettles(`the clock was read ${READINGS_MAX} times without coming to rest`)
    }
    return this.#nowMs
  }

  wallMs(): number {
    return Math.floor(this.#wallAheadMs + this.#nowMs)
  }

  /** Sets the wall clock forward, or back with a negative number, as an administrator would. */
  jumpWall(byMs: number): void {
    this.#wallAheadMs += byMs
  }

  /** Lets time pass. Resolves when all timers that fell due have fired, and their consequences are over. */
  advance(by: Duration): Promise<void> {
    const byMs = durationMs(by)
    const done = this.#last.then(() => this.#advance(byMs))
    this.#last = done.catch(() => undefined)
    return done
  }

  async #advance(byMs: number): Promise<void> {
    const until = this.#nowMs + byMs
    await this.settle()
    for (;;) {
      const next = this.timers.nextDeadlineMs()
      if (next === undefined || next > until) break
      if (next > this.#nowMs) this.#moveTo(next)
      await this.settle()
    }
    this.#moveTo(until)
  }

  #moveTo(nowMs: number): void {
    this.#nowMs = nowMs
    this.#fired = 0
  }

  /** Fires what is due already, and resolves when actors and promises have come to rest. */
  async settle(): Promise<void> {
    await this.#quiet()
    for (;;) {
      const task = this.timers.takeDue(this.#nowMs)
      if (task === undefined) return
      if (++this.#fired > FIRED_MAX) {
        throw neverSettles(`${FIRED_MAX} timers fired at the same moment`)
      }
      task.fire()
      await this.#quiet()
    }
  }

  async #quiet(): Promise<void> {
    let turns: number
    do {
      turns = this.#turns
      await settled()
    } while (turns !== this.#turns)
    this.#readings = 0
    this.#turnsSinceRest = 0
    if (this.#failure !== undefined) throw this.#failure
  }
}

export interface ManualPlatformOptions {
  /** Shared with other systems of the test. Default: a clock of its own. */
  readonly clock?: ManualClock
  /** The same seed gives the same random numbers and ids. Default 1. */
  readonly seed?: number | string
  /** Survives the system that writes to it. Default: a disk of its own. */
  readonly disk?: MemoryDisk
}

/** A platform on which nothing happens by itself: time, timers and chance are the test's. */
export interface ManualPlatform extends Platform {
  readonly clock: ManualClock
  readonly disk: MemoryDisk
}

export function manualPlatform(options: ManualPlatformOptions = {}): ManualPlatform {
  const clock = options.clock ?? new ManualClock()
  return {
    clock,
    timers: clock.timers,
    executor: clock.executor,
    random: new KeyedRandom(options.seed ?? 1),
    disk: options.disk ?? new MemoryDisk(),
  }
}

function neverSettles(what: string): TestKitError {
  return new TestKitError(
    'NEVER_SETTLES',
    `${what}: something keeps itself busy for ever while time stands still, ` +
      'such as two actors that answer each other or a timer without a delay that starts itself again',
  )
}

const WALL_START_MS = 1_767_225_600_000
const TURNS_MAX = 1_000_000
const READINGS_MAX = 200_000
const FIRED_MAX = 200_000
