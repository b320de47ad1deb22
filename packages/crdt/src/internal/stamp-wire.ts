import { REPLICA_ID_BYTES_MAX, type Stamp } from '../crdt.ts'
import { COUNTER_MAX, WALL_MS_MAX } from '../hybrid-clock.ts'
import type { ByteReader } from '../wire/byte-reader.ts'
import type { ByteWriter } from '../wire/byte-writer.ts'
import { malformed } from '../wire/wire-error.ts'

/** Replica ids within one delta: the first time in full, then as a number. */
export class ReplicaNamesWriter {
  readonly #numbers = new Map<string, number>()

  write(writer: ByteWriter, replica: string): void {
    const number = this.#numbers.get(replica)
    if (number !== undefined) {
      writer.uint(number)
      return
    }
    writer.uint(this.#numbers.size)
    this.#numbers.set(replica, this.#numbers.size)
    writer.string(replica)
  }
}

export class ReplicaNamesReader {
  readonly #names: string[] = []
  readonly #known = new Set<string>()

  read(reader: ByteReader): string {
    const number = reader.uint(this.#names.length)
    const known = this.#names[number]
    if (known !== undefined) return known
    const name = readReplicaId(reader)
    if (this.#known.has(name)) throw malformed('a replica is introduced twice')
    this.#known.add(name)
    this.#names.push(name)
    return name
  }
}

export function readReplicaId(reader: ByteReader): string {
  const id = reader.string(REPLICA_ID_BYTES_MAX)
  if (id === '') throw malformed('an empty replica id')
  return id
}

/** Stamps within one delta: times as differences. */
export class StampWriter {
  readonly #names = new ReplicaNamesWriter()
  #wallMs = 0

  write(writer: ByteWriter, stamp: Stamp): void {
    this.#names.write(writer, stamp.replica)
    writer.int(stamp.wallMs - this.#wallMs)
    writer.uint(stamp.counter)
    this.#wallMs = stamp.wallMs
  }
}

export class StampReader {
  readonly #names = new ReplicaNamesReader()
  #wallMs = 0

  read(reader: ByteReader): Stamp {
    const replica = this.#names.read(reader)
    const wallMs = this.#wallMs + reader.int()
    if (wallMs < 0 || wallMs > WALL_MS_MAX) throw malformed('the time of a stamp is out of range')
    this.#wallMs = wallMs
    return { replica, wallMs, counter: reader.uint(COUNTER_MAX) }
  }
}
