import { type Crdt, type Digest, LWWMap, type Replica } from '@troupe/crdt'
import type { ByteReader, ByteWriter } from '@troupe/crdt/wire'

/** Values with one mistake each: a simulation that lets them pass proves nothing. */

/** Planted bug: what arrives last is kept, whenever it was written. */
export class ArrivalRegister implements Crdt {
  static readonly typeName = 'ArrivalRegister'
  readonly typeName = ArrivalRegister.typeName
  value: string | undefined
  changes = 0

  static create(_replica: Replica): ArrivalRegister {
    return new ArrivalRegister()
  }

  set(value: string): void {
    this.value = value
    this.changes++
  }

  get digest(): Digest {
    let low = 0
    for (const char of this.value ?? '') low = (low * 31 + char.charCodeAt(0)) >>> 0
    return { high: this.value === undefined ? 0 : 1, low }
  }

  writeChanges(writer: ByteWriter, _since: number, _bytesMax: number): number {
    this.writeState(writer)
    return this.changes
  }

  writeState(writer: ByteWriter): void {
    writer.string(this.value ?? '')
  }

  merge(reader: ByteReader): boolean {
    const value = reader.string()
    if (value === '' || value === this.value) return false
    this.set(value)
    return true
  }

  *changedSince(_since: number): Generator<string> {
    yield 'value'
  }

  includes(other: ArrivalRegister): boolean {
    return other.value === undefined || other.value === this.value
  }

  toJSON(): unknown {
    return this.value
  }
}

/** Planted bug: a map that keeps no tombstone, so that an older put that arrives late brings back what was removed. */
export class ForgetfulMap implements Crdt {
  static readonly typeName = 'ForgetfulMap'
  readonly typeName = ForgetfulMap.typeName
  readonly #map: LWWMap<string, number>

  private constructor(replica: Replica) {
    this.#map = LWWMap.create(replica)
  }

  static create(replica: Replica): ForgetfulMap {
    return new ForgetfulMap(replica)
  }

  put(key: string, value: number): void {
    this.#map.put(key, value)
  }

  remove(key: string): void {
    this.#map.remove(key)
  }

  has(key: string): boolean {
    return this.#map.has(key)
  }

  get changes(): number {
    return this.#map.changes
  }

  get digest(): Digest {
    return this.#map.digest
  }

  writeChanges(writer: ByteWriter, since: number, bytesMax: number): number {
    const reached = this.#map.writeChanges(writer, since, bytesMax)
    // What everybody was sent, everybody has: no need to remember it.
    this.#map.forgetTombstones(Infinity)
    return Math.max(reached, this.#map.changes)
  }

  writeState(writer: ByteWriter): void {
    this.#map.writeState(writer)
  }

  merge(reader: ByteReader): boolean {
    const isChanged = this.#map.merge(reader)
    this.#map.forgetTombstones(Infinity)
    return isChanged
  }

  changedSince(since: number): Iterable<unknown> {
    return this.#map.changedSince(since)
  }

  includes(other: ForgetfulMap): boolean {
    return this.#map.includes(other.#map)
  }

  toJSON(): unknown {
    return this.#map.toJSON()
  }
}

/** Planted bug: a counter that adds what arrives, so that what arrives twice counts twice. */
export class AddingCounter implements Crdt {
  static readonly typeName = 'AddingCounter'
  readonly typeName = AddingCounter.typeName
  /** What each change added here; 0 for what came from elsewhere. */
  readonly #added: number[] = []
  value = 0

  static create(_replica: Replica): AddingCounter {
    return new AddingCounter()
  }

  increment(): void {
    this.#add(1, 1)
  }

  get changes(): number {
    return this.#added.length
  }

  get digest(): Digest {
    return { high: 0, low: this.value }
  }

  writeChanges(writer: ByteWriter, since: number, _bytesMax: number): number {
    writer.uint(this.#added.slice(since).reduce((sum, each) => sum + each, 0))
    return this.changes
  }

  writeState(writer: ByteWriter): void {
    writer.uint(this.value)
  }

  merge(reader: ByteReader): boolean {
    const by = reader.uint()
    if (by > 0) this.#add(by, 0)
    return by > 0
  }

  *changedSince(_since: number): Generator<string> {
    yield 'value'
  }

  includes(other: AddingCounter): boolean {
    return other.value <= this.value
  }

  toJSON(): unknown {
    return this.value
  }

  #add(by: number, own: number): void {
    this.value += by
    this.#added.push(own)
  }
}
