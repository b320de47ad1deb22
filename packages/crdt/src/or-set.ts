import { type Crdt, type Digest, type Replica } from './crdt.ts'
import { ChangeIndex, type Tracked } from './internal/change-index.ts'
import { DotRanges, type Range } from './internal/dot-ranges.ts'
import { elementKey } from './internal/element-key.ts'
import type { EntryHash } from './internal/hash.ts'
import { compareDots, type Dot, readSetDelta, SetDeltaWriter } from './internal/or-set-wire.ts'
import type { ByteReader } from './wire/byte-reader.ts'
import type { ByteWriter } from './wire/byte-writer.ts'

export interface ReadonlyORSet<E> {
  readonly size: number
  readonly changes: number
  readonly digest: Digest
  has(element: E): boolean
  values(): IterableIterator<E>
  toJSON(): E[]
}

/**
 * A set in which adding wins over a concurrent removal. Each addition has a dot, a name of its own; a
 * removal undoes the additions it has seen and no others. A dot is unknown, live or removed, and only
 * moves forward. Which dots are known is kept as ranges that may have gaps, so deltas may be lost or
 * overtake each other, and what is removed leaves no tombstone behind.
 * Source: optimized observed-remove sets (Bieniusa et al., 2012) with causal contexts of delta-state
 * CRDTs (Almeida, Shoker, Baquero, 2018).
 *
 * Elements are plain data, compared by content, and must not be changed after they were added.
 */
export class ORSet<E> implements Crdt, ReadonlyORSet<E> {
  static readonly typeName = 'ORSet'
  readonly #replica: string
  readonly #elements = new Map<string, Element<E>>()
  /** All dots that are or ever were in the set, by replica. */
  readonly #known = new Map<string, DotRanges>()
  /** Live dots, by replica and counter. */
  readonly #live = new Map<string, Map<number, Element<E>>>()
  readonly #index = new ChangeIndex<Item<E>>(hashItem)
  /** Removals peers may not have heard of, oldest change first. */
  readonly #removals = new Set<Removal<E>>()
  readonly #lastRemovals = new Map<string, Removal<E>>()
  /** Removals up to this number are no longer told one by one. */
  #toldInBulkUpTo = 0

  private constructor(replica: Replica) {
    this.#replica = replica.id
  }

  static create<E>(replica: Replica): ORSet<E> {
    return new ORSet<E>(replica)
  }

  get typeName(): string {
    return ORSet.typeName
  }

  get size(): number {
    return this.#elements.size
  }

  get changes(): number {
    return this.#index.changes
  }

  get digest(): Digest {
    return this.#index.digest
  }

  has(element: E): boolean {
    return this.#elements.has(elementKey(element))
  }

