import type { Clock, Executor } from '../platform.ts'
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
 * `afterIo` (a microtask there would never let I/O in). The clock is read only every few actors: one
 * reading costs as much as five messages.
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
  #queue: (Runnable | undefined)[] = Array.from({ length: 256 }, () => undefined)
  #mask = 255
  #head = 0
  #tail = 0
  #armed = false
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
    this.#budgetMs = budgetMs
  }

  /** Queues an actor that has work. The actor sees to it that it is queued at most once. */
  ready(actor: Runnable): void {
    this.#queue[this.#tail] = actor
    this.#tail = (this.#tail + 1) & this.#mask
    if (this.#tail === this.#head) this.#grow()
    if (!this.#armed) {
      this.#armed = true
      this.#executor.soon(this.#drain)
    }
  }

  #run(): void {
    const endsAt = this.#clock.monotonicMs() + this.#budgetMs
    let untilClock = ACTORS_PER_CLOCK_READING
    while (this.#head !== this.#tail) {
      const actor = this.#queue[this.#head] as Runnable
      this.#queue[this.#head] = undefined
      this.#head = (this.#head + 1) & this.#mask
      this.current = actor
      actor.run(this.#throughput)
      if (--untilClock === 0) {
        untilClock = ACTORS_PER_CLOCK_READING
        if (this.#clock.monotonicMs() > endsAt && this.#head !== this.#tail) {
          this.current = null
          this.#executor.afterIo(this.#drain)
          return
        }
      }
    }
    this.current = null
    this.#armed = false
  }

  #grow(): void {
    const old = this.#queue
    const size = old.length
    const queue: (Runnable | undefined)[] = Array.from({ length: size * 2 }, () => undefined)
    for (let i = 0; i < size; i++) queue[i] = old[(this.#head + i) & this.#mask]
    this.#queue = queue
    this.#head = 0
    this.#tail = size
    this.#mask = size * 2 - 1
  }
}

const ACTORS_PER_CLOCK_READING = 16
