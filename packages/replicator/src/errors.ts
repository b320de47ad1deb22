/** Every failure this package throws or rejects with. Each code is explained in docs/errors.md. */
export type ReplicatorErrorCode =
  | 'INVALID_CONSISTENCY'
  | 'INVALID_KEY'
  | 'INVALID_SETTING'
  | 'KEY_DELETED'
  | 'KEY_HAS_OTHER_TYPE'
  | 'NOT_COMPLETE'
  | 'REPLICATOR_STARTED'
  | 'THRESHOLD_NOT_REACHED'

export class ReplicatorError extends Error {
  override readonly name = 'ReplicatorError'
  readonly code: ReplicatorErrorCode

  constructor(code: ReplicatorErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}
