import { type Crdt, type Digest, type Replica, type Stamp } from './crdt.ts'
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
import type { ByteWriter } from './wire/byte-writer.ts'
import { malformed } from './wire/wire-error.ts'

export interface ReadonlyLWWRegister<V> {
  /** Undefined until somebody has set it. */
  readonly value: V | undefined
  readonly changes: number
  readonly digest: Digest
  toJSON(): V | null
}

/** One value of which the last writer wins, by the stamps of hybrid clocks. */
export class LWWRegister<V> implements Crdt, ReadonlyLWWRegister<V> {
  static readonly typeName = 'LWWRegister'
  readonly #replica: Replica
  readonly #index = new ChangeIndex<Content<V>>(hashStamped)
  #content: Content<V> | undefined

  private constructor(replica: Replica) {
    this.#replica = replica
  }

  static create<V>(replica: Replica): LWWRegister<V> {
    return new LWWRegister<V>(replica)
  }

  get typeName(): string {
    return LWWRegister.typeName
  }

  get value(): V | undefined {
    return this.#content?.value
  }

  get changes(): number {
    return this.#index.changes
  }

  get digest(): Digest {
    return this.#index.digest
  }

  /** Throws `INVALID_VALUE` unless the value is plain data of at most 64 KiB. */
  set(value: V): void {
    checkUserValue(value)
    this.#write(value, this.#replica.stamp())
  }

  writeChanges(writer: ByteWriter, since: number, _bytesMax: number): number {
    if (since >= this.#index.changes) writer.byte(NOTHING)
    else this.writeState(writer)
    return Math.max(since, this.#index.changes)
  }

  writeState(writer: ByteWriter): void {
    const content = this.#content
    if (content === undefined) {
      writer.byte(NOTHING)
      return
    }
    writer.byte(SET)
    new StampWriter().write(writer, content.stamp)
    valueCodec.write(writer, content.value)
  }

  merge(reader: ByteReader): boolean {
    const kind = reader.byte()
    if (kind === NOTHING) return false
    if (kind !== SET) throw malformed(`no kind of content has the number ${kind}`)
    const stamp = new StampReader().read(reader)
    const value = valueCodec.read(reader) as V
    const isWinner =
      this.#content === undefined || isLater({ value, stamp, isRemoved: false }, this.#content)
    if (!this.#replica.observe(stamp) || !isWinner) return false
    this.#write(value, stamp)
    return true
  }

  *changedSince(since: number): Generator<'value'> {
    if (since < this.#index.changes) yield 'value'
  }

  includes(other: LWWRegister<V>): boolean {
    const theirs = other.#content
    if (theirs === undefined) return true
    return this.#content !== undefined && !isLater(theirs, this.#content)
  }

  toJSON(): V | null {
    return this.#content?.value ?? null
  }

  #write(value: V, stamp: Stamp): void {
    if (this.#content === undefined) this.#content = new Content(value, stamp)
    else {
      this.#content.value = value
      this.#content.stamp = stamp
    }
    this.#index.touch(this.#content)
  }
}

class Content<V> implements Stamped, Tracked<Content<V>> {
  change = 0
  older: Content<V> | undefined
  newer: Content<V> | undefined
  isHashed = false
  hashHigh = 0
  hashLow = 0
  value: V
  readonly isRemoved = false
  stamp: Stamp

  constructor(value: V, stamp: Stamp) {
    this.value = value
    this.stamp = stamp
  }
}

const NOTHING = 0
const SET = 1
