import type { SupervisorStrategy } from '../supervision.ts'

export type Decision =
  | { readonly type: 'Resume' }
  | { readonly type: 'Stop' }
  | { readonly type: 'Restart'; readonly delayMs: number; readonly stopChildren: boolean }

/**
 * Decides what becomes of an actor that failed, from its strategy and how often it failed lately.
 *
 * Pure: time and chance come in as arguments. One instance per supervised layer of one actor, so
 * that the budget of restarts is the actor's own and never shared with its siblings.
 */
export class RestartDecision {
  readonly #strategy: SupervisorStrategy
  #restarts = 0
  #windowEndsAt = 0
  #lastRestartAt = 0

  constructor(strategy: SupervisorStrategy) {
    this.#strategy = strategy
  }

  /** True when it was made for the same strategy, or for one with the same settings. */
  isFor(strategy: SupervisorStrategy): boolean {
    return JSON.stringify(this.#strategy) === JSON.stringify(strategy)
  }

  /**
   * `starting`: the failure came before the actor was running. Resuming has nothing to resume then,
   * and an unlimited restart would loop for ever, so both stop; limited and delayed restarts try on.
   */
  failed(now: number, random: number, starting: boolean): Decision {
    const strategy = this.#strategy
    switch (strategy.type) {
      case 'Resume':
        return starting ? { type: 'Stop' } : { type: 'Resume' }
      case 'Stop':
        return { type: 'Stop' }
      case 'Restart': {
        if (starting && strategy.limit === undefined) return { type: 'Stop' }
        if (this.#restarts === 0 || now >= this.#windowEndsAt) {
          this.#restarts = 0
          this.#windowEndsAt = now + (strategy.withinMs ?? Infinity)
        }
        if (this.#restarts >= (strategy.limit ?? Infinity)) return { type: 'Stop' }
        this.#restarts++
        return { type: 'Restart', delayMs: 0, stopChildren: strategy.stopChildren ?? true }
      }
      case 'Backoff': {
        const { minMs, maxMs, randomFactor = 0.2 } = strategy
        const quietMs = strategy.resetAfterMs ?? (minMs + maxMs) / 2
        if (this.#restarts > 0 && now - this.#lastRestartAt >= quietMs) this.#restarts = 0
        if (this.#restarts >= (strategy.limit ?? Infinity)) return { type: 'Stop' }
        const pauseMs = Math.min(maxMs, minMs * 2 ** this.#restarts) * (1 + random * randomFactor)
        this.#restarts++
        this.#lastRestartAt = now + pauseMs
        return { type: 'Restart', delayMs: pauseMs, stopChildren: strategy.stopChildren ?? true }
      }
      default:
        return strategy satisfies never
    }
  }
}
