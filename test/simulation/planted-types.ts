import {
  type Crdt,
  type CrdtType,
  type Digest,
  GCounter,
  LWWMap,
  type Replica,
  type Stamp,
} from '@troupe/crdt'
import { type ByteReader, ByteWriter } from '@troupe/crdt/wire'

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
