import type { Clock, Network, Random, TimerTask } from '@troupe/actor'
import { TestKitError } from '../errors.ts'
import { HeapTimers } from '../heap-timers.ts'
import { KeyedRandom } from '../keyed-random.ts'
import { settled } from '../real-time.ts'
import { HostGuard } from './host-guard.ts'
import { SimulatedNetwork } from './simulated-network.ts'
import { type Machine, type PlatformHost, SimulatedPlatform } from './simulated-platform.ts'
import { Trace } from './trace.ts'

/**
 * A small world in which whole clusters live: one virtual clock, one list of what happens next, one
 * seed. Nothing in it happens by itself; whoever waits for something runs it, step by step, and the
 * same seed gives the same steps.
 *
 * A step is a timer or a frame that is due, to which time jumps, with all the turns of actors it leads
 * to. Between steps all promises settle. So hours pass in milliseconds, and nothing is concurrent.
 */
export class World implements PlatformHost {
  readonly seed: number
  readonly random: Random
  readonly network: SimulatedNetwork
  readonly trace: Trace
  readonly #timers: HeapTimers
  /** Whose timers they are; those of the world itself have no owner. */
  readonly #owners = new Map<TimerTask, SimulatedPlatform>()
  readonly #guard: HostGuard
  #now = 0
  #turns: (() => void)[] = []
  #steps = 0
  #readings = 0
  #firedNow = 0
  #failure: { readonly error: unknown } | undefined
  /** Settles when the one who runs the world at present stops doing so. */
  #driver: Promise<unknown> | undefined

  constructor(seed: number, options: { readonly isTraced?: boolean } = {}) {
    this.seed = seed
    this.random = new KeyedRandom(seed)
    const clock: Clock = { monotonicMs: () => this.#now, wallMs: () => this.#now }
    this.#timers = new HeapTimers(clock)
    this.trace = new Trace(clock, options.isTraced ?? false)
    this.network = new SimulatedNetwork(this)
    this.#guard = new HostGuard((error) => (this.#failure ??= { error }))
  }

  /** Virtual milliseconds since the world began. */
  get now(): number {
    return this.#now
  }

  /** Timers fired and turns run so far: a measure of how much has happened. */
  get steps(): number {
    return this.#steps
  }

  // ---- waiting ----

  /**
   * Resolves or rejects as `promise` does. The world runs meanwhile: whoever waits first runs it, all
   * others that wait are served along the way. An error when nothing can happen any more, or not
   * before the moment `until`, and the promise is still open.
   */
  async complete<T>(promise: Promise<T>, until: number = Infinity): Promise<T> {
    let isSettled = false
    const settle = (): void => void (isSettled = true)
    promise.then(settle, settle)
    while (!isSettled) {
      if (this.#driver !== undefined) await Promise.race([promise, this.#driver])
      else if (!(await this.#driveUntil(() => isSettled, until))) {
        throw new TestKitError(
          'NEVER_SETTLES',
          until === Infinity
            ? 'nothing can happen any more, and somebody still waits'
            : `somebody still waits after ${until} virtual ms`,
        )
      }
    }
    return promise
  }

  /** Nobody waits for `promise`; if it fails, so does the whole run. */
  background(promise: Promise<unknown>): void {
    promise.catch((error: unknown) => (this.#failure ??= { error }))
  }

  /** Lets time pass. */
  sleep(ms: number): Promise<void> {
    return this.complete(new Promise<void>((resolve) => this.after(ms, resolve)))
  }

  /** Resolves when nothing can happen any more without time passing. */
  settle(): Promise<void> {
    return this.sleep(0)
  }

  // ---- what happens ----

  /** Has `happen` happen in `delayMs`. */
  after(delayMs: number, happen: () => void): void {
    this.#timers.start(timerTask(happen), delayMs)
  }

  readClock(): number {
    // Dispatchers look at the clock every few turns, so actors that keep each other busy for ever end here.
    if (++this.#readings > READINGS_MAX)
      throw neverSettles(`the clock was read ${READINGS_MAX} times`)
    return this.#now
  }

  startTimer(task: TimerTask, delayMs: number, owner: SimulatedPlatform): void {
    this.#timers.start(task, delayMs)
    this.#owners.set(task, owner)
  }

  cancelTimer(task: TimerTask): void {
    this.#timers.cancel(task)
    this.#owners.delete(task)
  }

  cancelTimersOf(owner: SimulatedPlatform): void {
    for (const [task, each] of this.#owners) if (each === owner) this.cancelTimer(task)
  }

  enqueue(turn: () => void): void {
    this.#turns.push(turn)
  }

  portOf(node: string, isUp: () => boolean): Network {
    return this.network.portOf(node, isUp)
  }

  /** What one process sees of the world, from its start to its end. */
  platformFor(machine: Machine, incarnation: number): SimulatedPlatform {
    return new SimulatedPlatform(this, machine, incarnation)
  }

  // ---- running ----

  async #driveUntil(isDone: () => boolean, until: number): Promise<boolean> {
    let stopped: () => void = () => {}
    this.#driver = new Promise<void>((resolve) => (stopped = resolve))
    const release = this.#guard.enter()
    try {
      return await this.#drive(isDone, until)
    } catch (error) {
      // What was half done cannot be finished: nobody runs this world again.
      this.#failure ??= { error }
      throw error
    } finally {
      release()
      this.#driver = undefined
      stopped()
    }
  }

  async #drive(isDone: () => boolean, until: number): Promise<boolean> {
    await this.#quiesce()
    while (!isDone()) {
      const next = this.#timers.nextDeadlineMs()
      if (next === undefined || next > until) return false
      if (next > this.#now) this.#moveTo(next)
      const task = this.#timers.takeDue(next) as TimerTask
      this.#fire(task)
      await this.#quiesce()
    }
    return true
  }

  #moveTo(now: number): void {
    this.#now = now
    this.#readings = 0
    this.#firedNow = 0
  }

  #fire(task: TimerTask): void {
    this.#steps++
    if (++this.#firedNow > FIRED_MAX) throw neverSettles(`${FIRED_MAX} timers fired`)
    const owner = this.#owners.get(task)
    this.#owners.delete(task)
    if (owner === undefined) task.fire()
    else owner.due(task)
  }

  /** Runs all turns there are, and all they lead to, at the present moment. */
  async #quiesce(): Promise<void> {
    do {
      for (let turns = this.#turns; turns.length > 0; turns = this.#turns) {
        this.#turns = []
        this.#steps += turns.length
        for (const turn of turns) turn()
      }
      await settled()
      if (this.#failure !== undefined) throw this.#failure.error
    } while (this.#turns.length > 0)
  }
}

function neverSettles(what: string): TestKitError {
  return new TestKitError(
    'NEVER_SETTLES',
    `${what} at one virtual moment: something keeps itself busy for ever, such as two actors that ` +
      'answer each other or a timer without a delay that starts itself again',
  )
}

function timerTask(fire: () => void): TimerTask {
  return { deadlineMs: 0, previous: null, next: null, slot: -1, fire }
}

const READINGS_MAX = 200_000
const FIRED_MAX = 200_000
