import type { Random } from '@troupe/actor'
import { Xoshiro128 } from '@troupe/actor/spi'

/**
 * Chance that repeats: the same seed gives the same numbers, bytes and ids.
 *
 * A fork draws from a sequence of its own, which depends on the seed, the purposes on the way to it,
 * and how many forks had the same purpose before. Draws for one purpose therefore do not change when
 * those for another are added or removed.
 */
export class KeyedRandom implements Random {
  readonly #key: string
  readonly #numbers: Xoshiro128
  readonly #forks = new Map<string, number>()

  constructor(seed: number | string) {
    this.#key = String(seed)
    const bytes = new Xoshiro128(wordsOf(`${this.#key}/bytes`), noBytes)
    this.#numbers = new Xoshiro128(wordsOf(this.#key), (count) =>
      Uint8Array.from({ length: count }, () => bytes.below(256)),
    )
  }

  next(): number {
    return this.#numbers.next()
  }

  below(bound: number): number {
    return this.#numbers.below(bound)
  }

  bytes(count: number): Uint8Array {
    return this.#numbers.bytes(count)
  }

  id(): string {
    return this.#numbers.id()
  }

  fork(purpose: string): KeyedRandom {
    const count = this.#forks.get(purpose) ?? 0
    this.#forks.set(purpose, count + 1)
    // With its length in front no purpose can look like two.
    return new KeyedRandom(`${this.#key}/${purpose.length}:${purpose}:${count}`)
  }
}

/** Four words for a generator, each a hash of the whole text (FNV-1a with a different start, mixed at the end). */
function wordsOf(text: string): Uint32Array {
  const bytes = new TextEncoder().encode(text)
  return Uint32Array.from([1, 2, 3, 4], (lane) => {
    let hash = FNV_START ^ Math.imul(lane, GOLDEN)
    for (const byte of bytes) hash = Math.imul(hash ^ byte, FNV_PRIME)
    return mixed(hash)
  })
}

/** Spreads every bit over the whole word (the finish of MurmurHash3): FNV alone leaves similar texts similar. */
function mixed(word: number): number {
  let hash = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

function noBytes(): never {
  throw new Error('broken invariant: bytes are drawn as numbers below 256')
}

const FNV_START = 0x811c9dc5
const FNV_PRIME = 0x01000193
const GOLDEN = 0x9e3779b9
