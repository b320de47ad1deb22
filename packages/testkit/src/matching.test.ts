import { describe, expect, it } from 'vitest'
import { matches } from './matching.ts'

class Secret {
  readonly #value: number
  constructor(value: number) {
    this.#value = value
  }
  reveal(): number {
    return this.#value
  }
}

class Comparable {
  readonly #value: number
  constructor(value: number) {
    this.#value = value
  }
  equals(other: unknown): boolean {
    return other instanceof Comparable && other.#value === this.#value
  }
}

const secret = new Secret(1)

describe('a probe takes a message for what was expected', () => {
  it.each([
    ['the same primitive', 3, 3],
    ['not a number', Number.NaN, Number.NaN],
    ['null', null, null],
    ['equal records', { a: [1, { b: 'x' }] }, { a: [1, { b: 'x' }] }],
    ['fields in another order', { a: 1, b: 2 }, { b: 2, a: 1 }],
    ['empty arrays', [], []],
    ['empty records', {}, {}],
    ['equal maps', new Map([['k', { v: 1 }]]), new Map([['k', { v: 1 }]])],
    ['equal sets', new Set([1, 2]), new Set([2, 1])],
    ['equal bytes', Uint8Array.of(1, 2), Uint8Array.of(1, 2)],
    ['equal dates', new Date(5), new Date(5)],
    ['values that say they are equal', new Comparable(1), new Comparable(1)],
    ['the same opaque instance', { secret }, { secret }],
  ])('when it is %s', (_, actual, expected) => {
    expect(matches(actual, expected)).toBe(true)
  })

  it.each([
    ['another primitive', 3, 4],
    ['zero with another sign', 0, -0],
    ['null for a record', null, {}],
    ['a record for null', {}, null],
    ['a missing field', { a: 1 }, { a: 1, b: 2 }],
    ['one field too many', { a: 1, b: 2 }, { a: 1 }],
    ['undefined for a missing field', { a: undefined }, {}],
    ['a deeper difference', { a: [{ b: 1 }] }, { a: [{ b: 2 }] }],
    ['a longer array', [1, 2], [1]],
    ['an array for a record', [], {}],
    ['another kind of object', new Set([1]), new Map([[1, 1]])],
    ['maps with another value', new Map([['k', 1]]), new Map([['k', 2]])],
    ['other bytes', Uint8Array.of(1), Uint8Array.of(2)],
    ['values that say they differ', new Comparable(1), new Comparable(2)],
    ['instances that hide what they hold', new Secret(1), new Secret(1)],
  ])('but not when it is %s', (_, actual, expected) => {
    expect(matches(actual, expected)).toBe(false)
  })
})
