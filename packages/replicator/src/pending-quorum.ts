import type { TimerService, TimerTask } from '@troupe/actor'
import { Quorum, type QuorumEffect } from './quorum.ts'

export type Outcome = 'Success' | 'Timeout' | 'Failure'

export interface QuorumPlan {
  /** Who is asked, by node key. */
  readonly others: readonly string[]
  readonly needed: number
  readonly timeoutMs: number
  /** Asks one node; `attempt` counts from 1. */
  readonly ask: (node: string, attempt: number) => void
  readonly done: (outcome: Outcome) => void
}

/** Gives a quorum its time: asks again after each quarter of it, and gives up at the end. */
export class PendingQuorum implements TimerTask {
  deadlineMs = 0
  previous: TimerTask | null = null
  next: TimerTask | null = null
  slot = -1
  readonly #timers: TimerService
  readonly #plan: QuorumPlan
  readonly #quorum: Quorum
  #attempt = 1
  #isDone = false

  constructor(timers: TimerService, plan: QuorumPlan) {
    this.#timers = timers
    this.#plan = plan
    this.#quorum = new Quorum(plan.others, plan.needed)
  }

  get others(): readonly string[] {
    return this.#plan.others
  }

  get isDone(): boolean {
    return this.#isDone
  }

  start(): void {
    this.#perform(this.#quorum.start())
    if (!this.#isDone) this.#timers.start(this, this.#plan.timeoutMs / ATTEMPTS)
  }

  answered(node: string): void {
    this.#perform(this.#quorum.answered(node))
  }

  refused(node: string): void {
    this.#perform(this.#quorum.refused(node))
  }

  fire(): void {
    if (this.#attempt === ATTEMPTS) {
      this.#perform(this.#quorum.timedOut())
      return
    }
    this.#attempt++
    this.#perform(this.#quorum.again())
    if (!this.#isDone) this.#timers.start(this, this.#plan.timeoutMs / ATTEMPTS)
  }

  #perform(effects: readonly QuorumEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'Send':
          this.#plan.ask(effect.to, this.#attempt)
          break
        case 'Done':
          this.#isDone = true
          this.#timers.cancel(this)
          this.#plan.done(effect.outcome)
          break
        default:
          effect satisfies never
      }
    }
  }
}

const ATTEMPTS = 4
