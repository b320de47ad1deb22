import type { Digest } from '../crdt.ts'
import { EntryHash } from './hash.ts'

/** What an entry carries so that it can stand in a `ChangeIndex`; only the index writes to it. */
export interface Tracked<T> {
  /** The number of the entry's latest change; 0: in no index. */
  change: number
  older: T | undefined
  newer: T | undefined
  isHashed: boolean
  hashHigh: number
  hashLow: number
}

/**
 * The entries of a value by their latest change, and the digest of them all.
 *
 * A list through the entries themselves: an entry that changes moves to its end and gets the next
 * number, so what is new since n is the tail, and nothing has to be logged. Hashing is put off until
 * somebody asks for the digest: an entry that is written a thousand times in between is hashed once.
 *
 * Invariant: entries that are not hashed are newer than all that are.
 */
export class ChangeIndex<T extends Tracked<T>> {
  readonly #hashOf: (entry: T, hash: EntryHash) => boolean
  readonly #hash = new EntryHash()
  #oldest: T | undefined
  #newest: T | undefined
  #changes = 0
  #high = 0
  #low = 0
  #resume: T | undefined

  /** `hashOf` feeds the content of an entry into the hash; false: this one does not count. */
  constructor(hashOf: (entry: T, hash: EntryHash) => boolean) {
    this.#hashOf = hashOf
  }

  get changes(): number {
    return this.#changes
  }

  /** The entry is new, or has changed. */
  touch(entry: T): void {
    if (entry.isHashed) this.#unhash(entry)
    if (entry !== this.#newest) {
      if (entry.change !== 0) this.#unlink(entry)
      this.#link(entry)
    }
    entry.change = ++this.#changes
  }

  /** The entry is gone without a trace. */
  drop(entry: T): void {
    if (entry.isHashed) this.#unhash(entry)
    this.#unlink(entry)
    entry.change = 0
  }

  /** The oldest entry that changed after number `since`; go on along `newer`. */
  firstAfter(since: number): T | undefined {
    if (since <= 0) return this.#oldest
    const resume = this.#resume
    if (resume !== undefined && resume.change === since) return resume.newer
    let entry = this.#newest
    if (entry === undefined || entry.change <= since) return undefined
    while (entry.older !== undefined && entry.older.change > since) entry = entry.older
    return entry
  }

  /** Somebody will go on after this entry: large values are written piece by piece. */
  stopAt(entry: T): void {
    this.#resume = entry
  }

  get digest(): Digest {
    for (let entry = this.#newest; entry !== undefined && !entry.isHashed; entry = entry.older) {
      this.#hashEntry(entry)
    }
    return { high: this.#high >>> 0, low: this.#low >>> 0 }
  }

  #hashEntry(entry: T): void {
    const hash = this.#hash.reset()
    if (this.#hashOf(entry, hash)) {
      hash.finish()
      entry.hashHigh = hash.high
      entry.hashLow = hash.low
    } else {
      entry.hashHigh = 0
      entry.hashLow = 0
    }
    entry.isHashed = true
    this.#high ^= entry.hashHigh
    this.#low ^= entry.hashLow
  }

  #unhash(entry: T): void {
    this.#high ^= entry.hashHigh
    this.#low ^= entry.hashLow
    entry.isHashed = false
  }

  #link(entry: T): void {
    const newest = this.#newest
    entry.older = newest
    entry.newer = undefined
    if (newest === undefined) this.#oldest = entry
    else newest.newer = entry
    this.#newest = entry
  }

  #unlink(entry: T): void {
    const { older, newer } = entry
    if (older === undefined) this.#oldest = newer
    else older.newer = newer
    if (newer === undefined) this.#newest = older
    else newer.older = older
    entry.older = undefined
    entry.newer = undefined
    if (this.#resume === entry) this.#resume = undefined
  }
}
