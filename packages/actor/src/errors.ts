/** Every failure this package throws or rejects with. Each code is explained in docs/errors.md. */
export type ActorErrorCode =
  | 'ACTOR_STOPPING'
  | 'ASK_TIMED_OUT'
  | 'DEATH_PACT'
  | 'EXTENSION_MISSING'
  | 'EXTENSION_RECURSION'
  | 'HANDLER_TIMED_OUT'
  | 'INVALID_BEHAVIOR'
  | 'INVALID_NAME'
  | 'INVALID_SETTING'
  | 'NAME_TAKEN'
  | 'NOT_A_CHILD'
  | 'OUTSIDE_OF_TURN'
  | 'STASH_OVERFLOW'
  | 'SYSTEM_TERMINATED'
  | 'TARGET_TERMINATED'
  | 'WATCHED_OTHERWISE'

/** A failure of the actor runtime. `code` is stable; the text says what was expected and what to do. */
export class ActorError extends Error {
  override readonly name = 'ActorError'
  readonly code: ActorErrorCode

  constructor(code: ActorErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** The text of whatever was thrown; JavaScript lets people throw anything. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
