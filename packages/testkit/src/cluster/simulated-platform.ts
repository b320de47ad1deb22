import type {
  Clock,
  Executor,
  Network,
  Platform,
  Random,
  TimerService,
  TimerTask,
} from '@troupe/actor'
import type { MemoryDisk } from '../memory-disk.ts'

/** What one process needs of its world. */
export interface PlatformHost {
  readonly random: Random
  /** Virtual milliseconds since the world began. Counts readings: see World. */
  readClock(): number
  startTimer(task: TimerTask, delayMs: number, owner: SimulatedPlatform): void
  cancelTimer(task: TimerTask): void
  /** Ends all timers of a process. */
  cancelTimersOf(owner: SimulatedPlatform): void
  enqueue(turn: () => void): void
  portOf(node: string, isUp: () => boolean): Network
}

/** What stays of a node when its process ends. */
export interface Machine {
  readonly name: string
  readonly disk: MemoryDisk
  /** How far the wall clock of this machine is ahead, in milliseconds; may be negative. */
  readonly wallAheadMs: number
}

/**
 * One process's clock, timers, executor, random numbers, disk and network, from its start to its end.
 * Afterwards nothing of it works any more: the actors of a crashed node are still in memory, but they
 * never run again.
 */
export class SimulatedPlatform implements Platform {
  readonly clock: Clock
  readonly timers: TimerService
  readonly random: Random
  readonly executor: Executor
  readonly disk: MemoryDisk
  readonly network: Network
  readonly #host: PlatformHost
  #hasEnded = false
  /** What fell due while the process stood still; undefined while it does not. */
  #missed: { readonly turns: (() => void)[]; readonly timers: TimerTask[] } | undefined

  constructor(host: PlatformHost, machine: Machine, incarnation: number) {
    this.#host = host
    this.disk = machine.disk
    this.random = host.random.fork(`process ${machine.name} ${incarnation}`)
    this.network = host.portOf(machine.name, () => !this.#hasEnded)
    this.clock = {
      monotonicMs: () => host.readClock(),
      wallMs: () => WALL_START_MS + Math.floor(host.readClock() + machine.wallAheadMs),
    }
    const enqueue = (turn: () => void): void => {
      if (!this.#hasEnded) host.enqueue(() => this.#run(turn))
    }
    this.executor = { soon: enqueue, afterIo: enqueue }
    this.timers = {
      start: (task, delayMs) => {
        if (!this.#hasEnded) host.startTimer(task, delayMs, this)
      },
      cancel: (task) => host.cancelTimer(task),
    }
  }

  #run(turn: () => void): void {
    if (this.#hasEnded) return
    if (this.#missed === undefined) turn()
    else this.#missed.turns.push(turn)
  }

  /** A timer of this process is due. */
  due(task: TimerTask): void {
    if (this.#missed === undefined) task.fire()
    else this.#missed.timers.push(task)
  }

  /** Stands still: clocks go on, but no turn is run and no timer fires. */
  pause(): void {
    this.#missed ??= { turns: [], timers: [] }
  }

  /** Goes on, and first does what it missed. */
  resume(): void {
    const missed = this.#missed
    this.#missed = undefined
    if (missed === undefined || this.#hasEnded) return
    for (const turn of missed.turns) this.#host.enqueue(() => this.#run(turn))
    for (const task of missed.timers) this.#host.startTimer(task, 0, this)
  }

  end(): void {
    this.#hasEnded = true
    this.#host.cancelTimersOf(this)
  }
}

/** 2026-01-01, so that stamps look like stamps. */
const WALL_START_MS = 1_767_225_600_000
