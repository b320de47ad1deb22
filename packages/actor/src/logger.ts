/**
 * What the runtime logs through: constant phrases with fields. pino fits, and is the default.
 * The core never logs per message.
 */
export interface Logger {
  trace(fields: object, phrase: string): void
  debug(fields: object, phrase: string): void
  info(fields: object, phrase: string): void
  warn(fields: object, phrase: string): void
  error(fields: object, phrase: string): void
  child(bindings: Record<string, unknown>): Logger
}
