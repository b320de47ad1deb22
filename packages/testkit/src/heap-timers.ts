import type { Clock, TimerService, TimerTask } from '@troupe/actor'

/**
 * Timers for clocks that are moved by hand. Exact to the fraction of a millisecond, and in a fixed
 * order: by deadline, then by when they were started. Nothing fires by itself; whoever moves the
 * clock also fires what has become due.
 *
 * Intuition: a binary heap; the next to fire lies on top. A task's `slot` is its place in the heap,
 * so that cancelling needs no search.
 */
export class HeapTimers implements TimerService {
  readonly #clock: Clock
  readonly #tasks: TimerTask[] = []
  /** When each task was started: a count, in parallel to `#tasks`. */
  readonly #orders: number[] = []
  #started = 0

  /** `clock`: deadlines are counted from its time. */
  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** How many timers are running. */
  get size(): number {
    return this.#tasks.length
  }

  start(task: TimerTask, delayMs: number): void {
    if (!(delayMs >= 0)) throw new RangeError(`a timer's delay must be >= 0 ms, got ${delayMs}`)
    this.cancel(task)
    task.deadlineMs = this.#clock.monotonicMs() + delayMs
    this.#rise(this.#tasks.length, task, ++this.#started)
  }

  cancel(task: TimerTask): void {
    if (task.slot >= 0) this.#remove(task.slot)
  }

  /** When the next timer is due; undefined when none is running. */
  nextDeadlineMs(): number | undefined {
    return this.#tasks[0]?.deadlineMs
  }

  /** Takes out the next timer that is due at `nowMs`, for the caller to fire. */
  takeDue(nowMs: number): TimerTask | undefined {
    const next = this.#tasks[0]
    if (next === undefined || next.deadlineMs > nowMs) return undefined
    this.#remove(0)
    return next
  }

  /** Fires the next timer, whenever it is due. False when none is running. */
  fireNext(): boolean {
    const next = this.takeDue(Infinity)
    next?.fire()
    return next !== undefined
  }

  #remove(slot: number): void {
    const removed = this.#tasks[slot] as TimerTask
    const last = this.#tasks.pop() as TimerTask
    const order = this.#orders.pop() as number
    removed.slot = -1
    if (removed === last) return
    // The last one takes the free place, and goes up or down from there.
    this.#rise(slot, last, order)
    if (last.slot === slot) this.#sink(slot, last, order)
  }

  #rise(from: number, task: TimerTask, order: number): void {
    let slot = from
    while (slot > 0) {
      const parent = (slot - 1) >> 1
      if (!this.#comesBefore(task, order, parent)) break
      this.#put(slot, this.#tasks[parent] as TimerTask, this.#orders[parent] as number)
      slot = parent
    }
    this.#put(slot, task, order)
  }

  #sink(from: number, task: TimerTask, order: number): void {
    let slot = from
    for (;;) {
      const left = slot * 2 + 1
      if (left >= this.#tasks.length) break
      const child = this.#earlierOf(left, left + 1)
      if (this.#comesBefore(task, order, child)) break
      this.#put(slot, this.#tasks[child] as TimerTask, this.#orders[child] as number)
      slot = child
    }
    this.#put(slot, task, order)
  }

  #earlierOf(left: number, right: number): number {
    const task = this.#tasks[right]
    if (task === undefined) return left
    return this.#comesBefore(task, this.#orders[right] as number, left) ? right : left
  }

  #comesBefore(task: TimerTask, order: number, slot: number): boolean {
    const other = this.#tasks[slot] as TimerTask
    return task.deadlineMs === other.deadlineMs
      ? order < (this.#orders[slot] as number)
      : task.deadlineMs < other.deadlineMs
  }

  #put(slot: number, task: TimerTask, order: number): void {
    this.#tasks[slot] = task
    this.#orders[slot] = order
    task.slot = slot
  }
}
