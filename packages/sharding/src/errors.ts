/** Every failure this package throws. Each code is explained in docs/errors.md. */
export type ShardingErrorCode =
  | 'ENTITY_TYPE_NOT_STARTED'
  | 'ENTITY_TYPE_STARTED_OTHERWISE'
  | 'INVALID_ENTITY_ID'
  | 'INVALID_SETTING'

export class ShardingError extends Error {
  override readonly name = 'ShardingError'
  readonly code: ShardingErrorCode

  constructor(code: ShardingErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}
