import { customRandom, urlAlphabet } from 'nanoid'
import type { Random } from './platform.ts'

/** Fills ids and keys with bytes nobody can guess; a simulation passes its own. */
export type Bytes = (count: number) => Uint8Array

/**
 * Fast draws from xoshiro128** (Blackman and Vigna 2018), with bytes and ids from another, stronger
 * source. Not for secrets, except `bytes` and `id`.
 */
export class Xoshiro128 implements Random {
  readonly #bytes: Bytes
  readonly #id: () => string
  #a: number
  #b: number
  #c: number
  #d: number

  constructor(seed: Uint32Array, bytes: Bytes) {
    this.#bytes = bytes
    this.#id = customRandom(urlAlphabet, 21, bytes)
    // All zeros is the one state xoshiro never leaves.
    this.#a = (seed[0] ?? 0) | 1
    this.#b = seed[1] ?? 0
    this.#c = seed[2] ?? 0
    this.#d = seed[3] ?? 0
  }

  next(): number {
    return this.#draw() / 2 ** 32
  }

  below(bound: number): number {
    return Math.floor(this.next() * bound)
  }

  bytes(count: number): Uint8Array {
    return this.#bytes(count)
  }

  id(): string {
    return this.#id()
  }

  fork(_purpose: string): Random {
    const seed = new Uint32Array(4)
    const bytes = this.#bytes(16)
    for (let i = 0; i < 16; i++) seed[i >> 2] = ((seed[i >> 2] ?? 0) << 8) | (bytes[i] ?? 0)
    return new Xoshiro128(seed, this.#bytes)
  }

  #draw(): number {
    const result = Math.imul(rotateLeft(Math.imul(this.#b, 5), 7), 9) >>> 0
    const shifted = this.#b << 9
    this.#c ^= this.#a
    this.#d ^= this.#b
    this.#b ^= this.#c
    this.#a ^= this.#d
    this.#c ^= shifted
    this.#d = rotateLeft(this.#d, 11)
    return result
  }
}

function rotateLeft(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}
