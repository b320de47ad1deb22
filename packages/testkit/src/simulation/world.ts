import type { Clock, Executor, Platform, Random, TimerService, TimerTask } from '@troupe/actor'
import { HeapTimers } from '../heap-timers.ts'
import { KeyedRandom } from '../keyed-random.ts'
import { MemoryDisk } from '../memory-disk.ts'
import { settled } from '../real-time.ts'
import { SimulatedNetwork } from './simulated-network.ts'
import { Trace } from './trace.ts'

/**
 * A small world in which whole clusters live: one virtual clock, one list of what happens next, one
 * seed. Nothing in it happens by itself; whoever holds the world runs it, step by step, and the same
 * seed gives the same steps.
 *
 * A step is either a turn of some node's actors, or the next timer or frame that is due, to which time
 * jumps. Between steps all promises settle. So hours pass in milliseconds, and nothing is concurrent.
 */
export class World {
  readonly seed: number
  readonly random: Random
  readonly network: SimulatedNetwork
  readonly trace: Trace
  readonly clock: Clock
  readonly #timers: HeapTimers
  #now = 0
  #turns: (() => void)[] = []
  #steps = 0

  constructor(seed: number, options: { readonly isTraced?: boolean } = {}) {
    this.seed = seed
    this.random = new KeyedRandom(seed)
    this.clock = { monotonicMs: () => this.#now, wallMs: () => WALL_START_MS + Math.floor(this.#now) }
    this.#timers = new HeapTimers(this.clock)
    this.trace = new Trace(this.clock, options.isTraced ?? false)
    this.network = new SimulatedNetwork(this)
  }

  /** Virtual milliseconds since the world began. */
  get now(): number {
    return this.#now
  }

  /** Steps taken so far: a measure of how much has happened. */
  get steps(): number {
    return this.#steps
  }

  /** What one node sees of the world, from one start of the node to its end. */
  platformFor(node: string, incarnation: number, disk: MemoryDisk): SimulatedPlatform {
    return new SimulatedPlatform(this, node, incarnation, disk)
  }

  /** Has `happen` happen in `delayMs`; returns how to prevent it. */
  after(delayMs: number, happen: () => void): () => void {
    const task = timerTask(happen)
    this.#timers.start(task, delayMs)
    return () => this.#timers.cancel(task)
  }

  /** For code that waits in virtual time while somebody else runs the world. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.after(ms, resolve))
  }

  startTimer(task: TimerTask, delayMs: number): void {
    this.#timers.start(task, delayMs)
  }

  cancelTimer(task: TimerTask): void {
    this.#timers.cancel(task)
  }

  /** Queues a turn at the present moment. */
  enqueue(turn: () => void): void {
    this.#turns.push(turn)
  }

  /**
   * Runs until `isDone()`, at most to the moment `until`. False when it was not done by then, or when
   * nothing is left that could happen.
   */
  async run(isDone: () => boolean, until = Infinity): Promise<boolean> {
    await this.#quiesce()
    while (!isDone()) {
      const next = this.#timers.nextDeadlineMs()
      if (next === undefined || next > until) {
        if (until !== Infinity) this.#now = Math.max(this.#now, until)
        await this.#quiesce()
        return isDone()
      }
      this.#now = Math.max(this.#now, next)
      this.#steps++
      this.#timers.fireNext()
      await this.#quiesce()
    }
    return true
  }

  /** Runs until `promise` has settled, and passes its outcome on. */
  async complete<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false
    const settle = (): void => void (isSettled = true)
    promise.then(settle, settle)
    if (!(await this.run(() => isSettled))) throw new Error('nothing can happen any more, and it is still waiting')
    return promise
  }

  /** Lets time pass. */
  async advance(ms: number): Promise<void> {
    await this.run(() => false, this.#now + ms)
  }

  /** Runs all turns there are, and all they lead to, at the present moment. */
  async #quiesce(): Promise<void> {
    await settled()
    while (this.#turns.length > 0) {
      const turns = this.#turns
      this.#turns = []
      for (const turn of turns) turn()
      this.#steps += turns.length
      await settled()
    }
  }
}

/**
 * One node's clock, timers, executor, random numbers, disk and network. After `end` nothing of it
 * works any more: the actors of a crashed node are still in memory, but they never run again.
 */
export class SimulatedPlatform implements Platform {
  readonly clock: Clock
  readonly timers: TimerService
  readonly random: Random
  readonly executor: Executor
  readonly disk: MemoryDisk
  readonly network: ReturnType<SimulatedNetwork['portOf']>
  readonly #world: World
  readonly #running = new Set<TimerTask>()
  #hasEnded = false

  constructor(world: World, node: string, incarnation: number, disk: MemoryDisk) {
    this.#world = world
    this.clock = world.clock
    this.disk = disk
    this.random = world.random.fork(`node ${node} ${incarnation}`)
    this.network = world.network.portOf(node, () => !this.#hasEnded)
    const enqueue = (turn: () => void): void => world.enqueue(() => this.#live(turn))
    this.executor = { soon: enqueue, afterIo: enqueue }
    this.timers = {
      start: (task, delayMs) => this.#start(task, delayMs),
      cancel: (task) => {
        this.#running.delete(task)
        world.cancelTimer(task)
      },
    }
  }

  #live(turn: () => void): void {
    if (!this.#hasEnded) turn()
  }

  #start(task: TimerTask, delayMs: number): void {
    if (this.#hasEnded) return
    this.#running.add(task)
    this.#world.startTimer(task, delayMs)
  }

  end(): void {
    this.#hasEnded = true
    for (const task of this.#running) this.#world.cancelTimer(task)
    this.#running.clear()
  }
}

export function timerTask(fire: () => void): TimerTask {
  return { deadlineMs: 0, previous: null, next: null, slot: -1, fire }
}

/** 2026-01-01, so that stamps look like stamps. */
const WALL_START_MS = 1_767_225_600_000
