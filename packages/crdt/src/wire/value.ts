import { ByteReader } from './byte-reader.ts'
import { ByteWriter, isWellFormed } from './byte-writer.ts'
import type { Codec } from './codec.ts'
import { malformed, notEncodable } from './wire-error.ts'

export interface ValueBounds {
  /** Most bytes of one value, all that is in it included. */
  readonly bytesMax: number
}

/**
 * Plain data of users: null, boolean, number, bigint, string, Uint8Array, Date, and arrays, plain
 * objects, Maps and Sets of these. Properties that are undefined are left out, as in JSON.
 *
 * Equal data has equal bytes: objects are written by the order of their names, Maps and Sets by that
 * of their bytes, numbers in one spelling, and bytes in any other form are refused. Nesting, size and
 * names are bounded, and no name (`__proto__`) ever becomes a prototype.
 */
export function value(bounds: ValueBounds): Codec<unknown> {
  const { bytesMax } = bounds
  return {
    write: (writer, data) => {
      const start = writer.length
      writeValue(writer, data, 0)
      const length = writer.length - start
      if (length > bytesMax) {
        throw notEncodable(`expected data of at most ${bytesMax} bytes, got ${length}`)
      }
    },
    read: (reader) => {
      const start = reader.position
      const data = readValue(reader, 0)
      if (reader.position - start > bytesMax) throw malformed(`data of more than ${bytesMax} bytes`)
      return data
    },
  }
}

/** Throws `NOT_ENCODABLE` when `data` is not plain data within the bounds. Cheaper than writing it. */
export function checkValue(data: unknown, bounds: ValueBounds): void {
  const most = bytesAtMost(data, 0)
  // The estimate counts three bytes for each character; only what might be too large is measured.
  if (most > bounds.bytesMax) value(bounds).write(new ByteWriter(), data)
}

function writeValue(writer: ByteWriter, data: unknown, depth: number): void {
  switch (typeof data) {
    case 'string':
      writer.byte(STRING)
      writer.string(data)
      return
    case 'number':
      writeNumber(writer, data)
      return
    case 'boolean':
      writer.byte(data ? TRUE : FALSE)
      return
    case 'bigint':
      writeBigint(writer, data)
      return
    case 'object':
      if (data === null) writer.byte(NULL)
      else writeObject(writer, data, depth)
      return
    case 'undefined':
    case 'function':
    case 'symbol':
      break
  }
  throw notPlain(data)
}

function writeNumber(writer: ByteWriter, data: number): void {
  if (Number.isSafeInteger(data) && !Object.is(data, -0)) {
    writer.byte(data < 0 ? NEGATIVE : INTEGER)
    writer.uint(Math.abs(data))
  } else if (Number.isNaN(data)) {
    writer.byte(NOT_A_NUMBER)
  } else {
    writer.byte(FLOAT)
    writer.float(data)
  }
}

function writeBigint(writer: ByteWriter, data: bigint): void {
  const digits = (data < 0n ? -data : data).toString(16)
  if (digits.length > BIGINT_DIGITS_MAX) throw notEncodable('a bigint of more than 4096 bits')
  writer.byte(data < 0n ? NEGATIVE_BIGINT : BIGINT)
  writer.string(digits)
}

function writeObject(writer: ByteWriter, data: object, depth: number): void {
  if (depth >= DEPTH_MAX) throw tooDeep()
  if (Array.isArray(data)) {
    writer.byte(ARRAY)
    writer.uint(data.length)
    for (const item of data as readonly unknown[]) writeValue(writer, item, depth + 1)
  } else if (isPlain(data)) {
    writeRecord(writer, data as Record<string, unknown>, depth)
  } else if (data instanceof Uint8Array) {
    writer.byte(BYTES)
    writer.bytes(data)
  } else if (data instanceof Date) {
    const wallMs = data.getTime()
    if (Number.isNaN(wallMs)) throw notEncodable('an invalid Date')
    writer.byte(DATE)
    writer.float(wallMs)
  } else if (data instanceof Map) {
    writeSorted(writer, MAP, data.size, data, depth)
  } else if (data instanceof Set) {
    writeSorted(writer, SET, data.size, data, depth)
  } else throw notPlain(data)
}