  *values(): Generator<E> {
    for (const element of this.#elements.values()) yield element.value
  }

  /**
   * Adds an element, also when it is there already: so it outlives removals elsewhere that have not
   * seen this. Throws `INVALID_VALUE` unless it is plain data of at most 64 KiB.
   */
  add(value: E): void {
    const key = elementKey(value)
    const known = this.#knownOf(this.#replica)
    const counter = known.max + 1
    known.add(counter, counter)
    const element = this.#elementFor(key, value)
    const superseded = element.dots
    element.dots = [{ replica: this.#replica, counter }]
    this.#liveOf(this.#replica).set(counter, element)
    // First the addition, then what it supersedes: told in this order, nobody misses it in between.
    this.#index.touch(element)
    for (const dot of superseded) {
      this.#live.get(dot.replica)?.delete(dot.counter)
      this.#logRemoval(dot.replica, dot.counter, dot.counter, [])
    }
  }

  /** Undoes all additions of the element seen here. True when it was in the set. */
  remove(value: E): boolean {
    const element = this.#elements.get(elementKey(value))
    if (element === undefined) return false
    this.#elements.delete(element.key)
    this.#index.drop(element)
    let gone = [element.value]
    for (const { replica, counter } of element.dots) {
      this.#live.get(replica)?.delete(counter)
      this.#logRemoval(replica, counter, counter, gone)
      gone = []
    }
    return true
  }

  clear(): void {
    for (const { value } of this.#elements.values()) this.remove(value)
  }

  writeChanges(writer: ByteWriter, since: number, bytesMax: number): number {
    const start = writer.length
    const out = new SetDeltaWriter(writer)
    const bulkAt = this.#toldInBulkUpTo
    let reached = since
    let item = this.#index.firstAfter(since)
    while (item !== undefined || reached < bulkAt) {
      const before = writer.length
      const isBulk = reached < bulkAt && bulkAt < (item?.change ?? Infinity)
      if (isBulk) this.#writeRemoved(out)
      else item?.writeTo(out)
      if (writer.length - start > bytesMax && before > start) {
        writer.reset(before)
        break
      }
      if (isBulk) reached = bulkAt
      else if (item !== undefined) {
        reached = item.change
        this.#index.stopAt(item)
        item = item.newer
      }
    }
    out.end()
    return reached
  }

  writeState(writer: ByteWriter): void {
    const out = new SetDeltaWriter(writer)
    const elements = [...this.#elements.values()].sort((a, b) => (a.key < b.key ? -1 : 1))
    for (const element of elements) element.writeTo(out)
    this.#writeRemoved(out)
    out.end()
  }

  merge(reader: ByteReader): boolean {
    const { additions, removals } = readSetDelta(reader)
    const before = this.changes
    for (const { value, dots } of additions) this.#mergeAddition(value as E, dots)
    for (const { replica, from, to } of removals) this.#mergeRemoval(replica, from, to)
    return this.changes > before
  }

  /** Elements added or removed after number `since`. Long ago removed ones may be missing. */
  *changedSince(since: number): Generator<E> {
    for (let item = this.#index.firstAfter(since); item !== undefined; item = item.newer) {
      if (item instanceof Element) yield item.value
      else for (const value of item.gone) if (!this.has(value)) yield value
    }
  }

  includes(other: ORSet<E>): boolean {
    for (const [replica, known] of other.#known) {
      const mine = this.#known.get(replica)
      for (const { from, to } of known.ranges) if (mine?.covers(from, to) !== true) return false
    }
    // What the other has seen removed must not be live here.
    for (const [replica, live] of this.#live) {
      const known = other.#known.get(replica)
      if (known === undefined) continue
      const theirs = other.#live.get(replica)
      for (const counter of live.keys()) {
        if (known.has(counter) && theirs?.has(counter) !== true) return false
      }
    }
    return true
  }

  toJSON(): E[] {
    return [...this.values()]
  }

  #mergeAddition(value: E, dots: readonly Dot[]): void {
    let element: Element<E> | undefined
    for (const dot of dots) {
      const known = this.#knownOf(dot.replica)
      if (known.has(dot.counter)) continue
      known.add(dot.counter, dot.counter)
      element ??= this.#elementFor(elementKey(value), value)
      element.dots = [...element.dots, dot]
      this.#liveOf(dot.replica).set(dot.counter, element)
    }
    if (element !== undefined) this.#index.touch(element)
  }

  #mergeRemoval(replica: string, from: number, to: number): void {
    const known = this.#knownOf(replica)
    const live = this.#live.get(replica)
    const counters = live === undefined ? [] : within(live, from, to)
    if (counters.length === 0 && known.covers(from, to)) return
    known.add(from, to)
    const gone: E[] = []
    for (const counter of counters) {
      const element = live?.get(counter)
      live?.delete(counter)
      if (element === undefined) continue
      element.dots = element.dots.filter(
        (dot) => dot.counter !== counter || dot.replica !== replica,
      )
      if (element.dots.length > 0) this.#index.touch(element)
      else {
        this.#elements.delete(element.key)
        this.#index.drop(element)
        gone.push(element.value)
      }
    }
    this.#logRemoval(replica, from, to, gone)
  }

  /** Remembers a removal for peers; one that continues the last of the same replica becomes one with it. */
  #logRemoval(replica: string, from: number, to: number, gone: readonly E[]): void {
    const last = this.#lastRemovals.get(replica)
    let removal: Removal<E>
    if (last !== undefined && last.to + 1 === from && last.gone.length < GONE_MAX) {
      removal = last
      removal.to = to
      removal.gone.push(...gone)
      this.#removals.delete(removal)
    } else {
      removal = new Removal(replica, from, to, [...gone])
      this.#lastRemovals.set(replica, removal)
    }
    this.#removals.add(removal)
    this.#index.touch(removal)
    if (this.#removals.size > REMOVALS_MAX) this.#forgetOldestRemoval()
  }

  #forgetOldestRemoval(): void {
    for (const removal of this.#removals) {
      this.#toldInBulkUpTo = removal.change
      this.#removals.delete(removal)
      this.#index.drop(removal)
      if (this.#lastRemovals.get(removal.replica) === removal) {
        this.#lastRemovals.delete(removal.replica)
      }
      return
    }
  }

  /** Every dot that was ever removed: few bytes, because it is ranges. */
  #writeRemoved(out: SetDeltaWriter): void {
    for (const replica of [...this.#known.keys()].sort()) {
      for (const { from, to } of this.#removedOf(replica)) out.removal(replica, from, to)
    }
  }

  #removedOf(replica: string): readonly Range[] {
    const live = [...(this.#live.get(replica)?.keys() ?? [])].sort((a, b) => a - b)
    return this.#known.get(replica)?.except(live) ?? []
  }

  #elementFor(key: string, value: E): Element<E> {
    let element = this.#elements.get(key)
    if (element === undefined) {
      element = new Element(key, value)
      this.#elements.set(key, element)
    }
    return element
  }

  #knownOf(replica: string): DotRanges {
    let known = this.#known.get(replica)
    if (known === undefined) {
      known = new DotRanges()
      this.#known.set(replica, known)
    }
    return known
  }

  #liveOf(replica: string): Map<number, Element<E>> {
    let live = this.#live.get(replica)
    if (live === undefined) {
      live = new Map()
      this.#live.set(replica, live)
    }
    return live
  }
}

type Item<E> = Element<E> | Removal<E>

class Element<E> implements Tracked<Item<E>> {
  change = 0
  older: Item<E> | undefined
  newer: Item<E> | undefined
  isHashed = false
  hashHigh = 0
  hashLow = 0
  readonly key: string
  readonly value: E
  dots: readonly Dot[] = []

