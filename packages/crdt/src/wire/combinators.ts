import type { ByteReader } from './byte-reader.ts'
import type { Codec } from './codec.ts'
import { malformed, notEncodable } from './wire-error.ts'

/** Codecs of the framework's own messages: small parts from which a schema is put together. */

export function boolean(): Codec<boolean> {
  return {
    write: (writer, value) => writer.byte(value ? 1 : 0),
    read: (reader) => {
      const byte = reader.byte()
      if (byte > 1) throw malformed(`expected 0 or 1, got ${byte}`)
      return byte === 1
    },
  }
}

/** An integer from 0 to `max`. Default: 2^53 - 1. */
export function uint(bounds: { readonly max?: number } = {}): Codec<number> {
  const max = bounds.max ?? Number.MAX_SAFE_INTEGER
  return {
    write: (writer, value) => {
      if (value > max) throw notEncodable(`expected at most ${max}, got ${value}`)
      writer.uint(value)
    },
    read: (reader) => reader.uint(max),
  }
}

/** A number with a fraction, NaN and the infinities included. */
export function float(): Codec<number> {
  return {
    write: (writer, value) => writer.float(value),
    read: (reader) => reader.float(),
  }
}

export function string(bounds: { readonly maxBytes: number }): Codec<string> {
  const { maxBytes } = bounds
  return {
    write: (writer, value) => {
      const before = writer.length
      writer.string(value)
      // The bytes of the length in front count too here: only a text near the bound is measured.
      if (writer.length - before <= maxBytes) return
      const length = utf8Length(value)
      if (length > maxBytes) {
        throw notEncodable(`expected a text of at most ${maxBytes} bytes, got ${length}`)
      }
    },
    read: (reader) => reader.string(maxBytes),
  }
}

export function bytes(bounds: { readonly maxBytes: number }): Codec<Uint8Array> {
  const { maxBytes } = bounds
  return {
    write: (writer, value) => {
      if (value.length > maxBytes) {
        throw notEncodable(`expected at most ${maxBytes} bytes, got ${value.length}`)
      }
      writer.bytes(value)
    },
    read: (reader) => reader.bytes(maxBytes),
  }
}

/** Up to `max` items, in order. */
export function list<T>(item: Codec<T>, bounds: { readonly max: number }): Codec<readonly T[]> {
  return {
    write: (writer, items) => {
      writer.uint(checkedCount(items.length, bounds.max))
      for (const each of items) item.write(writer, each)
    },
    read: (reader) => {
      const items: T[] = []
      for (let count = countOf(reader, bounds.max); count > 0; count--)
        items.push(item.read(reader))
      return items
    },
  }
}

/** Up to `max` entries, in the order of the map. A key that comes twice is malformed. */
export function map<K, V>(
  key: Codec<K>,
  value: Codec<V>,
  bounds: { readonly max: number },
): Codec<ReadonlyMap<K, V>> {
  return {
    write: (writer, entries) => {
      writer.uint(checkedCount(entries.size, bounds.max))
      for (const [eachKey, eachValue] of entries) {
        key.write(writer, eachKey)
        value.write(writer, eachValue)
      }
    },
    read: (reader) => {
      const entries = new Map<K, V>()
      for (let count = countOf(reader, bounds.max); count > 0; count--) {
        const each = key.read(reader)
        if (entries.has(each)) throw malformed('a key comes twice')
        entries.set(each, value.read(reader))
      }
      return entries
    },
  }
}

/** A text that is always the same and takes no bytes. */
export function literal<const S extends string>(text: S): Codec<S> {
  return {
    write: (_writer, value) => {
      if (value !== text) throw notEncodable(`expected ${text}, got ${String(value)}`)
    },
    read: () => text,
  }
}

/** One of a few texts, as its place in the list: append to the list, never reorder it. */
export function oneOf<const S extends string>(texts: readonly S[]): Codec<S> {
  const places = new Map(texts.map((text, place) => [text, place]))
  return {
    write: (writer, value) => {
      const place = places.get(value)
      if (place === undefined)
        throw notEncodable(`expected one of ${texts.join(', ')}, got ${value}`)
      writer.uint(place)
    },
    read: (reader) => {
      const text = texts[reader.uint()]
      if (text === undefined) throw malformed(`expected one of ${texts.length} texts`)
      return text
    },
  }
}

/** A value or nothing. */
export function optional<T>(codec: Codec<T>): Codec<T | undefined> {
  const isThere = boolean()
  return {
    write: (writer, value) => {
      isThere.write(writer, value !== undefined)
      if (value !== undefined) codec.write(writer, value)
    },
    read: (reader) => (isThere.read(reader) ? codec.read(reader) : undefined),
  }
}

/** Fields by name, written in the order of the schema without their names. */
export function record<T extends object>(fields: {
  readonly [K in keyof T]-?: Codec<T[K]>
}): Codec<T> {
  const schema = Object.entries(fields) as [string, Codec<unknown>][]
  return {
    write: (writer, value) => {
      for (const [name, codec] of schema)
        codec.write(writer, (value as Record<string, unknown>)[name])
    },
    read: (reader) => {
      const value: Record<string, unknown> = {}
      for (const [name, codec] of schema) value[name] = codec.read(reader)
      return value as T
    },
  }
}

/** One of several records, told apart by `type`. Append to the list, never reorder it. */
export function union<T extends { readonly type: string }>(variants: {
  readonly [K in T['type']]: Codec<Extract<T, { readonly type: K }>>
}): Codec<T> {
  const codecs = Object.values(variants) as Codec<T>[]
  const places = new Map(Object.keys(variants).map((type, place) => [type, place]))
  return {
    write: (writer, value) => {
      const place = places.get(value.type)
      const codec = place === undefined ? undefined : codecs[place]
      if (place === undefined || codec === undefined) {
        throw notEncodable(`no message has the type ${value.type}`)
      }
      writer.uint(place)
      codec.write(writer, value)
    },
    read: (reader) => {
      const codec = codecs[reader.uint()]
      if (codec === undefined) throw malformed(`expected one of ${codecs.length} messages`)
      return codec.read(reader)
    },
  }
}

function checkedCount(count: number, max: number): number {
  if (count > max) throw notEncodable(`expected at most ${max} entries, got ${count}`)
  return count
}

function countOf(reader: ByteReader, max: number): number {
  const count = reader.uint()
  if (count > max) throw malformed(`expected at most ${max} entries, got ${count}`)
  return count
}

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length
}
