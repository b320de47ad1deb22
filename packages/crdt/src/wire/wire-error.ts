/**
 * `MALFORMED`: bytes that nobody who speaks this protocol could have written; they are dropped.
 * `NOT_ENCODABLE`: a value of ours does not fit its schema or its bounds; nothing was sent.
 */
export type WireErrorCode = 'MALFORMED' | 'NOT_ENCODABLE'

/** What reading and writing bytes throw, and all they throw. */
export class WireError extends Error {
  override readonly name = 'WireError'
  readonly code: WireErrorCode

  constructor(code: WireErrorCode, message: string) {
    super(message)
    this.code = code
  }
}

export const malformed = (message: string): WireError => new WireError('MALFORMED', message)

export const notEncodable = (message: string): WireError => new WireError('NOT_ENCODABLE', message)
