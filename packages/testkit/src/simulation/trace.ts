import type { Clock } from '@troupe/actor'

/**
 * What happened, as a hash that is always kept and as lines that are kept on demand. Two runs with
 * the same hash took the same steps.
 */
export class Trace {
  readonly #clock: Clock
  readonly #isKept: boolean
  readonly #lines: string[] = []
  #high = 0x811c9dc5
  #low = 0x01000193
  #count = 0

  constructor(clock: Clock, isKept: boolean) {
    this.#clock = clock
    this.#isKept = isKept
  }

  get hash(): string {
    return hex(this.#high) + hex(this.#low)
  }

  get count(): number {
    return this.#count
  }

  /** The last lines, oldest first. */
  lines(count = Infinity): readonly string[] {
    return this.#lines.slice(-count)
  }

  /** Notes an event; `bytes` go into the hash only. */
  note(event: string, bytes?: Uint8Array): void {
    this.#count++
    const at = this.#clock.monotonicMs()
    this.#mix(Math.floor(at * 1_000))
    for (let i = 0; i < event.length; i++) this.#mix(event.charCodeAt(i))
    if (bytes !== undefined) for (const byte of bytes) this.#mix(byte)
    if (this.#isKept) {
      if (this.#lines.length >= LINES_MAX) this.#lines.splice(0, LINES_MAX / 2)
      this.#lines.push(`${at.toFixed(1).padStart(10)} ms  ${event}`)
    }
  }

  #mix(value: number): void {
    this.#high = Math.imul(this.#high ^ value, 0x01000193)
    this.#low = Math.imul((this.#low ^ value) + this.#high, 0x85ebca6b)
  }
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0')
}

const LINES_MAX = 100_000
