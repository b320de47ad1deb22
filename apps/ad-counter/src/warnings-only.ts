import type { Logger } from '@troupe/actor'

/** A logger for programs that speak for themselves: only warnings and errors, one line each. */
export function warningsOnly(
  write: (line: string) => void,
  bindings: Record<string, unknown> = {},
): Logger {
  const say = (fields: object, phrase: string): void =>
    write(`${phrase} ${JSON.stringify({ ...bindings, ...fields })}`)
  const nothing = (): void => {}
  return {
    trace: nothing,
    debug: nothing,
    info: nothing,
    warn: say,
    error: say,
    child: (more) => warningsOnly(write, { ...bindings, ...more }),
  }
}
