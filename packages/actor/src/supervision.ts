/** What happens to an actor whose handler throws. The default, without any strategy, is to stop. */
export type SupervisorStrategy = ResumeStrategy | StopStrategy | RestartStrategy | BackoffStrategy

export type ResumeStrategy = { readonly type: 'Resume' }
export type StopStrategy = { readonly type: 'Stop' }

export interface RestartOptions {
  /** Most restarts within the window before the actor is stopped for good. Default: no limit. */
  readonly limit?: number
  /** Length of the window in milliseconds; only together with `limit`. Default: for ever. */
  readonly withinMs?: number
  /** Stop the children before the restart (default), or keep them for the fresh behavior to find by name. */
  readonly stopChildren?: boolean
}
export type RestartStrategy = { readonly type: 'Restart' } & RestartOptions

export interface BackoffOptions {
  /** Pause before the first restart, in milliseconds, > 0. Doubles with each further one. */
  readonly minMs: number
  /** Longest pause, in milliseconds, >= `minMs`. */
  readonly maxMs: number
  /** Adds up to this share of the pause at random, so that many actors do not return at once. Default 0.2. */
  readonly randomFactor?: number
  /** Most restarts in a row; then the actor is stopped. Default: no limit. */
  readonly limit?: number
  /** After this long without a failure the pause starts at `minMs` again. Default: (minMs + maxMs) / 2. */
  readonly resetAfterMs?: number
  readonly stopChildren?: boolean
}
export type BackoffStrategy = { readonly type: 'Backoff' } & BackoffOptions

/** The strategies for `Behaviors.supervise(behavior).onFailure(strategy)`. */
export const SupervisorStrategy: {
  /** Keep behavior and state; only the failing message is lost. */
  readonly resume: SupervisorStrategy
  /** Stop the actor. */
  readonly stop: SupervisorStrategy
  /** Start anew from the supervised behavior at once; ref and mailbox stay, the failing message is lost. */
  restart(options?: RestartOptions): SupervisorStrategy
  /** The same after a growing pause. Also covers failures while starting. */
  restartWithBackoff(options: BackoffOptions): SupervisorStrategy
} = {
  resume: { type: 'Resume' },
  stop: { type: 'Stop' },
  restart: (options = {}) => {
    if (options.withinMs !== undefined && options.limit === undefined) {
      throw new RangeError('restart: withinMs needs a limit')
    }
    atLeast('limit', options.limit, 0)
    atLeast('withinMs', options.withinMs, 1)
    return { type: 'Restart', ...options }
  },
  restartWithBackoff: (options) => {
    atLeast('minMs', options.minMs, 1)
    atLeast('maxMs', options.maxMs, options.minMs)
    atLeast('randomFactor', options.randomFactor, 0)
    atLeast('limit', options.limit, 0)
    atLeast('resetAfterMs', options.resetAfterMs, 1)
    return { type: 'Backoff', ...options }
  },
}

function atLeast(name: string, value: number | undefined, least: number): void {
  if (value !== undefined && !(value >= least)) {
    throw new RangeError(`${name} must be at least ${least}, got ${value}`)
  }
}
