/** The part of a platform's chance this application draws from. */
export interface Random {
  /** A number in [0, 1). */
  next(): number
  /** A whole number in [0, bound). */
  below(bound: number): number
}

/**
 * Repeatable chance: the same seed gives the same draws on every machine.
 *
 * Three words of state are mixed and a counter makes short cycles impossible (the "small fast
 * counting" design by Chris Doty-Humphrey). For traffic and tests; never for secrets.
 */
export class SeededRandom implements Random {
  #a: number
  #b: number
  #c = 0
  #counter = 1

  constructor(seed: number) {
    this.#a = seed | 0
    this.#b = Math.floor(seed / 2 ** 32) | 0
    // The first draws of neighbouring seeds look alike until the words have mixed.
    for (let i = 0; i < 12; i++) this.next()
  }

  next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return (sum >>> 0) / 2 ** 32
  }

  below(bound: number): number {
    return Math.floor(this.next() * bound)
  }
}