function writeRecord(writer: ByteWriter, data: Record<string, unknown>, depth: number): void {
  const names: string[] = []
  let isSorted = true
  for (const name of Object.keys(data)) {
    if (data[name] === undefined) continue
    isSorted &&= names.length === 0 || (names.at(-1) ?? '') < name
    names.push(name)
  }
  if (!isSorted) names.sort(byCodeUnit)
  writer.byte(OBJECT)
  writer.uint(names.length)
  for (const name of names) {
    writer.string(name)
    writeValue(writer, data[name], depth + 1)
  }
}

/** Maps and Sets have an order that says nothing: their entries go by their bytes. */
function writeSorted(
  writer: ByteWriter,
  kind: typeof MAP | typeof SET,
  size: number,
  entries: Iterable<unknown>,
  depth: number,
): void {
  writer.byte(kind)
  writer.uint(size)
  const written: { readonly key: Uint8Array; readonly value: Uint8Array }[] = []
  const scratch = new ByteWriter()
  for (const entry of entries) {
    const [key, item] = kind === MAP ? (entry as [unknown, unknown]) : [entry, undefined]
    scratch.reset()
    writeValue(scratch, key, depth + 1)
    const keyBytes = scratch.finish()
    scratch.reset()
    if (kind === MAP) writeValue(scratch, item, depth + 1)
    written.push({ key: keyBytes, value: scratch.finish() })
  }
  written.sort((a, b) => compareBytes(a.key, b.key))
  for (const [index, each] of written.entries()) {
    const before = written[index - 1]
    if (before !== undefined && compareBytes(before.key, each.key) === 0) {
      throw notEncodable('a Map or Set with two equal keys')
    }
    writer.raw(each.key)
    writer.raw(each.value)
  }
}

function readValue(reader: ByteReader, depth: number): unknown {
  const kind = reader.byte()
  switch (kind) {
    case NULL:
      return null
    case FALSE:
      return false
    case TRUE:
      return true
    case INTEGER:
      return reader.uint()
    case NEGATIVE: {
      const magnitude = reader.uint()
      if (magnitude === 0) throw malformed('zero with a sign')
      return -magnitude
    }
    case FLOAT: {
      const data = reader.float()
      if (Number.isNaN(data) || (Number.isSafeInteger(data) && !Object.is(data, -0))) {
        throw malformed('a number in another spelling than its own')
      }
      return data
    }
    case NOT_A_NUMBER:
      return Number.NaN
    case STRING:
      return reader.string()
    case BYTES:
      return reader.bytes()
    case BIGINT:
    case NEGATIVE_BIGINT:
      return readBigint(reader, kind === NEGATIVE_BIGINT)
    case DATE: {
      const wallMs = reader.float()
      if (!Number.isInteger(wallMs) || Math.abs(wallMs) > DATE_MAX || Object.is(wallMs, -0)) {
        throw malformed('a Date out of range')
      }
      return new Date(wallMs)
    }
    default:
      return readNested(reader, kind, depth)
  }
}

function readBigint(reader: ByteReader, isNegative: boolean): bigint {
  const digits = reader.string(BIGINT_DIGITS_MAX)
  if (!/^(?:0|[1-9a-f][0-9a-f]*)$/.test(digits) || (isNegative && digits === '0')) {
    throw malformed('a bigint in another spelling than its own')
  }
  const magnitude = BigInt(`0x${digits}`)
  return isNegative ? -magnitude : magnitude
}

function readNested(reader: ByteReader, kind: number, depth: number): unknown {
  if (kind !== ARRAY && kind !== OBJECT && kind !== MAP && kind !== SET) {
    throw malformed(`no kind of data has the number ${kind}`)
  }
  if (depth >= DEPTH_MAX) throw malformed(`data nested deeper than ${DEPTH_MAX}`)
  // Each entry takes at least a byte, so a count beyond what is left is a lie.
  const count = reader.uint(reader.remaining)
  if (kind === ARRAY) {
    const items: unknown[] = []
    for (let index = 0; index < count; index++) items.push(readValue(reader, depth + 1))
    return items
  }
  return kind === OBJECT ? readRecord(reader, count, depth) : readSorted(reader, kind, count, depth)
}

