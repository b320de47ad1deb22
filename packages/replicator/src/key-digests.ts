import type { Digest } from '@troupe/crdt'

/**
 * Digests over all keys of a replica, so that two replicas find out cheaply where they differ.
 *
 * Intuition: keys fall into 1,024 buckets by their name; a bucket's digest is the XOR of what its keys
 * contribute, and the root is the XOR of all buckets. XOR can be taken back, so a change of one key
 * costs the same at any number of keys, and the order of changes leaves no mark.
 */
export class KeyDigests {
  readonly #high = new Uint32Array(BUCKETS)
  readonly #low = new Uint32Array(BUCKETS)
  #rootHigh = 0
  #rootLow = 0

  /** Adds a contribution to its bucket, or takes it out again: both are the same. */
  flip(bucket: number, high: number, low: number): void {
    this.#high[bucket] = (this.#high[bucket] ?? 0) ^ high
    this.#low[bucket] = (this.#low[bucket] ?? 0) ^ low
    this.#rootHigh = (this.#rootHigh ^ high) >>> 0
    this.#rootLow = (this.#rootLow ^ low) >>> 0
  }

  get root(): Digest {
    return { high: this.#rootHigh, low: this.#rootLow }
  }

  /** All buckets, eight bytes each. */
  toBytes(): Uint8Array {
    const bytes = new Uint8Array(BUCKETS_BYTES)
    const view = new DataView(bytes.buffer)
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      view.setUint32(bucket * 8, this.#high[bucket] ?? 0)
      view.setUint32(bucket * 8 + 4, this.#low[bucket] ?? 0)
    }
    return bytes
  }

  /** The buckets in which a replica that sent `bytes` (of `toBytes`) differs from this one. */
  differing(bytes: Uint8Array): readonly number[] {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const buckets: number[] = []
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const isSame =
        view.getUint32(bucket * 8) === this.#high[bucket] &&
        view.getUint32(bucket * 8 + 4) === this.#low[bucket]
      if (!isSame) buckets.push(bucket)
    }
    return buckets
  }
}

/** A key's name as two words: 64 bits, so that keys do not take each other's place in a digest. */
export interface NameHash {
  readonly high: number
  readonly low: number
}

/** FNV-1a over code units with two starts, mixed at the end. */
export function hashName(name: string): NameHash {
  let high = 0x811c9dc5
  let low = 0x9e3779b9
  for (let i = 0; i < name.length; i++) {
    const code = name.charCodeAt(i)
    high = Math.imul(high ^ code, 0x01000193)
    low = Math.imul(low ^ code, 0x85ebca6b)
  }
  return { high: mixed(high ^ name.length), low: mixed(low + name.length) }
}

export function bucketOf(name: NameHash): number {
  return name.low & (BUCKETS - 1)
}

/** What a key with this content contributes. Depends on both, so that contents cannot swap places unseen. */
export function contribution(name: NameHash, content: Digest): Digest {
  return {
    high: mixed((name.high ^ content.high) + Math.imul(content.low, 0x27d4eb2f)),
    low: mixed((name.low ^ content.low) + Math.imul(content.high, 0x165667b1)),
  }
}

/** Spreads every bit over the whole word (the finish of MurmurHash3). */
function mixed(word: number): number {
  let hash = Math.imul(word ^ (word >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

export const BUCKETS = 1_024
export const BUCKETS_BYTES: number = BUCKETS * 8
