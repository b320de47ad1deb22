import { type Digest, isSameDigest } from '@troupe/crdt'
import type { KeyDigest, ReplicatorMessage } from './protocol.ts'
import type { Entry, ReplicaTable } from './replica-table.ts'

/** What a step of a repair leads to. */
export interface RepairStep {
  readonly reply: readonly ReplicatorMessage[]
  /** Keys that the other node needs in full. */
  readonly push: readonly string[]
}

export interface RepairSettings {
  readonly statusKeysMax: number
  readonly messageBytesMax: number
}

export type RepairMessage = Extract<
  ReplicatorMessage,
  { readonly type: 'Root' | 'Buckets' | 'Keys' | 'Differing' | 'Wanted' }
>

/**
 * Finds what two replicas do not agree on, and says what to send.
 *
 * Intuition: from the whole to the part. A sends the digest of everything; if B differs, it sends the
 * digests of its buckets; A names the keys in those that differ; B names the keys that differ; A looks
 * once more, sends its side of them, and asks for B's. Replicas that agree exchange one number.
 *
 * Changes are always under way, so a difference may have gone when it is looked at. That is why keys
 * are compared twice, a round trip apart, and why a key that changed just now, or is missing while
 * others arrive, is put off, a few times at most. Each step follows from its message alone; what gets
 * lost is found again by the next round.
 */
export class Repair {
  readonly #table: ReplicaTable
  readonly #settings: RepairSettings
  /** How often in a row keys were compared while changes were arriving. */
  #comparisons = 0

  constructor(table: ReplicaTable, settings: RepairSettings) {
    this.#table = table
    this.#settings = settings
  }

  /** The first message of a round. */
  begin(): ReplicatorMessage {
    return { type: 'Root', digest: this.#table.digests.root }
  }

  receive(message: RepairMessage, now: number): RepairStep {
    switch (message.type) {
      case 'Root':
        return this.#rootReceived(message.digest)
      case 'Buckets':
        return { reply: this.#keysOf(this.#table.digests.differing(message.digests)), push: [] }
      case 'Keys':
        return this.#keysReceived(message.buckets, message.keys, now)
      case 'Differing':
        return this.#differing(message.keys)
      case 'Wanted':
        return {
          reply: [],
          push: message.names.filter((name) => this.#table.find(name) !== undefined),
        }
      default:
        return message satisfies never
    }
  }

  #rootReceived(digest: Digest): RepairStep {
    const { digests } = this.#table
    if (isSameDigest(digests.root, digest)) return NOTHING_TO_DO
    return { reply: [{ type: 'Buckets', digests: digests.toBytes() }], push: [] }
  }

  /** All keys of the buckets; a bucket is never spread over two messages. */
  #keysOf(buckets: readonly number[]): readonly ReplicatorMessage[] {
    const messages: ReplicatorMessage[] = []
    let part: { buckets: number[]; keys: KeyDigest[]; bytes: number } = emptyPart()
    for (const bucket of buckets) {
      part.buckets.push(bucket)
      for (const { name, digest } of this.#table.entriesIn(bucket)) {
        if (isSameDigest(digest, ZERO)) continue
        part.keys.push({ name, digest })
        part.bytes += name.length * 2 + DIGEST_BYTES
      }
      if (
        part.keys.length >= this.#settings.statusKeysMax ||
        part.bytes >= this.#settings.messageBytesMax
      ) {
        messages.push({ type: 'Keys', buckets: part.buckets, keys: part.keys })
        part = emptyPart()
      }
    }
    if (part.buckets.length > 0) {
      messages.push({ type: 'Keys', buckets: part.buckets, keys: part.keys })
    }
    return messages
  }

  #keysReceived(buckets: readonly number[], keys: readonly KeyDigest[], now: number): RepairStep {
    this.#comparisons = now - this.#table.mergedAt < SETTLING_MS ? this.#comparisons + 1 : 0
    const theirs = new Set<string>()
    const differing: KeyDigest[] = []
    const compare = (name: string, digest: Digest): void => {
      const entry = this.#table.find(name)
      const ours = entry?.digest ?? ZERO
      if (!isSameDigest(ours, digest) && this.#isSettled(entry, now)) {
        differing.push({ name, digest: ours })
      }
    }
    for (const { name, digest } of keys) {
      theirs.add(name)
      compare(name, digest)
    }
    for (const bucket of buckets) {
      for (const { name } of this.#table.entriesIn(bucket)) {
        if (!theirs.has(name)) compare(name, ZERO)
      }
    }
    const reply = differing.length === 0 ? [] : this.#inParts(differing)
    return { reply, push: [] }
  }

  #inParts(keys: readonly KeyDigest[]): readonly ReplicatorMessage[] {
    const parts: ReplicatorMessage[] = []
    for (let i = 0; i < keys.length; i += this.#settings.statusKeysMax) {
      parts.push({ type: 'Differing', keys: keys.slice(i, i + this.#settings.statusKeysMax) })
    }
    return parts
  }

  #differing(keys: readonly KeyDigest[]): RepairStep {
    const push: string[] = []
    const names: string[] = []
    for (const { name, digest } of keys) {
      const entry = this.#table.find(name)
      if (isSameDigest(entry?.digest ?? ZERO, digest)) continue
      if (entry !== undefined) push.push(name)
      // A deletion needs no answer, and what has no content at the other end cannot be sent from there.
      if (entry?.isDeleted !== true && !isSameDigest(digest, ZERO)) names.push(name)
    }
    return { reply: names.length === 0 ? [] : [{ type: 'Wanted', names }], push }
  }

  /** A key that is not here may be about to come while other changes are arriving. */
  #isSettled(entry: Entry | undefined, now: number): boolean {
    if (entry === undefined)
      return now - this.#table.mergedAt >= SETTLING_MS || this.#comparisons >= PUT_OFF_MAX
    if (now - entry.changedAt < SETTLING_MS && ++entry.putOff < PUT_OFF_MAX) return false
    entry.putOff = 0
    return true
  }
}

function emptyPart(): { buckets: number[]; keys: KeyDigest[]; bytes: number } {
  return { buckets: [], keys: [], bytes: 0 }
}

const NOTHING_TO_DO: RepairStep = { reply: [], push: [] }
const ZERO: Digest = { high: 0, low: 0 }
const DIGEST_BYTES = 10
const SETTLING_MS = 200
const PUT_OFF_MAX = 5
