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
 * `afterIo` (a microtask there would never let I/O in). The clock is read only every few actors,
 * because one reading costs as much as five messages. When that turns out too rare (handlers that
 * compute for a while) it is read after fewer actors, and in the end each runs for fewer messages.
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
  /** How many actors run between two readings of the clock, and how many messages each may handle. */
  #stride = STRIDE_MAX
  #turn: number
  readonly #drain = (): void => this.#run()

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
      this.#executor.soon(this.#drain)
    }
  }

  #run(): void {
    let readAt = this.#clock.monotonicMs()
    const endsAt = readAt + this.#budgetMs
    let left = this.#stride
    try {
      for (;;) {
        const actor = this.#queue.take() as Runnable | undefined
        if (actor === undefined) break
        this.current = actor
        actor.run(this.#turn)
        if (--left > 0) continue
        const now = this.#clock.monotonicMs()
        this.#adapt(now - readAt)
        if (now >= endsAt && !this.#queue.isEmpty) {
          this.current = null
          this.#executor.afterIo(this.#drain)
          return
        }
        readAt = now
        left = this.#stride
      }
    } catch (error) {
      // Actors handle what their behaviors throw; this is a fault of the runtime, or of its logger.
      // The others go on.
      this.current = null
      this.#executor.afterIo(this.#drain)
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

const STRIDE_MAX = 16
