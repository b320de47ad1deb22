import type { Clock } from '@troupe/actor'

/**
 * What happened, as a hash that is always kept and as lines that are kept on demand. Two runs with
 * the same hash took the same steps at the same moments and sent the same bytes.
 */
export class Trace {
  readonly #clock: Clock
  readonly #isKept: boolean
  readonly #lines: string[] = []
  /** The lines that are not about frames. */
  readonly #events: string[] = []
  #high = FNV_START
  #low = FNV_PRIME
  #count = 0

  constructor(clock: Clock, isKept: boolean) {
    this.#clock = clock
    this.#isKept = isKept
  }

  get hash(): string {
    return hex(this.#high) + hex(this.#low)
  }

  /** How many events were noted. */
  get count(): number {
    return this.#count
  }

  /** The last lines, oldest first; none unless they are kept. */
  lines(count: number = Infinity): readonly string[] {
    return this.#lines.slice(-count)
  }

  /** The last lines about anything but frames on their way. */
  events(count: number = Infinity): readonly string[] {
    return this.#events.slice(-count)
  }

  /** Notes an event. `bytes`, those of a frame, go into the hash only, `fields` into the line only. */
  note(event: string, bytes?: Uint8Array, fields?: object): void {
    this.#count++
    const at = this.#clock.monotonicMs()
    this.#mix(Math.floor(at * 1_000))
    for (let i = 0; i < event.length; i++) this.#mix(event.charCodeAt(i))
    if (bytes !== undefined) for (const byte of bytes) this.#mix(byte)
    if (!this.#isKept) return
    const line = `${at.toFixed(1).padStart(10)} ms  ${event}${textOf(fields)}`
    keep(this.#lines, line)
    if (bytes === undefined) keep(this.#events, line)
  }

  #mix(value: number): void {
    this.#high = Math.imul(this.#high ^ value, FNV_PRIME)
    this.#low = Math.imul((this.#low ^ value) + this.#high, SPREAD)
  }
}

function keep(lines: string[], line: string): void {
  if (lines.length >= LINES_MAX) lines.splice(0, LINES_MAX / 2)
  lines.push(line)
}

function textOf(fields: object | undefined): string {
  if (fields === undefined) return ''
  return Object.entries(fields)
    .map(
      ([name, value]) =>
        ` ${name}=${value instanceof Error ? value.message : JSON.stringify(value)}`,
    )
    .join('')
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0')
}

const FNV_START = 0x811c9dc5
const FNV_PRIME = 0x01000193
const SPREAD = 0x85ebca6b
const LINES_MAX = 100_000
