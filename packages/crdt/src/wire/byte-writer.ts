import { notEncodable } from './wire-error.ts'

/**
 * Bytes that grow. Numbers are variable-length, seven bits a byte, the low ones first; texts and byte
 * strings carry their length in front. Used again after `reset`, it allocates nothing.
 */
export class ByteWriter {
  #buffer: Uint8Array<ArrayBuffer>
  #floats: DataView<ArrayBuffer> | undefined
  #length = 0

  /** `capacity`: bytes to begin with; it doubles whenever that is not enough. */
  constructor(capacity: number = CAPACITY) {
    this.#buffer = new Uint8Array(capacity)
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length
  }

  /** Bytes that fit before the next growth. */
  get capacity(): number {
    return this.#buffer.length
  }

  /** An integer from 0 to 2^53 - 1. Throws `NOT_ENCODABLE` for anything else. */
  uint(value: number): void {
    if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER && Math.floor(value) === value)) {
      throw notEncodable(`expected an integer from 0 to 2^53 - 1, got ${value}`)
    }
    if (this.#length + UINT_BYTES_MAX > this.#buffer.length) this.#grow(UINT_BYTES_MAX)
    const buffer = this.#buffer
    let at = this.#length
    let rest = value
    while (rest > 0x7fffffff) {
      buffer[at++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    while (rest > 0x7f) {
      buffer[at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    buffer[at++] = rest
    this.#length = at
  }

  /** An integer whose absolute value is below 2^52; small ones of either sign are short. */
  int(value: number): void {
    if (!(Math.abs(value) < INT_LIMIT)) {
      throw notEncodable(`expected an integer between -2^52 and 2^52, got ${value}`)
    }
    this.uint(value < 0 ? -2 * value - 1 : 2 * value)
  }

  /** One byte, 0 to 255. */
  byte(value: number): void {
    if (this.#length === this.#buffer.length) this.#grow(1)
    this.#buffer[this.#length++] = value
  }

  float(value: number): void {
    if (this.#length + 8 > this.#buffer.length) this.#grow(8)
    this.#floats ??= new DataView(this.#buffer.buffer)
    this.#floats.setFloat64(this.#length, value)
    this.#length += 8
  }

  /** A text as UTF-8. Throws `NOT_ENCODABLE` when half of a surrogate pair is missing: it would not come back. */
  string(value: string): void {
    const { length } = value
    if (length <= SHORT_TEXT && this.#shortAscii(value, length)) return
    if (!isWellFormed(value)) throw notEncodable('a text with half a surrogate pair')
    const room = UINT_BYTES_MAX + 3 * length
    if (this.#length + room > this.#buffer.length) this.#grow(room)
    // The length in bytes is known only afterwards; leave as much room as it takes if all is ASCII.
    const start = this.#length
    const guessed = uintBytes(length)
    const { written } = encoder.encodeInto(value, this.#buffer.subarray(start + guessed))
    const needed = uintBytes(written)
    if (needed !== guessed) {
      this.#buffer.copyWithin(start + needed, start + guessed, start + guessed + written)
    }
    this.uint(written)
    this.#length = start + needed + written
  }

  /** Bytes with their length in front. */
  bytes(value: Uint8Array): void {
    this.uint(value.length)
    this.raw(value)
  }

  /** Bytes without a length: the reader has to know it. */
  raw(value: Uint8Array): void {
    if (this.#length + value.length > this.#buffer.length) this.#grow(value.length)
    this.#buffer.set(value, this.#length)
    this.#length += value.length
  }

  /** What was written from `start` on, without copying: good until the next write. */
  view(start = 0): Uint8Array {
    return this.#buffer.subarray(start, this.#length)
  }

  /** A copy of everything written, which the caller owns. */
  finish(): Uint8Array {
    return this.#buffer.slice(0, this.#length)
  }

  /** Empties it, or takes back what was written after `length`. */
  reset(length = 0): void {
    this.#length = Math.min(length, this.#length)
  }

  #shortAscii(value: string, length: number): boolean {
    if (this.#length + 1 + length > this.#buffer.length) this.#grow(1 + length)
    const buffer = this.#buffer
    let at = this.#length
    buffer[at++] = length
    for (let index = 0; index < length; index++) {
      const code = value.charCodeAt(index)
      if (code > 0x7f) return false
      buffer[at++] = code
    }
    this.#length = at
    return true
  }

  #grow(room: number): void {
    const grown = new Uint8Array(Math.max(this.#buffer.length * 2, this.#length + room))
    grown.set(this.#buffer.subarray(0, this.#length))
    this.#buffer = grown
    this.#floats = undefined
  }
}

/** Whether no half of a surrogate pair stands alone. At once for texts of Latin letters only. */
export function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed()
}

function uintBytes(value: number): number {
  let bytes = 1
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) bytes++
  return bytes
}

const encoder = new TextEncoder()
const CAPACITY = 256
/** Below it a loop beats the text encoder, and the length is one byte. */
const SHORT_TEXT = 64
const UINT_BYTES_MAX = 8
const INT_LIMIT = 2 ** 52
