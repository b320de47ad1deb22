/**
 * Sees one removal through.
 *
 * Each attempt is a write that waits for a majority. When it does not get one in time, the same
 * removal is written again after a pause, a fixed number of times; the local replica has it since the
 * first attempt, and gossip spreads it whatever happens here. There is one machine per operation,
 * never per key: a put between two attempts must not inherit a removal, nor its count.
 *
 * Invariants: at most one write or pause is under way; `Done` is said exactly once, and last.
 */
export class RemoveRetry {
  readonly #settings: RemoveRetrySettings
  #state: 'New' | 'Writing' | 'Pausing' | 'Done' = 'New'
  #attempts = 0

  constructor(settings: RemoveRetrySettings = defaultRemoveRetrySettings) {
    this.#settings = settings
  }

  get attempts(): number {
    return this.#attempts
  }

  start(): RemoveEffect[] {
    return this.#state === 'New' ? this.#write() : []
  }

  /** A majority has it. Also counts when it comes late, during the pause after its timeout. */
  succeeded(): RemoveEffect[] {
    if (this.#state === 'Pausing') return [{ type: 'CancelPause' }, ...this.#finish('Removed')]
    return this.#state === 'Writing' ? this.#finish('Removed') : []
  }

  /** The write numbered `attempt` found no majority in time, or could not be stored. */
  failed(attempt: number): RemoveEffect[] {
    if (this.#state !== 'Writing' || attempt !== this.#attempts) return []
    const { retriesMax, pauseMs, pauseFactor } = this.#settings
    if (this.#attempts > retriesMax) return this.#finish('GaveUp')
    this.#state = 'Pausing'
    return [{ type: 'Pause', delayMs: pauseMs * pauseFactor ** (this.#attempts - 1) }]
  }

  /** The update function itself threw: it would throw again, so that is the end of it. */
  modifyFailed(): RemoveEffect[] {
    if (this.#state === 'Pausing') return [{ type: 'CancelPause' }, ...this.#finish('ModifyFailed')]
    return this.#state === 'Writing' ? this.#finish('ModifyFailed') : []
  }

  pauseOver(): RemoveEffect[] {
    return this.#state === 'Pausing' ? this.#write() : []
  }

  #write(): RemoveEffect[] {
    this.#state = 'Writing'
    this.#attempts++
    return [{ type: 'Write', attempt: this.#attempts, timeoutMs: this.#settings.timeoutMs }]
  }

  #finish(outcome: RemoveOutcome): RemoveEffect[] {
    this.#state = 'Done'
    return [{ type: 'Done', outcome, attempts: this.#attempts }]
  }
}

export type RemoveOutcome = 'Removed' | 'ModifyFailed' | 'GaveUp'

export type RemoveEffect =
  | { readonly type: 'Write'; readonly attempt: number; readonly timeoutMs: number }
  | { readonly type: 'Pause'; readonly delayMs: number }
  | { readonly type: 'CancelPause' }
  | { readonly type: 'Done'; readonly outcome: RemoveOutcome; readonly attempts: number }

export interface RemoveRetrySettings {
  /** How long one attempt waits for a majority. */
  readonly timeoutMs: number
  /** Attempts after the first. Default 5: with the default times a removal takes 5.8 s at most. */
  readonly retriesMax: number
  readonly pauseMs: number
  /** 1 keeps the pauses equal; 2 doubles each. */
  readonly pauseFactor: number
}

export const defaultRemoveRetrySettings: RemoveRetrySettings = {
  timeoutMs: 800,
  retriesMax: 5,
  pauseMs: 200,
  pauseFactor: 1,
}
