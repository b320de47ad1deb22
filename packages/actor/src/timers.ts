import type { ActorRef } from './actor-ref.ts'
import type { Platform, TimerTask } from './platform.ts'

/**
 * The timers of one actor, each under a key. Starting a key again replaces its timer. A cancelled or
 * replaced timer never delivers afterwards, even if its message is already in the mailbox.
 */
export interface TimerScheduler<in M> {
  /** Delivers `message` once, not before `delayMs` have passed. */
  startSingleTimer(key: string, message: M, delayMs: number): void
  /**
   * Delivers `message` again and again, `delayMs` after the previous delivery was due. Never in
   * bursts: while one delivery waits in the mailbox no other is added.
   */
  startTimerWithFixedDelay(key: string, message: M, delayMs: number, initialDelayMs?: number): void
  /** Delivers `message` at multiples of `intervalMs`; after a pause the missed ones come in a burst. */
  startTimerAtFixedRate(key: string, message: M, intervalMs: number, initialDelayMs?: number): void
  isTimerActive(key: string): boolean
  cancel(key: string): void
  cancelAll(): void
}

/**
 * Keeps an actor's timers. What fires goes through the mailbox as the timer itself; the cell hands it
 * to `take` when its turn comes, and only a timer that is still the current one of its key yields its message.
 */
export class Timers implements TimerScheduler<unknown> {
  readonly #platform: Platform
  readonly #deliver: (timer: ActorTimer) => void
  readonly #checkTurn: (call: string) => void
  readonly #active = new Map<string, ActorTimer>()

  /** `checkTurn` throws when the actor's turn is over. */
  constructor(
    platform: Platform,
    deliver: (timer: ActorTimer) => void,
    checkTurn: (call: string) => void,
  ) {
    this.#platform = platform
    this.#deliver = deliver
    this.#checkTurn = checkTurn
  }

  startSingleTimer(key: string, message: unknown, delayMs: number): void {
    this.#start(key, message, 'Single', checkDelay(delayMs), delayMs)
  }

  startTimerWithFixedDelay(
    key: string,
    message: unknown,
    delayMs: number,
    initialDelayMs: number = delayMs,
  ): void {
    this.#start(key, message, 'FixedDelay', checkInterval(delayMs), initialDelayMs)
  }

  startTimerAtFixedRate(
    key: string,
    message: unknown,
    intervalMs: number,
    initialDelayMs: number = intervalMs,
  ): void {
    this.#start(key, message, 'FixedRate', checkInterval(intervalMs), initialDelayMs)
  }

  isTimerActive(key: string): boolean {
    return this.#active.has(key)
  }

  cancel(key: string): void {
    this.#checkTurn('timers.cancel')
    this.#cancel(key)
  }

  cancelAll(): void {
    this.#checkTurn('timers.cancelAll')
    this.end()
  }

  /** As `cancelAll`, by the runtime. */
  end(): void {
    for (const timer of this.#active.values()) this.#platform.timers.cancel(timer)
    this.#active.clear()
  }

  #cancel(key: string): void {
    const timer = this.#active.get(key)
    if (timer === undefined) return
    this.#active.delete(key)
    this.#platform.timers.cancel(timer)
  }

  /** The message of a timer that came out of the mailbox; undefined when it was cancelled or replaced meanwhile. */
  take(timer: ActorTimer): unknown {
    if (this.#active.get(timer.key) !== timer) return undefined
    timer.isQueued = false
    if (timer.mode === 'Single') this.#active.delete(timer.key)
    return timer.message
  }

  #start(key: string, message: unknown, mode: Mode, everyMs: number, delayMs: number): void {
    this.#checkTurn('timers.start')
    checkDelay(delayMs)
    this.#cancel(key)
    const timer = new ActorTimer(this, key, message, mode, everyMs)
    this.#active.set(key, timer)
    timer.dueAt = this.#platform.clock.monotonicMs() + delayMs
    this.#platform.timers.start(timer, delayMs)
  }

  /** The time has come: send it through the mailbox, and start the next round of a repeating one. */
  fired(timer: ActorTimer): void {
    if (this.#active.get(timer.key) !== timer) return
    if (timer.mode === 'Single') return this.#deliver(timer)
    const now = this.#platform.clock.monotonicMs()
    if (timer.mode === 'FixedDelay') {
      if (!timer.isQueued) {
        timer.isQueued = true
        this.#deliver(timer)
      }
      timer.dueAt = now + timer.everyMs
    } else {
      // All that a pause, or the coarse ticks of a wheel, made late; the timer itself was due in any case.
      do {
        this.#deliver(timer)
        timer.dueAt += timer.everyMs
      } while (timer.dueAt <= now)
    }
    this.#platform.timers.start(timer, Math.max(0, timer.dueAt - now))
  }
}

type Mode = 'Single' | 'FixedDelay' | 'FixedRate'

/** One timer of one actor; lies in the platform's wheel while it runs. */
export class ActorTimer implements TimerTask {
  readonly #owner: Timers
  readonly key: string
  readonly message: unknown
  readonly mode: Mode
  readonly everyMs: number
  dueAt = 0
  /** A delivery is in the mailbox; kept for fixed delays only. */
  isQueued = false
  deadlineMs = 0
  previous: TimerTask | null = null
  next: TimerTask | null = null
  slot = -1

  constructor(owner: Timers, key: string, message: unknown, mode: Mode, everyMs: number) {
    this.#owner = owner
    this.key = key
    this.message = message
    this.mode = mode
    this.everyMs = everyMs
  }

  fire(): void {
    this.#owner.fired(this)
  }
}

/** Sends one message later; belongs to nobody, cannot be cancelled. */
export class ScheduledMessage<T> implements TimerTask {
  readonly #target: ActorRef<T>
  readonly #message: T
  deadlineMs = 0
  previous: TimerTask | null = null
  next: TimerTask | null = null
  slot = -1

  constructor(target: ActorRef<T>, message: T) {
    this.#target = target
    this.#message = message
  }

  fire(): void {
    this.#target.tell(this.#message)
  }
}

function checkDelay(delayMs: number): number {
  if (!(delayMs >= 0 && delayMs <= DELAY_MAX_MS)) {
    throw new RangeError(`a timer's delay must be 0 to ${DELAY_MAX_MS} ms, got ${delayMs}`)
  }
  return delayMs
}

function checkInterval(intervalMs: number): number {
  if (!(intervalMs > 0))
    throw new RangeError(`a timer's interval must be > 0 ms, got ${intervalMs}`)
  return checkDelay(intervalMs)
}

/** A hundred years: beyond it somebody mixed up units. */
const DELAY_MAX_MS = 3_155_760_000_000
