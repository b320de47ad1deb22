import type { LWWMap, ReadonlyLWWMap } from '@troupe/crdt'
import {
  LWWMapKey,
  writeLocal,
  type DistributedData,
  type Key,
  type WriteConsistency,
} from '@troupe/replicator'
import type { FlatIndex } from './flat-index.ts'
import type { BucketEdit, Buckets, VersionClock } from './serve-index.ts'
import { bucketOf, mapKey, parseMapKey } from './serve-index.ts'
import type { ServeView } from './serve-view.ts'
import { parseServeView } from './serve-view.ts'

/** One bucket of one slot. */
export interface BucketName {
  readonly namespace: string
  readonly bucket: number
}

/** Makes the plan of an operation for what one bucket holds at this moment. */
export type PlanFor = (current: Buckets, bucket: number) => readonly BucketEdit[]

/** How a write of several buckets ended: as badly as the worst of them. */
export type WriteOutcome = 'Written' | 'Unknown' | 'ModifyFailed'

/**
 * The index in the replica: applies plans to buckets, and keeps the flat index equal to what the
 * replica holds, whoever wrote it.
 *
 * A bucket comes into being with its first entry. One that has lost its last stays as an empty map: a
 * deleted key could never be used again.
 */
export class IndexReplica {
  readonly #data: DistributedData
  readonly #flat: FlatIndex
  readonly #versions: VersionClock
  #refused = 0

  constructor(data: DistributedData, flat: FlatIndex, versions: VersionClock) {
    this.#data = data
    this.#flat = flat
    this.#versions = versions
  }

  /** Entries of other nodes that were not fit to be served, and are not. */
  get refused(): number {
    return this.#refused
  }

  /** Begins to follow the replica. Returns how to end it. */
  follow(): () => void {
    return this.#data.subscribePrefix<ReadonlyLWWMap<string, ServeView>>(
      '',
      ({ name, value, changed }) => this.#copy(name, value, changed as Iterable<string>),
      { onDeleted: (name) => void this.#flat.replace(name, []) },
    )
  }

  /** Applies the part of a plan that concerns each bucket, at once; resolves when `consistency` is reached. */
  async write(
    buckets: Iterable<BucketName>,
    planFor: PlanFor,
    consistency: WriteConsistency = writeLocal,
  ): Promise<WriteOutcome> {
    const writes = Array.from(buckets, ({ namespace, bucket }) =>
      this.#data.update(
        keyOf(namespace, bucket),
        (map) => {
          const edit = planFor(new Map([[bucket, map]]), bucket).find(
            (each) => each.bucket === bucket,
          )
          for (const creativeId of edit?.drops ?? []) map.remove(creativeId)
          for (const view of edit?.upserts ?? []) map.put(view.creativeId, view)
          // What is written here is seen here at once; listeners of the replica hear of it later.
          if (edit !== undefined)
            this.#flat.apply(mapKey(namespace, bucket), edit.upserts, edit.drops)
        },
        { consistency },
      ),
    )
    const replies = (await Promise.all(writes)).map(({ type }) => type)
    if (replies.includes('ModifyFailure')) return 'ModifyFailed'
    return replies.includes('UpdateTimeout') ? 'Unknown' : 'Written'
  }

  /** Buckets of a slot that show something, and those the given creatives belong to. */
  bucketsOf(namespace: string, creativeIds: Iterable<string> = []): BucketName[] {
    const buckets = new Set<number>()
    for (const creativeId of creativeIds) buckets.add(bucketOf(creativeId))
    for (const { creativeId } of this.#flat.viewsOf(namespace)) buckets.add(bucketOf(creativeId))
    return Array.from(buckets, (bucket) => ({ namespace, bucket }))
  }

  /** Buckets of the given slots with a view that `isMeant`. */
  bucketsWith(isMeant: (view: ServeView) => boolean, namespaces: Iterable<string>): BucketName[] {
    const found = new Map<string, BucketName>()
    for (const namespace of namespaces) {
      for (const view of this.#flat.viewsOf(namespace)) {
        if (!isMeant(view)) continue
        const bucket = bucketOf(view.creativeId)
        found.set(mapKey(namespace, bucket), { namespace, bucket })
      }
    }
    return [...found.values()]
  }

  /** Buckets that hold something that has expired, also what the flat index has dropped already. */
  *bucketsToSweep(now: number): Generator<BucketName> {
    for (const name of this.#data.keys()) {
      const parsed = parseMapKey(name)
      if (parsed === undefined) continue
      const held = this.#data.read(keyOf(parsed.namespace, parsed.bucket))
      for (const view of held?.values() ?? []) {
        if (view.expiresAtMs > now) continue
        yield parsed
        break
      }
    }
  }

  #copy(name: string, value: ReadonlyLWWMap<string, ServeView>, changed: Iterable<string>): void {
    if (parseMapKey(name) === undefined) return
    const updated: ServeView[] = []
    const removed: string[] = []
    for (const creativeId of changed) {
      const view = value.get(creativeId)
      const parsed = view === undefined ? undefined : parseServeView(view)
      if (parsed?.ok === true) {
        updated.push(parsed.value)
        this.#versions.observe(parsed.value.version)
      } else {
        if (parsed !== undefined) this.#refused++
        removed.push(creativeId)
      }
    }
    this.#flat.apply(name, updated, removed)
  }
}

function keyOf(
  namespace: string,
  bucket: number,
): Key<LWWMap<string, ServeView>, ReadonlyLWWMap<string, ServeView>> {
  return LWWMapKey.create<string, ServeView>(mapKey(namespace, bucket))
}
