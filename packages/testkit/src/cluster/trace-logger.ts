import type { Logger } from '@troupe/actor'
import type { Trace } from './trace.ts'

/** Writes what a node logs, from `info` on, between the other events of the trace. */
export function traceLogger(trace: Trace, node: string): Logger {
  const write =
    (level: string) =>
    (fields: object, phrase: string): void =>
      trace.note(`${node} ${level}: ${phrase}`, undefined, fields)
  const logger: Logger = {
    trace: () => {},
    debug: () => {},
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: () => logger,
  }
  return logger
}
