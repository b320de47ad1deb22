import type { Logger } from '@troupe/actor'

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error'

/** One line that would have been logged. `fields` include those of the child logger it came from. */
export interface LogRecord {
  readonly level: LogLevel
  readonly phrase: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** Keeps what a system logs, at every level, instead of writing it. */
export class CapturedLogs {
  /** Give this to the system. */
  readonly logger: Logger = this.#loggerWith({})
  readonly #records: LogRecord[] = []

  /** Everything so far, oldest first. */
  get records(): readonly LogRecord[] {
    return this.#records
  }

  /** Those with exactly this phrase: phrases are constant, what varies is in the fields. */
  withPhrase(phrase: string): readonly LogRecord[] {
    return this.#records.filter((record) => record.phrase === phrase)
  }

  /** Forgets everything so far. */
  clear(): void {
    this.#records.length = 0
  }

  #loggerWith(bindings: Readonly<Record<string, unknown>>): Logger {
    const at =
      (level: LogLevel) =>
      (fields: object, phrase: string): void =>
        void this.#records.push({ level, phrase, fields: { ...bindings, ...fields } })
    return {
      trace: at('trace'),
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: (more) => this.#loggerWith({ ...bindings, ...more }),
    }
  }
}
