import { type Crdt, type Digest, type Replica, type Stamp } from './crdt.ts'
import { CrdtError } from './errors.ts'
import { ChangeIndex, type Tracked } from './internal/change-index.ts'
import { StampReader, StampWriter } from './internal/stamp-wire.ts'
import {
  checkUserValue,
  hashStamped,
  isLater,
  type Stamped,
  valueCodec,
} from './internal/stamped.ts'
import type { ByteReader } from './wire/byte-reader.ts'
import { type ByteWriter, isWellFormed } from './wire/byte-writer.ts'
import { malformed } from './wire/wire-error.ts'

export interface ReadonlyLWWMap<K extends string, V> {
  readonly size: number
  readonly changes: number
  readonly digest: Digest
  get(key: K): V | undefined
  has(key: K): boolean
  keys(): IterableIterator<K>
  values(): IterableIterator<V>
  entries(): IterableIterator<[K, V]>
  toJSON(): Record<K, V>
}

/**
 * A map in which the last writer of each key wins, by the stamps of hybrid clocks. A removal is a
 * write too: it leaves a tombstone that beats older puts, those included that arrive later, until
 * `forgetTombstones`. Values are plain data and must not be changed after they were put.
 */
export class LWWMap<K extends string, V> implements Crdt, ReadonlyLWWMap<K, V> {
  static readonly typeName = 'LWWMap'
  readonly #replica: Replica
  readonly #live = new Map<K, Entry<K, V>>()
  readonly #removed = new Map<K, Entry<K, V>>()
  readonly #index = new ChangeIndex<Entry<K, V>>((entry, hash) =>
    hashStamped(entry, hash.text(entry.key)),
  )

  private constructor(replica: Replica) {
    this.#replica = replica
  }

  static create<K extends string, V>(replica: Replica): LWWMap<K, V> {
    return new LWWMap<K, V>(replica)
  }

  get typeName(): string {
    return LWWMap.typeName
  }

  /** Keys that have a value. */
  get size(): number {
    return this.#live.size
  }

  /** Removals that are remembered. */
  get tombstones(): number {
    return this.#removed.size
  }

  get changes(): number {
    return this.#index.changes
  }

  get digest(): Digest {
    return this.#index.digest
  }

  get(key: K): V | undefined {
    return this.#live.get(key)?.value
  }

  has(key: K): boolean {
    return this.#live.has(key)
  }

  keys(): IterableIterator<K> {
    return this.#live.keys()
  }

  *values(): Generator<V> {
    for (const entry of this.#live.values()) yield entry.value as V
  }

  *entries(): Generator<[K, V]> {
    for (const entry of this.#live.values()) yield [entry.key, entry.value as V]
  }

  /**
   * Throws `INVALID_MAP_KEY` unless the key is a text of 1 to 1000 characters, `INVALID_VALUE` unless
   * the value is plain data of at most 64 KiB.
   */
  put(key: K, value: V): void {
    checkKey(key)
    checkUserValue(value)
    this.#write(key, value, false, this.#replica.stamp())
  }

  /** Removes the key here and from all who have not put it later, whether this replica has it or not. */
  remove(key: K): void {
    checkKey(key)
    this.#write(key, undefined, true, this.#replica.stamp())
  }

  /**
   * Forgets removals older than `olderThanWallMs`; returns how many. A replica that was away since
   * before then may bring back what was removed: keep them longer than any replica may be away.
   */
  forgetTombstones(olderThanWallMs: number): number {
    let forgotten = 0
    for (const entry of this.#removed.values()) {
      if (entry.stamp.wallMs >= olderThanWallMs) continue
      this.#removed.delete(entry.key)
      this.#index.drop(entry)
      forgotten++
    }
    return forgotten
  }

  writeChanges(writer: ByteWriter, since: number, bytesMax: number): number {
    const start = writer.length
    const stamps = new StampWriter()
    let reached = since
    for (let entry = this.#index.firstAfter(since); entry !== undefined; entry = entry.newer) {
      const before = writer.length
      writeEntry(writer, stamps, entry)
      if (writer.length - start > bytesMax && before > start) {
        writer.reset(before)
        break
      }
      reached = entry.change
      this.#index.stopAt(entry)
    }
    writer.byte(END)
    return reached
  }

  writeState(writer: ByteWriter): void {
    const stamps = new StampWriter()
    const entries = [...this.#live.values(), ...this.#removed.values()]
    for (const entry of entries.sort((a, b) => (a.key < b.key ? -1 : 1))) {
      writeEntry(writer, stamps, entry)
    }
    writer.byte(END)
  }

  /** As everywhere; entries whose stamp the replica refuses are left out. */
  merge(reader: ByteReader): boolean {
    const stamps = new StampReader()
    const entries: Entry<K, V>[] = []
    for (let kind = reader.byte(); kind !== END; kind = reader.byte()) {
      if (kind !== PUT && kind !== REMOVAL)
        throw malformed(`no kind of entry has the number ${kind}`)
      const stamp = stamps.read(reader)
      const key = reader.string(KEY_BYTES_MAX) as K
      if (key === '') throw malformed('an empty key')
      const value = kind === PUT ? (valueCodec.read(reader) as V) : undefined
      entries.push(new Entry(key, value, kind === REMOVAL, stamp))
    }
    let isChanged = false
    for (const entry of entries) {
      if (this.#replica.observe(entry.stamp)) isChanged = this.#mergeEntry(entry) || isChanged
    }
    return isChanged
  }

  *changedSince(since: number): Generator<K> {
    for (let entry = this.#index.firstAfter(since); entry !== undefined; entry = entry.newer) {
      yield entry.key
    }
  }

  includes(other: LWWMap<K, V>): boolean {
    return other.#isWithin(this.#live, this.#removed)
  }

  toJSON(): Record<K, V> {
    return Object.fromEntries(this.entries()) as Record<K, V>
  }

  #isWithin(live: ReadonlyMap<K, Stamped>, removed: ReadonlyMap<K, Stamped>): boolean {
    for (const mine of [this.#live, this.#removed]) {
      for (const entry of mine.values()) {
        const theirs = live.get(entry.key) ?? removed.get(entry.key)
        if (theirs === undefined || isLater(entry, theirs)) return false
      }
    }
    return true
  }

  #mergeEntry(entry: Entry<K, V>): boolean {
    const known = this.#find(entry.key)
    if (known !== undefined && !isLater(entry, known)) return false
    if (known === undefined) this.#insert(entry)
    else this.#overwrite(known, entry.value, entry.isRemoved, entry.stamp)
    return true
  }

  #find(key: K): Entry<K, V> | undefined {
    return this.#live.get(key) ?? (this.#removed.size > 0 ? this.#removed.get(key) : undefined)
  }

  #write(key: K, value: V | undefined, isRemoved: boolean, stamp: Stamp): void {
    const known = this.#find(key)
    if (known === undefined) this.#insert(new Entry(key, value, isRemoved, stamp))
    else this.#overwrite(known, value, isRemoved, stamp)
  }

  #insert(entry: Entry<K, V>): void {
    const entries = entry.isRemoved ? this.#removed : this.#live
    entries.set(entry.key, entry)
    this.#index.touch(entry)
  }

  #overwrite(entry: Entry<K, V>, value: V | undefined, isRemoved: boolean, stamp: Stamp): void {
    if (entry.isRemoved !== isRemoved) {
      const [from, to] = isRemoved ? [this.#live, this.#removed] : [this.#removed, this.#live]
      from.delete(entry.key)
      to.set(entry.key, entry)
    }
    entry.value = value
    entry.isRemoved = isRemoved
    entry.stamp = stamp
    this.#index.touch(entry)
  }
}

