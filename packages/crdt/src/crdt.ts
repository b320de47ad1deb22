import { ByteReader } from './wire/byte-reader.ts'
import { ByteWriter } from './wire/byte-writer.ts'

/**
 * When something was written and by whom. Stamps are totally ordered: by time, then counter, then
 * replica, compared by code unit. A replica gives each stamp once.
 */
export interface Stamp {
  /** Wall time in whole milliseconds, moved forward where the clock did not advance. */
  readonly wallMs: number
  /** Tells apart the stamps of one millisecond. */
  readonly counter: number
  readonly replica: string
}

/**
 * Who writes, and when: given to each value when it is made. One per incarnation of a node: a node
 * that comes back without its memory must come back under a new id.
 */
export interface Replica {
  /** 1 to 64 bytes. */
  readonly id: string
  /** A stamp later than every other this replica gave or observed. */
  stamp(): Stamp
  /** Learns of a stamp from elsewhere. False when it is too far ahead of this clock: refuse what bears it. */
  observe(stamp: Stamp): boolean
}

/** 64 bits, as two unsigned numbers of 32, that tell whether two replicas hold the same. */
export interface Digest {
  readonly high: number
  readonly low: number
}

/**
 * A replicated value: mutable, with one owner. Writers on different nodes never wait for each other;
 * what they wrote is merged, and these laws make all replicas agree in the end:
 *
 * - Merging is commutative, associative and idempotent: order, repetition and grouping do not matter.
 * - A delta is part of a state and is merged the same way. Whoever has merged the deltas, in any
 *   order, however often, has what a merge of the states gives; one that was lost may come later.
 * - A merge never takes away knowledge: afterwards the value `includes` both what it was and what
 *   was merged.
 * - Equal states have equal bytes (`writeState`) and equal digests; reading back what was written
 *   gives an equal state.
 *
 * The value keeps an index of its changes: each change of an entry gets the next number, whoever made
 * it, and only the latest change of an entry is kept. So "what is new since n" costs what is new, needs
 * no log, and serves a peer that was away for a second or a day alike. Numbers mean nothing elsewhere.
 */
export interface Crdt {
  readonly typeName: string
  /** The number of the latest change; 0 at first. */
  readonly changes: number
  /** Of the content as users see it and who wrote it when; removals that are remembered are not in it. */
  readonly digest: Digest
  /**
   * Writes a delta of all entries that changed after number `since` (0: everything), oldest change
   * first, up to about `bytesMax` bytes but at least one entry. Returns the number it got to: more
   * is left while that is below `changes`.
   */
  writeChanges(writer: ByteWriter, since: number, bytesMax: number): number
  /** Writes all of it, in an order that depends on nothing but the state: a delta like any other. */
  writeState(writer: ByteWriter): void
  /**
   * Merges a delta that `writeChanges` or `writeState` wrote. True when something changed. Throws a
   * `WireError` on bytes that make no sense, and has changed nothing then.
   */
  merge(reader: ByteReader): boolean
  /**
   * Types that remember removals by time forget those older than `olderThanWallMs`, and return how
   * many. A replica that was away since before then may bring back what was removed.
   */
  forgetTombstones?(olderThanWallMs: number): number
  /** Names of the entries that changed after number `since`: keys, elements or replica ids. */
  changedSince(since: number): Iterable<unknown>
  /** Whether this has everything `other`, of the same type, has: what a threshold read waits for. */
  includes(other: this): boolean
  /** The value as plain data for people. */
  toJSON(): unknown
}

/** A kind of value; each class is one. */
export interface CrdtType<T extends Crdt> {
  /** Part of what nodes must agree on. */
  readonly typeName: string
  create(replica: Replica): T
}

/** The canonical bytes of a value: equal for equal states, and good to be merged. */
export function encodeState(value: Crdt): Uint8Array {
  const writer = new ByteWriter()
  value.writeState(writer)
  return writer.finish()
}

/**
 * Merges what `encodeState` gave, of this replica or another one. True when something changed. Throws
 * a `WireError` on bytes that make no sense.
 */
export function mergeState(value: Crdt, state: Uint8Array): boolean {
  return value.merge(new ByteReader(state))
}

/** Sixteen hexadecimal digits. */
export function formatDigest(digest: Digest): string {
  return digest.high.toString(16).padStart(8, '0') + digest.low.toString(16).padStart(8, '0')
}

export function isSameDigest(a: Digest, b: Digest): boolean {
  return a.high === b.high && a.low === b.low
}

/** Most bytes of one value of users inside a replicated value. */
export const VALUE_BYTES_MAX = 65_536
/** Most bytes of a replica's id. */
export const REPLICA_ID_BYTES_MAX = 64
