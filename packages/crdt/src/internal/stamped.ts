import { type Stamp, VALUE_BYTES_MAX } from '../crdt.ts'
import { CrdtError } from '../errors.ts'
import { compareStamps } from '../hybrid-clock.ts'
import { ByteWriter } from '../wire/byte-writer.ts'
import { encode } from '../wire/codec.ts'
import { checkValue, compareBytes, value } from '../wire/value.ts'
import { WireError } from '../wire/wire-error.ts'
import type { EntryHash } from './hash.ts'

/** Data of users with the stamp of who wrote it; `isRemoved`: that there is none is what was written. */
export interface Stamped {
  readonly value: unknown
  readonly isRemoved: boolean
  readonly stamp: Stamp
}

export const valueCodec: ReturnType<typeof value> = value({ bytesMax: VALUE_BYTES_MAX })

/**
 * Whether `a` wins over `b`. The later stamp does. A replica gives each stamp once, so equal stamps
 * mean that somebody breaks the rules; even then all must agree: removals win, then greater bytes.
 */
export function isLater(a: Stamped, b: Stamped): boolean {
  const order = compareStamps(a.stamp, b.stamp)
  if (order !== 0) return order > 0
  if (a.isRemoved || b.isRemoved) return a.isRemoved && !b.isRemoved
  return compareBytes(encode(valueCodec, a.value), encode(valueCodec, b.value)) > 0
}

/** Throws `INVALID_VALUE` when `data` could not be sent to others. */
export function checkUserValue(data: unknown): void {
  try {
    checkValue(data, { bytesMax: VALUE_BYTES_MAX })
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    throw new CrdtError('INVALID_VALUE', `a replicated value cannot hold this: ${error.message}`, {
      cause: error,
    })
  }
}

/** Feeds an entry into a hash. False when it is a removal, which does not count. */
export function hashStamped(entry: Stamped, hash: EntryHash): boolean {
  if (entry.isRemoved) return false
  const { stamp } = entry
  hash.number(stamp.wallMs).number(stamp.counter).text(stamp.replica)
  scratch.reset()
  valueCodec.write(scratch, entry.value)
  hash.bytes(scratch.view())
  return true
}

// Space to write in for the moment of hashing, not state.
const scratch = new ByteWriter()