class Entry<K, V> implements Stamped, Tracked<Entry<K, V>> {
  change = 0
  older: Entry<K, V> | undefined
  newer: Entry<K, V> | undefined
  isHashed = false
  hashHigh = 0
  hashLow = 0
  readonly key: K
  value: V | undefined
  isRemoved: boolean
  stamp: Stamp

  constructor(key: K, value: V | undefined, isRemoved: boolean, stamp: Stamp) {
    this.key = key
    this.value = value
    this.isRemoved = isRemoved
    this.stamp = stamp
  }
}

function writeEntry<K extends string, V>(
  writer: ByteWriter,
  stamps: StampWriter,
  entry: Entry<K, V>,
): void {
  writer.byte(entry.isRemoved ? REMOVAL : PUT)
  stamps.write(writer, entry.stamp)
  writer.string(entry.key)
  if (!entry.isRemoved) valueCodec.write(writer, entry.value)
}

function checkKey(key: unknown): void {
  if (
    typeof key === 'string' &&
    key.length >= 1 &&
    key.length <= KEY_LENGTH_MAX &&
    isWellFormed(key)
  ) {
    return
  }
  throw new CrdtError(
    'INVALID_MAP_KEY',
    `a key is a well-formed text of 1 to ${KEY_LENGTH_MAX} characters, got ${
      typeof key === 'string' ? `one of ${key.length}` : typeof key
    }`,
  )
}

const KEY_LENGTH_MAX = 1_000
const KEY_BYTES_MAX = 3 * KEY_LENGTH_MAX
const END = 0
const PUT = 1
const REMOVAL = 2
