import { ActorError } from './errors.ts'

const VALID_NAME =
  /^(?:[A-Za-z0-9\-_.*+:@&=,!~';]|%[0-9A-Fa-f]{2})(?:[A-Za-z0-9\-_.*$+:@&=,!~';]|%[0-9A-Fa-f]{2})*$/

/** Refuses names that could not stand in a path. Names starting with `$` are given by the runtime. */
export function checkName(name: string): void {
  if (VALID_NAME.test(name)) return
  throw new ActorError(
    'INVALID_NAME',
    `${JSON.stringify(name)} cannot name an actor: use letters, digits and -_.*$+:@&=,!~'; (not $ first), others as %hex`,
  )
}

/** Turns any text, an entity id say, into a valid name; different texts get different names. */
export function nameFor(text: string): string {
  if (VALID_NAME.test(text) && !text.includes('%')) return text
  let name = ''
  for (const byte of new TextEncoder().encode(text)) {
    const char = String.fromCharCode(byte)
    name += /[A-Za-z0-9\-_.]/.test(char) ? char : `%${byte.toString(16).padStart(2, '0')}`
  }
  // No text has this byte: UTF-8 never uses it.
  return name === '' ? '%ff' : name
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789'

/** The name of the `count`-th nameless child: `$a`, `$b`, …, `$9`, `$ba`, … */
export function generatedName(count: number): string {
  let name = ''
  let rest = count
  do {
    name = LETTERS.charAt(rest % LETTERS.length) + name
    rest = Math.floor(rest / LETTERS.length)
  } while (rest > 0)
  return `$${name}`
}