function readRecord(reader: ByteReader, count: number, depth: number): Record<string, unknown> {
  const data: Record<string, unknown> = {}
  let before: string | undefined
  for (let index = 0; index < count; index++) {
    const name = reader.string()
    if (before !== undefined && before >= name) throw malformed('names out of order')
    before = name
    const item = readValue(reader, depth + 1)
    if (name === '__proto__') {
      Object.defineProperty(data, name, {
        value: item,
        enumerable: true,
        configurable: true,
        writable: true,
      })
    } else data[name] = item
  }
  return data
}

function readSorted(reader: ByteReader, kind: number, count: number, depth: number): unknown {
  const entries = new Map<unknown, unknown>()
  let before: Uint8Array | undefined
  for (let index = 0; index < count; index++) {
    const start = reader.position
    const key = readValue(reader, depth + 1)
    const keyBytes = reader.since(start)
    if (before !== undefined && compareBytes(before, keyBytes) >= 0) {
      throw malformed('the entries of a Map or Set out of order')
    }
    before = keyBytes
    entries.set(key, kind === MAP ? readValue(reader, depth + 1) : undefined)
  }
  return kind === MAP ? entries : new Set(entries.keys())
}

/** Most bytes the data can take. Throws where writing would. */
function bytesAtMost(data: unknown, depth: number): number {
  switch (typeof data) {
    case 'string':
      if (!isWellFormed(data)) throw notEncodable('a text with half a surrogate pair')
      return OVERHEAD + 3 * data.length
    case 'number':
    case 'boolean':
      return OVERHEAD
    case 'bigint':
      writeBigint(new ByteWriter(), data)
      return OVERHEAD + BIGINT_DIGITS_MAX
    case 'object':
      return data === null ? OVERHEAD : objectBytesAtMost(data, depth)
    case 'undefined':
    case 'function':
    case 'symbol':
      break
  }
  throw notPlain(data)
}

function objectBytesAtMost(data: object, depth: number): number {
  if (depth >= DEPTH_MAX) throw tooDeep()
  let most = OVERHEAD
  if (Array.isArray(data)) {
    for (const item of data as readonly unknown[]) most += bytesAtMost(item, depth + 1)
  } else if (isPlain(data)) {
    for (const name of Object.keys(data)) {
      const item = (data as Record<string, unknown>)[name]
      if (item === undefined) continue
      most += bytesAtMost(name, depth + 1) + bytesAtMost(item, depth + 1)
    }
  } else if (data instanceof Uint8Array) most += data.length
  else {
    // Rare enough to be simply tried.
    const writer = new ByteWriter()
    writeObject(writer, data, depth)
    most += writer.length
  }
  return most
}

function isPlain(data: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(data)
  return prototype === Object.prototype || prototype === null
}

/** Orders bytes by the first that differs, shorter ones first. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : 1
}

function notPlain(data: unknown): Error {
  const what = typeof data === 'object' ? 'an instance of a class' : typeof data
  return notEncodable(`expected plain data, got ${what}`)
}

function tooDeep(): Error {
  return notEncodable(`expected data nested at most ${DEPTH_MAX} deep; does it contain itself?`)
}

const NULL = 0
const FALSE = 1
const TRUE = 2
const INTEGER = 3
const NEGATIVE = 4
const FLOAT = 5
const NOT_A_NUMBER = 6
const STRING = 7
const BYTES = 8
const BIGINT = 9
const NEGATIVE_BIGINT = 10
const DATE = 11
const ARRAY = 12
const OBJECT = 13
const MAP = 14
const SET = 15
const DEPTH_MAX = 32
const BIGINT_DIGITS_MAX = 1_024
const DATE_MAX = 8.64e15
/** Kind and length of anything, or the whole of a number. */
const OVERHEAD = 9
