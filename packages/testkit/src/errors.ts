/** Every failure this package throws or rejects with. Each code is explained in docs/errors.md. */
export type TestKitErrorCode =
  | 'EXPECTATION_FAILED'
  | 'NEVER_SETTLES'
  | 'NODE_IS_DOWN'
  | 'NODE_IS_RUNNING'
  | 'NOT_OF_THIS_KIT'
  | 'REAL_WORLD_IN_SIMULATION'
  | 'SHUTDOWN_TIMED_OUT'

/** A failure of the test, or of the way it uses the test kit. */
export class TestKitError extends Error {
  override readonly name = 'TestKitError'
  readonly code: TestKitErrorCode

  constructor(code: TestKitErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.code = code
  }
}
