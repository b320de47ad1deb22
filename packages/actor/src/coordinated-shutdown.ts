import { reasonOf } from './errors.ts'
import type { Logger } from './logger.ts'
import type { Platform, TimerTask } from './platform.ts'

/** The phases in which a system goes down, first to last. */
export const SHUTDOWN_PHASES = [
  'before-service-unbind',
  'service-unbind',
  'service-requests-done',
  'service-stop',
  'before-cluster-shutdown',
  'cluster-sharding-shutdown-region',
  'cluster-leave',
  'cluster-exiting',
  'cluster-exiting-done',
  'cluster-shutdown',
  'before-actor-system-terminate',
  'actor-system-terminate',
] as const
export type ShutdownPhase = (typeof SHUTDOWN_PHASES)[number]

/**
 * Takes a system down in order. The tasks of a phase run side by side; the next phase begins when
 * all are done, have failed, or the phase's time is up. Runs once: later calls join the first run.
 */
export class CoordinatedShutdown {
  readonly #platform: Platform
  readonly #log: Logger
  readonly #timeoutMs: number
  readonly #tasks = new Map<ShutdownPhase, Task[]>()
  readonly #timeouts = new Map<ShutdownPhase, number>()
  #run: Promise<void> | undefined
  #reason: string | undefined

  constructor(platform: Platform, log: Logger, timeoutMs: number) {
    this.#platform = platform
    this.#log = log
    this.#timeoutMs = timeoutMs
  }

  /** Why the system goes down; undefined while it does not. */
  get reason(): string | undefined {
    return this.#reason
  }

  /** Adds a task; returns how to take it out again. */
  addTask(phase: ShutdownPhase, name: string, work: () => Promise<void> | void): () => void {
    const task: Task = { name, work }
    const tasks = this.#tasks.get(phase) ?? []
    this.#tasks.set(phase, tasks)
    tasks.push(task)
    return () => {
      const index = tasks.indexOf(task)
      if (index >= 0) tasks.splice(index, 1)
    }
  }

  /** Gives a phase more (or less) time than the system's setting, in milliseconds. */
  phaseTimeout(phase: ShutdownPhase, timeoutMs: number): void {
    this.#timeouts.set(phase, timeoutMs)
  }

  run(reason: string): Promise<void> {
    this.#reason ??= reason
    return (this.#run ??= this.#phases())
  }

  async #phases(): Promise<void> {
    for (const phase of SHUTDOWN_PHASES) {
      const tasks = this.#tasks.get(phase)
      if (tasks === undefined || tasks.length === 0) continue
      const timeoutMs = this.#timeouts.get(phase) ?? this.#timeoutMs
      const work = Promise.all(tasks.map((task) => this.#attempt(phase, task)))
      if (!(await this.#within(timeoutMs, work))) {
        this.#log.warn({ phase, timeoutMs }, 'shutdown phase timed out')
      }
    }
  }

  async #attempt(phase: ShutdownPhase, task: Task): Promise<void> {
    try {
      await task.work()
    } catch (error) {
      this.#log.warn({ phase, task: task.name, reason: reasonOf(error) }, 'shutdown task failed')
    }
  }

  #within(timeoutMs: number, work: Promise<unknown>): Promise<boolean> {
    return new Promise((resolve) => {
      const timer: TimerTask = {
        deadlineMs: 0,
        previous: null,
        next: null,
        slot: -1,
        fire: () => resolve(false),
      }
      this.#platform.timers.start(timer, timeoutMs)
      void work.then(() => {
        this.#platform.timers.cancel(timer)
        resolve(true)
      })
    })
  }
}

interface Task {
  readonly name: string
  readonly work: () => Promise<void> | void
}
