import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { malformed } from './wire-error.ts'

/** How values of one type stand in bytes. What `read` returns has passed the schema. */
export interface Codec<T> {
  /** Throws a `WireError`, code `NOT_ENCODABLE`, when the value does not fit. */
  write(writer: ByteWriter, value: T): void
  /** Throws a `WireError`, code `MALFORMED`, when the bytes do not fit. */
  read(reader: ByteReader): T
}

/** The value as bytes, which the caller owns. */
export function encode<T>(codec: Codec<T>, value: T): Uint8Array {
  const writer = spare ?? new ByteWriter()
  spare = undefined
  try {
    codec.write(writer, value)
    return writer.finish()
  } finally {
    writer.reset()
    if (writer.capacity <= SPARE_BYTES_MAX) spare = writer
  }
}

/** The value in `bytes`, all of them: bytes left over are `MALFORMED`. */
export function decode<T>(codec: Codec<T>, bytes: Uint8Array): T {
  const reader = new ByteReader(bytes)
  const value = codec.read(reader)
  if (reader.remaining > 0) throw malformed(`${reader.remaining} bytes too many`)
  return value
}

// Scratch space between two calls, not state: a buffer that nobody is writing to.
let spare: ByteWriter | undefined
const SPARE_BYTES_MAX = 65_536
