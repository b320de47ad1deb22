import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkValue, decode, encode, value, WireError } from './index.ts'

const codec = value({ bytesMax: 10_000 })
const bytesOf = (data: unknown) => Buffer.from(encode(codec, data)).toString('hex')

describe('plain data', () => {
  const kinds: readonly unknown[] = [
    null,
    true,
    false,
    0,
    -0,
    1,
    -1,
    1.5,
    -1e300,
    Number.NaN,
    Infinity,
    Number.MIN_SAFE_INTEGER,
    2 ** 60,
    0n,
    -5n,
    12_345_678_901_234_567_890n,
    '',
    'grüße',
    new Date(-1),
    Uint8Array.of(1, 2),
    [1, [2, 'x']],
    { a: 1, b: { c: [null] } },
    new Map<unknown, unknown>([
      ['a', 1],
      [{ k: 1 }, new Set([1, 2])],
    ]),
  ]
  it.each(kinds.map((data) => [inspect(data), data]))('%s comes back', (_name, data) => {
    const back = decode(codec, encode(codec, data))

    expect(back).toStrictEqual(data)
    expect(bytesOf(back)).toBe(bytesOf(data))
  })

  it('has equal bytes whatever order it was put together in', () => {
    expect(bytesOf({ a: 1, b: 2 })).toBe(bytesOf({ b: 2, a: 1 }))
    expect(bytesOf({ 10: 1, 9: 2, b: 3 })).toBe(bytesOf({ b: 3, 9: 2, 10: 1 }))
    expect(bytesOf(new Set(['x', 'y']))).toBe(bytesOf(new Set(['y', 'x'])))
    expect(
      bytesOf(
        new Map([
          ['x', 1],
          ['y', 2],
        ]),
      ),
    ).toBe(
      bytesOf(
        new Map([
          ['y', 2],
          ['x', 1],
        ]),
      ),
    )
  })

  it('tells different things apart', () => {
    const all = [
      1,
      '1',
      1n,
      true,
      [1],
      { 1: 1 },
      new Set([1]),
      new Date(1),
      Uint8Array.of(1),
      -1,
      0,
      -0,
    ]

    expect(new Set(all.map(bytesOf)).size).toBe(all.length)
  })

  it('leaves out properties that are undefined', () => {
    expect(bytesOf({ a: 1, b: undefined })).toBe(bytesOf({ a: 1 }))
  })

  const deep = (depth: number): unknown => (depth === 0 ? [] : [deep(depth - 1)])
  class Point {
    readonly x = 1
  }
  const circular: unknown[] = []
  circular.push(circular)
  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['a function', () => 1],
    ['a symbol', Symbol('s')],
    ['an instance of a class', new Point()],
    ['an invalid Date', new Date(Number.NaN)],
    ['half a surrogate pair', 'a\ud800'],
    ['half a surrogate pair as a name', { 'a\ud800': 1 }],
    ['undefined in a list', [undefined]],
    ['too deep nesting', deep(40)],
    ['something that contains itself', circular],
    ['too many bytes', 'x'.repeat(10_001)],
    ['too many bytes after all', { a: 'é'.repeat(5_001) }],
    [
      'a Map with equal keys',
      new Map([
        [[1], 1],
        [[1], 2],
      ]),
    ],
  ])('%s is refused by the check as by the writer', (_name, data) => {
    expect(() => encode(codec, data)).toThrow(WireError)
    expect(() => checkValue(data, { bytesMax: 10_000 })).toThrow(WireError)
  })

  it('passes the check when it fits, even if only just', () => {
    checkValue('x'.repeat(9_997), { bytesMax: 10_000 })
    checkValue(deep(30), { bytesMax: 10_000 })
  })

  it('is read back by its own bytes or not at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        let data: unknown
        try {
          data = decode(codec, bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(WireError)
          return
        }
        expect(encode(codec, data)).toEqual(bytes)
      }),
      { numRuns: 2_000, seed: 1 },
    )
  })

  it('comes back whatever it is', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withNullPrototype: false,
      withTypedArray: false,
      values: [fc.double(), fc.string(), fc.boolean(), fc.constant(null), fc.bigInt()],
      maxDepth: 3,
    })
    fc.assert(
      fc.property(anything, (data) => {
        expect(decode(codec, encode(codec, data))).toStrictEqual(data)
      }),
      { numRuns: 300, seed: 1 },
    )
  })

  it('never becomes a prototype', () => {
    const hostile: unknown = JSON.parse(
      '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
    )
    const back = decode(codec, encode(codec, hostile)) as object

    expect(Object.getPrototypeOf(back)).toBe(Object.prototype)
    expect(Object.keys(back).sort()).toEqual(['__proto__', 'constructor'])
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })
})
