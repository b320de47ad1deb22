import { ActorError } from './errors.ts'

export interface ActorSettings {
  /** Most messages an actor handles before others get their turn. More is faster, less is fairer. */
  readonly throughput: number
  /** How long actors may run before sockets and timers of the host get their chance, in milliseconds. */
  readonly turnBudgetMs: number
  /** How long an async handler may keep its promise open, in milliseconds. */
  readonly handlerTimeoutMs: number
  /** How long each phase of a coordinated shutdown may take, in milliseconds. */
  readonly shutdownPhaseTimeoutMs: number
}

export const defaultActorSettings: ActorSettings = {
  throughput: 32,
  turnBudgetMs: 0.2,
  handlerTimeoutMs: 30_000,
  shutdownPhaseTimeoutMs: 5_000,
}

/** Fills in defaults and refuses what cannot work. */
export function actorSettings(overrides: Partial<ActorSettings> = {}): ActorSettings {
  const settings = { ...defaultActorSettings, ...overrides }
  for (const [name, value] of Object.entries(settings)) {
    if (typeof value === 'number' && value > 0) continue
    throw new ActorError('INVALID_SETTING', `${name} must be a number > 0, got ${String(value)}`)
  }
  return settings
}
