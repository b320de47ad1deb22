/**
 * Hashes one entry to 64 bits, good enough that entries can be combined by exclusive or. Not for
 * adversaries: who may write to the value may make digests collide, and hurts only what it may write anyway.
 */
export class EntryHash {
  high = 0
  low = 0

  reset(): this {
    this.high = 0x9e3779b9
    this.low = 0x243f6a88
    return this
  }

  bytes(bytes: Uint8Array): this {
    let { high, low } = this
    for (let index = 0; index < bytes.length; index++) {
      const byte = bytes[index] as number
      high = Math.imul(high ^ byte, HIGH_FACTOR)
      low = Math.imul(low ^ byte, LOW_FACTOR)
    }
    this.high = high
    this.low = low
    return this.number(bytes.length)
  }

  text(text: string): this {
    let { high, low } = this
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index)
      high = Math.imul(high ^ code, HIGH_FACTOR)
      low = Math.imul(low ^ code, LOW_FACTOR)
    }
    this.high = high
    this.low = low
    return this.number(text.length)
  }

  /** A whole number up to 2^53. */
  number(value: number): this {
    const upper = Math.floor(value / 0x1_0000_0000)
    this.high = scramble(Math.imul(this.high ^ value, HIGH_FACTOR) ^ upper)
    this.low = scramble(Math.imul(this.low ^ value, LOW_FACTOR) + upper)
    return this
  }

  /** Lets each bit depend on all; then `high` and `low` are the hash, as signed numbers. */
  finish(): this {
    const high = scramble(this.high ^ Math.imul(this.low, LOW_FACTOR))
    const low = scramble(this.low ^ Math.imul(this.high, HIGH_FACTOR))
    this.high = high
    this.low = low
    return this
  }
}

/** The finaliser of MurmurHash3 (Appleby, public domain). */
function scramble(value: number): number {
  let mixed = value ^ (value >>> 16)
  mixed = Math.imul(mixed, 0x85ebca6b)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed, 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}

const HIGH_FACTOR = 0x01000193
const LOW_FACTOR = 0x5bd1e995
