/** Every failure this application throws. Outcomes a client can cause are replies, never errors. */
export type AdServerErrorCode =
  | 'DATA_FOLDER_UNUSABLE'
  | 'INVALID_SCENARIO'
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
