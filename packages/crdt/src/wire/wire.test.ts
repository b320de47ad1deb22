import { describe, expect, it } from 'vitest'
import {
  boolean,
  ByteReader,
  ByteWriter,
  bytes,
  type Codec,
  decode,
  encode,
  list,
  literal,
  map,
  oneOf,
  optional,
  record,
  string,
  uint,
  union,
  WireError,
} from './index.ts'

describe('numbers and texts', () => {
  it.each([
    0,
    1,
    127,
    128,
    16_383,
    16_384,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 32,
    2 ** 49,
    Number.MAX_SAFE_INTEGER,
  ])('%d comes back', (value) => {
    expect(decode(uint(), encode(uint(), value))).toBe(value)
  })

  it.each([-1, 0.5, Number.NaN, Infinity, 2 ** 53])(
    '%d is refused as an unsigned integer',
    (value) => {
      expect(() => encode(uint(), value)).toThrow(WireError)
    },
  )

  it.each([0, -1, 1, -64, 64, 2 ** 52 - 1, -(2 ** 52) + 1])(
    '%d comes back as a signed integer',
    (value) => {
      const writer = new ByteWriter()
      writer.int(value)

      expect(new ByteReader(writer.finish()).int()).toBe(value)
    },
  )

  it.each([
    '',
    'a',
    'grüße',
    'é'.repeat(40),
    'é'.repeat(100),
    'x'.repeat(300),
    '\ufeffmark',
    '𝒳\u0000',
  ])('the text %j comes back', (text) => {
    const codec = string({ maxBytes: 1_000 })

    expect(decode(codec, encode(codec, text))).toBe(text)
  })

  it('refuses half a surrogate pair, which would come back as another text', () => {
    expect(() => encode(string({ maxBytes: 10 }), '\ud800')).toThrow(WireError)
  })

  it('refuses a number spelled longer than it must be', () => {
    expect(() => new ByteReader(Uint8Array.of(0x80, 0x00)).uint()).toThrow(WireError)
  })

  it('refuses numbers above 2^53 - 1 and numbers without end', () => {
    const tooLarge = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f)

    expect(() => new ByteReader(tooLarge).uint()).toThrow(WireError)
    expect(() => new ByteReader(new Uint8Array(100).fill(0xff)).uint()).toThrow(WireError)
  })

  it('does not believe a length that is longer than what follows', () => {
    const lying = Uint8Array.of(0xff, 0xff, 0xff, 0x7f, 1, 2, 3)

    expect(() => new ByteReader(lying).view()).toThrow(WireError)
    expect(() => new ByteReader(lying).string(2 ** 40)).toThrow(WireError)
    expect(() => new ByteReader(lying).raw(8)).toThrow(WireError)
  })

  it('bounds texts and bytes when writing as when reading', () => {
    const long = string({ maxBytes: 100 })

    expect(() => encode(string({ maxBytes: 2 }), 'abc')).toThrow(WireError)
    expect(() => encode(string({ maxBytes: 3 }), 'éé')).toThrow(WireError)
    expect(() => decode(string({ maxBytes: 2 }), encode(long, 'abc'))).toThrow(WireError)
    expect(() => encode(bytes({ maxBytes: 2 }), new Uint8Array(3))).toThrow(WireError)
    expect(encode(string({ maxBytes: 3 }), 'abc')).toHaveLength(4)
  })
})

type Message =
  | { readonly type: 'Put'; readonly key: string; readonly counts: readonly number[] }
  | { readonly type: 'Forget'; readonly all: boolean; readonly why: 'Old' | 'Full' }

const messageCodec: Codec<Message> = union<Message>({
  Put: record({
    type: literal('Put'),
    key: string({ maxBytes: 10 }),
    counts: list(uint(), { max: 3 }),
  }),
  Forget: record({ type: literal('Forget'), all: boolean(), why: oneOf(['Old', 'Full']) }),
})

describe('a schema', () => {
  it.each<Message>([
    { type: 'Put', key: 'a', counts: [1, 2, 300] },
    { type: 'Forget', all: true, why: 'Full' },
  ])('brings back $type', (message) => {
    expect(decode(messageCodec, encode(messageCodec, message))).toEqual(message)
  })

  it('refuses a variant it does not know, too many items, and bytes left over', () => {
    const put = encode(messageCodec, { type: 'Put', key: 'a', counts: [] })

    expect(() => decode(messageCodec, Uint8Array.of(2))).toThrow(WireError)
    expect(() => encode(messageCodec, { type: 'Put', key: 'a', counts: [1, 2, 3, 4] })).toThrow(
      WireError,
    )
    expect(() => decode(messageCodec, Uint8Array.of(0, 1, 97, 4, 0, 0, 0, 0))).toThrow(WireError)
    expect(() => decode(messageCodec, Uint8Array.of(...put, 0))).toThrow(WireError)
  })

  it('refuses a key that comes twice', () => {
    const codec = map(uint(), boolean(), { max: 5 })

    expect(decode(codec, Uint8Array.of(2, 1, 0, 2, 1))).toEqual(
      new Map([
        [1, false],
        [2, true],
      ]),
    )
    expect(() => decode(codec, Uint8Array.of(2, 1, 0, 1, 1))).toThrow(WireError)
  })

  it('tells nothing from something', () => {
    const codec = optional(uint())

    expect(decode(codec, encode(codec, undefined))).toBeUndefined()
    expect(decode(codec, encode(codec, 0))).toBe(0)
  })

  it('is usable again after a write that failed half-way', () => {
    expect(() => encode(list(uint(), { max: 2 }), [1, -1])).toThrow(WireError)

    expect(encode(uint(), 7)).toEqual(Uint8Array.of(7))
  })
})
