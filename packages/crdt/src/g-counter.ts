import { type Crdt, type Digest, type Replica } from './crdt.ts'
import { CrdtError } from './errors.ts'
import { ChangeIndex, type Tracked } from './internal/change-index.ts'
import { readReplicaId } from './internal/stamp-wire.ts'
import type { ByteReader } from './wire/byte-reader.ts'
import type { ByteWriter } from './wire/byte-writer.ts'
import { malformed } from './wire/wire-error.ts'

export interface ReadonlyGCounter {
  /** The sum of all replicas' slots; exact up to 2^53 - 1. */
  readonly value: number
  readonly changes: number
  readonly digest: Digest
  toJSON(): number
}

/** A counter that only grows. Each replica adds to a slot of its own; merging keeps the larger of each slot. */
export class GCounter implements Crdt, ReadonlyGCounter {
  static readonly typeName = 'GCounter'
  readonly #replica: string
  readonly #slots = new Map<string, Slot>()
  readonly #index = new ChangeIndex<Slot>((slot, hash) => {
    hash.text(slot.replica).number(slot.count)
    return true
  })
  #value = 0

  private constructor(replica: Replica) {
    this.#replica = replica.id
  }

  static create(replica: Replica): GCounter {
    return new GCounter(replica)
  }

  get typeName(): string {
    return GCounter.typeName
  }

  get value(): number {
    return this.#value
  }

  get changes(): number {
    return this.#index.changes
  }

  get digest(): Digest {
    return this.#index.digest
  }

  /** Adds `by`, an integer of at least 0, to this replica's slot. Throws `INVALID_INCREMENT` for others. */
  increment(by = 1): void {
    const count = (this.#slots.get(this.#replica)?.count ?? 0) + by
    if (!Number.isSafeInteger(by) || by < 0 || count > Number.MAX_SAFE_INTEGER) {
      throw new CrdtError(
        'INVALID_INCREMENT',
        `an increment is an integer of at least 0 and a slot at most 2^53 - 1, got ${by}`,
      )
    }
    if (by > 0) this.#raise(this.#replica, count)
  }

  writeChanges(writer: ByteWriter, since: number, bytesMax: number): number {
    const start = writer.length
    let reached = since
    for (let slot = this.#index.firstAfter(since); slot !== undefined; slot = slot.newer) {
      const before = writer.length
      writeSlot(writer, slot)
      if (writer.length - start > bytesMax && before > start) {
        writer.reset(before)
        break
      }
      reached = slot.change
      this.#index.stopAt(slot)
    }
    writer.byte(END)
    return reached
  }

  writeState(writer: ByteWriter): void {
    const slots = [...this.#slots.values()].sort((a, b) => (a.replica < b.replica ? -1 : 1))
    for (const slot of slots) writeSlot(writer, slot)
    writer.byte(END)
  }

  merge(reader: ByteReader): boolean {
    const slots = new Map<string, number>()
    for (let kind = reader.byte(); kind !== END; kind = reader.byte()) {
      if (kind !== SLOT) throw malformed(`no kind of entry has the number ${kind}`)
      const replica = readReplicaId(reader)
      if (slots.has(replica)) throw malformed('a slot comes twice')
      const count = reader.uint()
      if (count === 0) throw malformed('a slot without a count')
      slots.set(replica, count)
    }
    let isChanged = false
    for (const [replica, count] of slots) isChanged = this.#raise(replica, count) || isChanged
    return isChanged
  }

  *changedSince(since: number): Generator<string> {
    for (let slot = this.#index.firstAfter(since); slot !== undefined; slot = slot.newer) {
      yield slot.replica
    }
  }

  includes(other: GCounter): boolean {
    for (const { replica, count } of other.#slots.values()) {
      if (count > (this.#slots.get(replica)?.count ?? 0)) return false
    }
    return true
  }

  toJSON(): number {
    return this.#value
  }

  #raise(replica: string, count: number): boolean {
    let slot = this.#slots.get(replica)
    if (slot === undefined) {
      slot = new Slot(replica)
      this.#slots.set(replica, slot)
    } else if (slot.count >= count) return false
    this.#value += count - slot.count
    slot.count = count
    this.#index.touch(slot)
    return true
  }
}

class Slot implements Tracked<Slot> {
  change = 0
  older: Slot | undefined
  newer: Slot | undefined
  isHashed = false
  hashHigh = 0
  hashLow = 0
  readonly replica: string
  count = 0

  constructor(replica: string) {
    this.replica = replica
  }
}

function writeSlot(writer: ByteWriter, slot: Slot): void {
  writer.byte(SLOT)
  writer.string(slot.replica)
  writer.uint(slot.count)
}

const END = 0
const SLOT = 1
