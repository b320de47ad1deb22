import {
  type Crdt,
  type CrdtType,
  crdtTypeNamed,
  type Digest,
  isSameDigest,
  type Replica,
} from '@troupe/crdt'
import { ByteReader, ByteWriter } from '@troupe/crdt/wire'
import { ReplicatorError } from './errors.ts'
import {
  bucketOf,
  BUCKETS,
  contribution,
  hashName,
  KeyDigests,
  type NameHash,
} from './key-digests.ts'
import type { AnyKey } from './key.ts'

/** One replicated value of this node, or the memory of one that was deleted. */
export class Entry {
  readonly name: string
  /** Undefined for a key that was deleted before its value was ever seen here. */
  readonly type: CrdtType<Crdt> | undefined
  readonly hash: NameHash
  readonly bucket: number
  /** Undefined once deleted. */
  value: Crdt | undefined
  /** The change number after the last write made here, others' writes not counted. */
  writtenUpTo = 0
  /** When it last changed, whoever changed it; on the monotonic clock. */
  changedAt = 0
  /** How often in a row a repair was put off because the key was changing. */
  putOff = 0
  contributed: Digest = NOTHING
  #deletedAs = 0

  constructor(name: string, type: CrdtType<Crdt> | undefined, value: Crdt | undefined) {
    this.name = name
    this.type = type
    this.value = value
    this.hash = hashName(name)
    this.bucket = bucketOf(this.hash)
  }

  /** Grows with everything that happens to the key. */
  get changes(): number {
    return this.value?.changes ?? this.#deletedAs
  }

  get isDeleted(): boolean {
    return this.value === undefined
  }

  /** Equal on replicas with equal content; zero for a key without content, as if it were not there. */
  get digest(): Digest {
    return this.value?.digest ?? DELETED
  }

  delete(): void {
    this.#deletedAs = this.changes + 1
    this.value = undefined
  }
}

/** What became of changes that came from elsewhere. */
export type MergeOutcome = 'Changed' | 'Same' | 'Deleted' | RefusalReason
export const REFUSAL_REASONS = [
  'Undecodable',
  'UnknownType',
  'OtherType',
  'StampTooFarAhead',
] as const
/** Why changes from elsewhere were not (or not all) taken. */
export type RefusalReason = (typeof REFUSAL_REASONS)[number]

export function isRefusal(outcome: MergeOutcome): outcome is RefusalReason {
  return (REFUSAL_REASONS as readonly string[]).includes(outcome)
}

export type UpdateOutcome =
  | { readonly type: 'Updated'; readonly entry: Entry; readonly from: number }
  | { readonly type: 'Unchanged'; readonly entry: Entry | undefined }
  | { readonly type: 'Deleted' }

export interface TableSettings {
  readonly messageBytesMax: number
  readonly types: readonly CrdtType<Crdt>[]
}

/**
 * All values of this node, by key, with digests over all of them. The one owner of the values:
 * everybody else reads.
 *
 * A deleted key stays deleted: the entry remains without its value, and whatever arrives for it is
 * answered with the deletion. A key keeps the type under which it was first seen here.
 */
export class ReplicaTable {
  readonly #entries = new Map<string, Entry>()
  readonly #digests = new KeyDigests()
  readonly #unhashed = new Set<Entry>()
  readonly #buckets: Entry[][] = Array.from({ length: BUCKETS }, () => [])
  readonly #types = new Map<string, CrdtType<Crdt>>()
  readonly #replica: Replica
  readonly #onChange: (entry: Entry, since: number) => void
  readonly #bytesMax: number
  readonly #writer = new ByteWriter(4_096)
  /** When changes from elsewhere last came in, on the monotonic clock. */
  mergedAt: number = -Infinity
  #refusedStamps = 0