  constructor(key: string, value: E) {
    this.key = key
    this.value = value
  }

  writeTo(out: SetDeltaWriter): void {
    out.addition(this.value, sorted(this.dots))
  }
}

class Removal<E> implements Tracked<Item<E>> {
  change = 0
  older: Item<E> | undefined
  newer: Item<E> | undefined
  isHashed = false
  hashHigh = 0
  hashLow = 0
  readonly replica: string
  readonly from: number
  to: number
  /** Elements that left the set with it. */
  readonly gone: E[]

  constructor(replica: string, from: number, to: number, gone: E[]) {
    this.replica = replica
    this.from = from
    this.to = to
    this.gone = gone
  }

  writeTo(out: SetDeltaWriter): void {
    out.removal(this.replica, this.from, this.to)
  }
}

function hashItem<E>(item: Item<E>, hash: EntryHash): boolean {
  if (item instanceof Removal) return false
  hash.text(item.key)
  for (const { replica, counter } of sorted(item.dots)) hash.text(replica).number(counter)
  return true
}

function sorted(dots: readonly Dot[]): readonly Dot[] {
  return dots.length < 2 ? dots : [...dots].sort(compareDots)
}

/** The counters of `live` from `from` to `to`, at the price of the smaller of the two. */
function within(live: ReadonlyMap<number, unknown>, from: number, to: number): number[] {
  const counters: number[] = []
  if (to - from < live.size) {
    for (let counter = from; counter <= to; counter++) if (live.has(counter)) counters.push(counter)
  } else {
    for (const counter of live.keys()) if (counter >= from && counter <= to) counters.push(counter)
  }
  return counters
}

/** Removals kept apart; peers that lag further behind get all that was removed, as ranges. */
const REMOVALS_MAX = 1_024
/** Elements remembered with one removal, for those who ask what has changed. */
const GONE_MAX = 16
