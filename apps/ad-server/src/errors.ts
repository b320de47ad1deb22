/** Every failure this application throws. Outcomes a client can cause are replies, never errors. */
export type AdServerErrorCode =
  | 'DATA_FOLDER_UNUSABLE'
  | 'INVALID_SCENARIO'
  | 'INVALID_VALUE'
  | 'NODE_FAILED'
  | 'PORT_UNUSABLE'
  | 'REPLAY_UNREADABLE'

/** `code` is stable; the text says what was expected, what came instead, and what to do. */
export class AdServerError extends Error {
  override readonly name = 'AdServerError'
  readonly code: AdServerErrorCode

  constructor(code: AdServerErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}

/** For arguments only a bug in the caller can produce. */
export function invalidValue(what: string, expected: string, actual: unknown): AdServerError {
  return new AdServerError('INVALID_VALUE', `${what} must be ${expected}, got ${String(actual)}`)
}