  /** `onChange`: called after an entry changed, with its change number before. */
  constructor(
    replica: Replica,
    settings: TableSettings,
    onChange: (entry: Entry, since: number) => void,
  ) {
    this.#replica = {
      id: replica.id,
      stamp: () => replica.stamp(),
      observe: (stamp) => {
        const isFine = replica.observe(stamp)
        if (!isFine) this.#refusedStamps++
        return isFine
      },
    }
    this.#bytesMax = settings.messageBytesMax
    this.#onChange = onChange
    for (const type of settings.types) this.#types.set(type.typeName, type)
  }

  get size(): number {
    return this.#entries.size
  }

  get entries(): Iterable<Entry> {
    return this.#entries.values()
  }

  /** The entries whose names fall into one bucket of the digests. */
  entriesIn(bucket: number): readonly Entry[] {
    return this.#buckets[bucket] ?? []
  }

  /** Digests over all keys as they are now. Hashing waits until somebody asks, so that hot keys are hashed once. */
  get digests(): KeyDigests {
    for (const entry of this.#unhashed) this.#hash(entry)
    this.#unhashed.clear()
    return this.#digests
  }

  find(name: string): Entry | undefined {
    return this.#entries.get(name)
  }

  /** The entry of `key`; KEY_HAS_OTHER_TYPE when the name is in use for another type. */
  entryOf(key: AnyKey): Entry | undefined {
    const entry = this.#entries.get(key.name)
    const type = entry?.type
    if (type === undefined || type.typeName === key.type.typeName) return entry
    throw new ReplicatorError(
      'KEY_HAS_OTHER_TYPE',
      `${key.name} is a ${type.typeName}, not a ${key.type.typeName}; give one of the two another name`,
    )
  }

  /** Has `modify` change the value. What it changed stays, also when it throws afterwards. */
  update(key: AnyKey, modify: (value: never) => unknown, now: number): UpdateOutcome {
    let entry = this.entryOf(key)
    if (entry?.isDeleted === true) return { type: 'Deleted' }
    this.#types.set(key.type.typeName, key.type)
    const isNew = entry === undefined
    entry ??= new Entry(key.name, key.type, key.type.create(this.#replica))
    const { value } = entry
    const from = entry.changes
    try {
      modify(value as never)
    } finally {
      if (entry.changes > from) {
        if (isNew) this.#add(entry)
        entry.writtenUpTo = entry.changes
        this.#changed(entry, from, now)
      }
    }
    if (entry.changes > from) return { type: 'Updated', entry, from }
    return { type: 'Unchanged', entry: isNew ? undefined : entry }
  }

  /** Deletes the key for good. Undefined when it was deleted before. */
  delete(name: string, now: number): Entry | undefined {
    let entry = this.#entries.get(name)
    if (entry === undefined) {
      entry = new Entry(name, undefined, undefined)
      this.#add(entry)
    } else if (entry.isDeleted) return undefined
    const from = entry.changes
    entry.delete()
    this.#changed(entry, from, now)
    return entry
  }

  /** Takes changes that another replica sent. Bad ones change nothing, or as little as the value's type allows. */
  merge(name: string, typeName: string, state: Uint8Array, now: number): MergeOutcome {
    let entry = this.#entries.get(name)
    if (entry?.isDeleted === true) return 'Deleted'
    const isNew = entry === undefined
    if (entry === undefined) {
      const type = this.#types.get(typeName) ?? crdtTypeNamed(typeName)
      if (type === undefined) return 'UnknownType'
      entry = new Entry(name, type, type.create(this.#replica))
    } else if (entry.type?.typeName !== typeName) return 'OtherType'
    const from = entry.changes
    const refusedStamps = this.#refusedStamps
    let isFine = true
    try {
      const reader = new ByteReader(state)
      entry.value?.merge(reader)
      isFine = reader.remaining === 0
    } catch {
      isFine = false
    }
    const hasChanged = entry.changes > from
    if (hasChanged) {
      this.mergedAt = now
      if (isNew) this.#add(entry)
      this.#changed(entry, from, now)
    }
    if (!isFine) return 'Undecodable'
    if (this.#refusedStamps > refusedStamps) return 'StampTooFarAhead'
    return hasChanged ? 'Changed' : 'Same'
  }

  /** The changes after `from`, oldest first, as many as fit into a message; `upTo`: how far they go. */
  changesOf(entry: Entry, from: number): { readonly state: Uint8Array; readonly upTo: number } {
    const { value } = entry
    if (value === undefined) return { state: NO_BYTES, upTo: entry.changes }
    const writer = this.#writer
    writer.reset()
    const upTo = value.writeChanges(writer, from, this.#bytesMax)
    // What stands still though there is something left would be sent for ever.
    return { state: writer.finish(), upTo: upTo > from ? upTo : value.changes }
  }

  /** Drops what values keep of removals before the wall-clock time `beforeMs`; returns how many. */
  collect(beforeMs: number): number {
    let collected = 0
    for (const { value } of this.#entries.values()) {
      if (value !== undefined && isForgetful(value)) collected += value.forgetTombstones(beforeMs)
    }
    return collected
  }

  #add(entry: Entry): void {
    this.#entries.set(entry.name, entry)
    this.#buckets[entry.bucket]?.push(entry)
  }

  #changed(entry: Entry, since: number, now: number): void {
    entry.changedAt = now
    this.#unhashed.add(entry)
    this.#onChange(entry, since)
  }

  #hash(entry: Entry): void {
    const before = entry.contributed
    const { digest } = entry
    const after = isSameDigest(digest, NOTHING) ? NOTHING : contribution(entry.hash, digest)
    entry.contributed = after
    this.#digests.flip(entry.bucket, before.high ^ after.high, before.low ^ after.low)
  }
}

/** Values that remember removals for a while. */
interface Forgetful {
  forgetTombstones(olderThanWallMs: number): number
}

function isForgetful(value: object): value is Forgetful {
  return 'forgetTombstones' in value
}

const NOTHING: Digest = { high: 0, low: 0 }
const DELETED: Digest = { high: 0xdead, low: 0xdead }
const NO_BYTES = new Uint8Array()
