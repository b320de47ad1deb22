import type { Clock, TimerService, TimerTask } from '../platform.ts'

/** Asks the host for one call after a delay; returns how to take it back. */
export type HostTimer = (delayMs: number, fire: () => void) => () => void

/**
 * Any number of timers on one timer of the host.
 *
 * Intuition: a clock face of slots, each one tick long; a timer lies in the slot its deadline falls
 * into, and the hand visits slot after slot. Starting and cancelling are a few pointer moves (host
 * timers cost five times as much), and a timer is its own list node, so nothing is allocated.
 * Deadlines more than a turn away share their slot with nearer ones and are passed over.
 *
 * Reading the clock costs more than all the rest, so timers of a second and more are not stamped with
 * a deadline when they start but together at the next tick. Most of them, those of asks, are cancelled
 * before that.
 *
 * A timer never fires early; it fires at most one tick late (two when it was stamped at a tick), unless
 * the loop is busy. The host's
 * timer is not taken back when the wheel empties, because an ask after an ask would pay for arming it
 * each time. It looks after at most 100 ms whether there is still something to wait for, so that an
 * empty wheel does not keep the process alive for longer than that.
 * Source: Varghese and Lauck 1987, hashed timing wheels, scheme 6.
 */
export class TimerWheel implements TimerService {
  readonly #clock: Clock
  readonly #hostTimer: HostTimer
  /** One for each tick of a turn, and one for those that wait to be stamped. */
  readonly #slots: (TimerTask | null)[] = Array.from({ length: SLOTS + 1 }, () => null)
  readonly #startedAt: number
  /** How many have a place on the clock face. */
  #size = 0
  /** The tick the hand stands at: all timers due at or before it have fired. */
  #tick = 0
  #armedForTick = Infinity
  #disarm: () => void = () => {}
  #willStamp = false

  constructor(clock: Clock, hostTimer: HostTimer) {
    this.#clock = clock
    this.#hostTimer = hostTimer
    this.#startedAt = clock.monotonicMs()
  }

  start(task: TimerTask, delayMs: number): void {
    if (task.slot >= 0) this.#unlink(task)
    if (delayMs < STAMPED_LATER_MS) {
      this.#place(task, delayMs, this.#clock.monotonicMs())
      return
    }
    task.deadlineMs = delayMs
    this.#link(task, TO_STAMP)
    if (this.#willStamp) return
    this.#willStamp = true
    this.#hostTimer(TICK_MS, () => this.#stampAll())
  }

  #stampAll(): void {
    this.#willStamp = false
    const now = this.#clock.monotonicMs()
    let task = this.#slots[TO_STAMP] as TimerTask | null
    // The slot keeps its newest task first; they are placed in the order they were started in.
    while (task !== null && task.next !== null) task = task.next
    while (task !== null) {
      const newer: TimerTask | null = task.previous
      this.#unlink(task)
      this.#place(task, task.deadlineMs, now)
      task = newer
    }
  }

  #place(task: TimerTask, delayMs: number, now: number): void {
    if (this.#size === 0) this.#tick = this.#tickAt(now)
    task.deadlineMs = now + delayMs
    // The tick that begins at or after the deadline; at the earliest the next one the hand visits.
    const tick = Math.max(this.#tick + 1, Math.ceil((task.deadlineMs - this.#startedAt) / TICK_MS))
    this.#link(task, tick & (SLOTS - 1))
    if (tick < this.#armedForTick) this.#arm(tick, now)
  }

  cancel(task: TimerTask): void {
    if (task.slot < 0) {
      // Due already, and cancelled by one that fired before it.
      task.slot = -1
      return
    }
    this.#unlink(task)
  }

  #link(task: TimerTask, slot: number): void {
    const first = this.#slots[slot] as TimerTask | null
    task.slot = slot
    task.previous = null
    task.next = first
    if (first !== null) first.previous = task
    this.#slots[slot] = task
    if (slot !== TO_STAMP) this.#size++
  }

  #unlink(task: TimerTask): void {
    if (task.previous === null) this.#slots[task.slot] = task.next
    else task.previous.next = task.next
    if (task.next !== null) task.next.previous = task.previous
    task.previous = null
    task.next = null
    if (task.slot !== TO_STAMP) this.#size--
    task.slot = -1
  }

  #arm(tick: number, now: number): void {
    this.#disarm()
    this.#armedForTick = tick
    const delayMs = Math.max(0, this.#startedAt + tick * TICK_MS - now)
    this.#disarm = this.#hostTimer(Math.min(delayMs, LOOK_MS), () => this.#advance())
  }

  #advance(): void {
    this.#armedForTick = Infinity
    const now = this.#clock.monotonicMs()
    const nowTick = this.#tickAt(now)
    // After a long sleep one turn of the wheel visits every slot there is.
    this.#tick = Math.max(this.#tick, nowTick - SLOTS)
    const due: TimerTask[] = []
    while (this.#tick < nowTick && this.#size > 0) {
      this.#tick++
      this.#collectDue(this.#tick & (SLOTS - 1), now, due)
    }
    this.#tick = nowTick
    // A slot keeps its newest task first; those of one moment fire in the order they were started in.
    due.reverse().sort((a, b) => a.deadlineMs - b.deadlineMs)
    try {
      for (const task of due) this.#fire(task)
    } finally {
      // Also after a task that throws: those behind it are due as well, and fire with the next tick.
      for (const task of due) if (task.slot === DUE) this.start(task, 0)
      if (this.#size > 0 && this.#armedForTick === Infinity) this.#armForNext()
    }
  }

  #fire(task: TimerTask): void {
    // One that fired before may have cancelled or restarted this one.
    if (task.slot !== DUE) return
    task.slot = -1
    task.fire()
  }

  #collectDue(slot: number, now: number, due: TimerTask[]): void {
    let task = this.#slots[slot] as TimerTask | null
    while (task !== null) {
      const next: TimerTask | null = task.next
      if (task.deadlineMs <= now) {
        this.#unlink(task)
        task.slot = DUE
        due.push(task)
      }
      task = next
    }
  }

  /** Looks ahead for the next slot with something in it; a slot of a later turn only costs a wake-up in vain. */
  #armForNext(): void {
    for (let ahead = 1; ahead <= SLOTS; ahead++) {
      const tick = this.#tick + ahead
      if (this.#slots[tick & (SLOTS - 1)] !== null) {
        this.#arm(tick, this.#clock.monotonicMs())
        return
      }
    }
  }

  #tickAt(now: number): number {
    return Math.floor((now - this.#startedAt) / TICK_MS)
  }
}

const TICK_MS = 10
const SLOTS = 4_096
const TO_STAMP = SLOTS
const STAMPED_LATER_MS = 1_000
const LOOK_MS = 100
const DUE = -2
