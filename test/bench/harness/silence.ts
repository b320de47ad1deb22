import type { Logger } from '@troupe/actor'

/** A logger that says nothing, so that writing lines is not measured. */
export const silence: Logger = {
  trace: () => {},
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silence,
}
