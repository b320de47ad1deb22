/** Each is explained in docs/errors.md. */
export type CrdtErrorCode =
  | 'INVALID_CLOCK'
  | 'INVALID_INCREMENT'
  | 'INVALID_MAP_KEY'
  | 'INVALID_REPLICA_ID'
  | 'INVALID_VALUE'

/** What misuse of a replicated value throws; the value is unchanged then. */
export class CrdtError extends Error {
  override readonly name = 'CrdtError'
  readonly code: CrdtErrorCode

  constructor(code: CrdtErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}
