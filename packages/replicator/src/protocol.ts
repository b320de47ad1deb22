import type { Digest } from '@troupe/crdt'
import type { Protocol } from '@troupe/cluster/spi'
import {
  bytes,
  type Codec,
  list,
  literal,
  oneOf,
  record,
  string,
  uint,
  union,
} from '@troupe/crdt/wire'
import { BUCKETS, BUCKETS_BYTES } from './key-digests.ts'
import { KEY_LENGTH_MAX } from './key.ts'
import { REFUSAL_REASONS, type RefusalReason } from './replica-table.ts'
import { MESSAGE_BYTES_LIMIT } from './settings.ts'

/** A key and what its replica at the sender holds. */
export interface KeyDigest {
  readonly name: string
  readonly digest: Digest
}

/** What replicators say to each other. The sender is known from the link. */
export type ReplicatorMessage =
  /** Some changes of a key. Numbered messages are acknowledged or refused, else they come again. */
  | {
      readonly type: 'Delta'
      readonly number: number
      readonly name: string
      readonly valueType: string
      readonly state: Uint8Array
    }
  /** The key was deleted for good. */
  | { readonly type: 'Deletion'; readonly number: number; readonly name: string }
  /** You have everything that was here when you became a member. */
  | { readonly type: 'Complete'; readonly number: number }
  | { readonly type: 'Ack'; readonly numbers: readonly number[] }
  | { readonly type: 'Refused'; readonly number: number; readonly reason: RefusalReason }
  /** Repair, step by step: do we differ at all, in which buckets, in which keys? */
  | { readonly type: 'Root'; readonly digest: Digest }
  | { readonly type: 'Buckets'; readonly digests: Uint8Array }
  /** All keys of these buckets that have any content. */
  | {
      readonly type: 'Keys'
      readonly buckets: readonly number[]
      readonly keys: readonly KeyDigest[]
    }
  /** We differ in these; the digests are mine. */
  | { readonly type: 'Differing'; readonly keys: readonly KeyDigest[] }
  /** Send me what you have of these. */
  | { readonly type: 'Wanted'; readonly names: readonly string[] }
  /** What do you have of the key? `digest`: what I have. */
  | {
      readonly type: 'Read'
      readonly id: number
      readonly attempt: number
      readonly name: string
      readonly digest: Digest
    }
  /** One of several parts of the answer; `parts` is known with the last one, 0 before. */
  | {
      readonly type: 'ReadPart'
      readonly id: number
      readonly attempt: number
      readonly part: number
      readonly parts: number
      readonly valueType: string
      readonly state: Uint8Array
    }
  /** The whole answer, where no state has to be sent. */
  | {
      readonly type: 'ReadAnswer'
      readonly id: number
      readonly answer: 'Same' | 'Nothing' | 'Deleted'
    }

const name = string({ maxBytes: KEY_LENGTH_MAX * 4 })
const valueType = string({ maxBytes: 200 })
const state = bytes({ maxBytes: MESSAGE_BYTES_LIMIT })
const word = uint({ max: 0xffff_ffff })
const digest: Codec<Digest> = record<Digest>({ high: word, low: word })
const keyDigests = list(record<KeyDigest>({ name, digest }), { max: 100_000 })

const bucketDigests: Codec<Uint8Array> = {
  write: (writer, value) => writer.raw(value),
  read: (reader) => reader.raw(BUCKETS_BYTES).slice(),
}

const messageCodec: Codec<ReplicatorMessage> = union<ReplicatorMessage>({
  Delta: record({ type: literal('Delta'), number: uint(), name, valueType, state }),
  Deletion: record({ type: literal('Deletion'), number: uint(), name }),
  Complete: record({ type: literal('Complete'), number: uint() }),
  Ack: record({ type: literal('Ack'), numbers: list(uint(), { max: 100_000 }) }),
  Refused: record({ type: literal('Refused'), number: uint(), reason: oneOf(REFUSAL_REASONS) }),
  Root: record({ type: literal('Root'), digest }),
  Buckets: record({ type: literal('Buckets'), digests: bucketDigests }),
  Keys: record({
    type: literal('Keys'),
    buckets: list(uint({ max: BUCKETS - 1 }), { max: BUCKETS }),
    keys: keyDigests,
  }),
  Differing: record({ type: literal('Differing'), keys: keyDigests }),
  Wanted: record({ type: literal('Wanted'), names: list(name, { max: 100_000 }) }),
  Read: record({ type: literal('Read'), id: uint(), attempt: uint(), name, digest }),
  ReadPart: record({
    type: literal('ReadPart'),
    id: uint(),
    attempt: uint(),
    part: uint(),
    parts: uint(),
    valueType,
    state,
  }),
  ReadAnswer: record({
    type: literal('ReadAnswer'),
    id: uint(),
    answer: oneOf(['Same', 'Nothing', 'Deleted']),
  }),
})

/**
 * What waits this long for a link is of no use: whatever is not acknowledged or answered is sent again
 * anyway, and in a better version.
 */
export const replicatorProtocol: Protocol<ReplicatorMessage> = {
  name: 'replicator',
  stream: 'ordinary',
  codec: () => messageCodec,
  expiresAfterMs: 2_000,
  isRepeated: true,
}
