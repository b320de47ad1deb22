import type { Clock, Executor } from '../platform.ts'
import { Ring } from './ring.ts'
import type { SystemCore } from './system-core.ts'

/** What a dispatcher runs. */
export interface Runnable {
  run(throughput: number): void
}

/**
 * Decides which actor runs next, and for how long.
 *
 * Actors with work wait in a queue. Each runs for at most `throughput` messages and then goes to the
 * back: no actor starves another. After `budgetMs` the rest waits until sockets and timers of the
 * host had their chance: actors do not starve the world.
 *
 * Idle to busy goes through a microtask (46 ns), going on after the budget through the executor's
 * `afterIo` (a microtask there would never let I/O in). Actors and promises that wake each other up in
 * turn are never idle, and yet each of their turns is short: so the budget also counts from start to
 * start, looked at every few of them.
 *
 * The clock is read only every few messages, because one reading costs as much as five of them. When
 * that turns out too rare (handlers that compute for a while) it is read after fewer, and in the end
 * each actor runs for fewer.
 */
export class Dispatcher {
  readonly system: SystemCore
  /** The actor whose turn it is; null between turns. */
  current: Runnable | null = null
  /** Messages handled by all actors of the system so far. */
  processed = 0

  readonly #clock: Clock
  readonly #executor: Executor
  readonly #throughput: number
  readonly #budgetMs: number
  readonly #queue = new Ring()
  #isArmed = false
  #starts = 0
  /** When I/O certainly had its chance. */
  #ioAt = -Infinity
  /** How many messages are handled between two readings of the clock, and how many of them by one actor. */
  #stride = 1
  #turn: number
  readonly #drain = (): void => this.#run()
  readonly #drainAfterIo = (): void => {
    this.#ioAt = this.#clock.monotonicMs()
    this.#run()
  }

  constructor(
    system: SystemCore,
    clock: Clock,
    executor: Executor,
    throughput: number,
    budgetMs: number,
  ) {
    this.system = system
    this.#clock = clock
    this.#executor = executor
    this.#throughput = throughput
    this.#turn = throughput
    this.#budgetMs = budgetMs
  }

  /** Queues an actor that has work. The actor sees to it that it is queued at most once. */
  ready(actor: Runnable): void {
    this.#queue.push(actor)
    if (!this.#isArmed) {
      this.#isArmed = true
      if (this.#mayStartSoon()) this.#executor.soon(this.#drain)
      else this.#executor.afterIo(this.#drainAfterIo)
    }
  }

  #mayStartSoon(): boolean {
    if (++this.#starts % STARTS_PER_READING !== 0) return true
    return this.#clock.monotonicMs() - this.#ioAt < this.#budgetMs
  }

  #run(): void {
    // Short turns never read the clock: the first reading is where the budget begins.
    let readAt = -1
    let endsAt = Infinity
    let left = this.#stride
    try {
      for (;;) {
        const actor = this.#queue.take() as Runnable | undefined
        if (actor === undefined) break
        this.current = actor
        const before = this.processed
        actor.run(this.#turn)
        // At least one, because signals and timers count as none.
        left -= this.processed - before || 1
        if (left > 0) continue
        left = this.#stride
        const now = this.#clock.monotonicMs()
        if (readAt < 0) endsAt = now + this.#budgetMs
        else this.#adapt(now - readAt)
        readAt = now
        if (now >= endsAt && !this.#queue.isEmpty) {
          this.current = null
          this.#executor.afterIo(this.#drainAfterIo)
          return
        }
      }
    } catch (error) {
      // Actors handle what their behaviors throw; this is a fault of the runtime, or of its logger.
      // The others go on.
      this.current = null
      this.#executor.afterIo(this.#drainAfterIo)
      throw error
    }
    this.current = null
    this.#isArmed = false
  }

  /** `tookMs`: the time between the last two readings of the clock. */
  #adapt(tookMs: number): void {
    if (tookMs > this.#budgetMs) {
      if (this.#stride > 1) this.#stride >>= 1
      else if (this.#turn > 1) this.#turn >>= 1
    } else if (tookMs * 4 < this.#budgetMs) {
      if (this.#turn < this.#throughput) this.#turn = Math.min(this.#throughput, this.#turn * 2)
      else if (this.#stride < STRIDE_MAX) this.#stride <<= 1
    }
  }
}

const STRIDE_MAX = 32
const STARTS_PER_READING = 4
