import { malformed } from './wire-error.ts'

/**
 * Reads what a `ByteWriter` wrote, from bytes of anybody. No length is believed before it is compared
 * with what is there, nothing is allocated on its word, and each number has exactly one spelling, so
 * that equal bytes mean equal values. Whatever is wrong throws a `WireError`, code `MALFORMED`.
 */
export class ByteReader {
  readonly #bytes: Uint8Array
  #position = 0
  #floats: DataView | undefined

  /** `bytes` are read in place; views of them are handed out. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get remaining(): number {
    return this.#bytes.length - this.#position
  }

  get position(): number {
    return this.#position
  }

  uint(max: number = Number.MAX_SAFE_INTEGER): number {
    const bytes = this.#bytes
    let at = this.#position
    let byte = bytes[at++]
    if (byte === undefined) throw cutOff()
    let value = byte & 0x7f
    let scale = 1
    for (let count = 1; byte > 0x7f; count++) {
      byte = bytes[at++]
      if (byte === undefined) throw cutOff()
      if (byte === 0) throw malformed('a number is longer than it must be')
      if (count === UINT_BYTES_MAX) throw malformed('a number is larger than 2^53 - 1')
      scale *= 0x80
      value += (byte & 0x7f) * scale
    }
    if (value > max) throw malformed(`expected a number up to ${max}, got ${value}`)
    this.#position = at
    return value
  }

  int(): number {
    const value = this.uint()
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  byte(): number {
    const byte = this.#bytes[this.#position]
    if (byte === undefined) throw cutOff()
    this.#position++
    return byte
  }

  float(): number {
    if (this.remaining < 8) throw cutOff()
    const bytes = this.#bytes
    this.#floats ??= new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const value = this.#floats.getFloat64(this.#position)
    this.#position += 8
    return value
  }

  /** A text of at most `maxBytes` bytes of UTF-8. */
  string(maxBytes: number = Number.MAX_SAFE_INTEGER): string {
    const length = this.#length(maxBytes)
    const start = this.#position
    this.#position += length
    if (length <= SHORT_TEXT) {
      const text = this.#shortAscii(start, length)
      if (text !== undefined) return text
    }
    try {
      return decoder.decode(this.#bytes.subarray(start, start + length))
    } catch {
      throw malformed('a text is not UTF-8')
    }
  }

  /** A copy of bytes that carry their length. */
  bytes(maxBytes: number = Number.MAX_SAFE_INTEGER): Uint8Array {
    return this.raw(this.#length(maxBytes)).slice()
  }

  /** Bytes that carry their length, without copying: good as long as the bytes this reads from. */
  view(maxBytes: number = Number.MAX_SAFE_INTEGER): Uint8Array {
    return this.raw(this.#length(maxBytes))
  }

  /** The next `length` bytes, without copying. */
  raw(length: number): Uint8Array {
    if (length > this.remaining) throw cutOff()
    const start = this.#position
    this.#position += length
    return this.#bytes.subarray(start, start + length)
  }

  /** What has been read from position `start` on, without copying. */
  since(start: number): Uint8Array {
    return this.#bytes.subarray(start, this.#position)
  }

  #length(maxBytes: number): number {
    const length = this.uint()
    if (length > maxBytes) throw malformed(`expected at most ${maxBytes} bytes, got ${length}`)
    if (length > this.remaining) throw cutOff()
    return length
  }

  /** Undefined when it is not all ASCII. Eight at a time: a call for each is what costs. */
  #shortAscii(start: number, length: number): string | undefined {
    const bytes = this.#bytes
    const end = start + length
    let text = ''
    let at = start
    for (; at + 8 <= end; at += 8) {
      const a = bytes[at] as number
      const b = bytes[at + 1] as number
      const c = bytes[at + 2] as number
      const d = bytes[at + 3] as number
      const e = bytes[at + 4] as number
      const f = bytes[at + 5] as number
      const g = bytes[at + 6] as number
      const h = bytes[at + 7] as number
      if ((a | b | c | d | e | f | g | h) > 0x7f) return undefined
      text += String.fromCharCode(a, b, c, d, e, f, g, h)
    }
    for (; at < end; at++) {
      const byte = bytes[at] as number
      if (byte > 0x7f) return undefined
      text += String.fromCharCode(byte)
    }
    return text
  }
}

const cutOff = () => malformed('the bytes end too early')

// A leading byte order mark is part of the text, and what is not UTF-8 is refused.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
/** Below it this beats the text decoder. */
const SHORT_TEXT = 40
const UINT_BYTES_MAX = 8
