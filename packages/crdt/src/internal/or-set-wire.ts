import type { ByteReader } from '../wire/byte-reader.ts'
import type { ByteWriter } from '../wire/byte-writer.ts'
import { malformed } from '../wire/wire-error.ts'
import { ReplicaNamesReader, ReplicaNamesWriter } from './stamp-wire.ts'
import { valueCodec } from './stamped.ts'

/** Names one addition: the `counter`-th of a replica. */
export interface Dot {
  readonly replica: string
  readonly counter: number
}

/** Additions of one replica that are undone or superseded, `from` to `to`. */
interface RemovedDots {
  readonly replica: string
  readonly from: number
  readonly to: number
}

/** What a delta of a set says. */
export interface SetDelta {
  readonly additions: readonly { readonly value: unknown; readonly dots: readonly Dot[] }[]
  readonly removals: readonly RemovedDots[]
}

export class SetDeltaWriter {
  readonly #writer: ByteWriter
  readonly #names = new ReplicaNamesWriter()

  constructor(writer: ByteWriter) {
    this.#writer = writer
  }

  addition(value: unknown, dots: readonly Dot[]): void {
    const writer = this.#writer
    writer.byte(ADDITION)
    valueCodec.write(writer, value)
    writer.uint(dots.length)
    for (const { replica, counter } of dots) {
      this.#names.write(writer, replica)
      writer.uint(counter)
    }
  }

  removal(replica: string, from: number, to: number): void {
    const writer = this.#writer
    writer.byte(REMOVAL)
    this.#names.write(writer, replica)
    writer.uint(from)
    writer.uint(to - from)
  }

  end(): void {
    this.#writer.byte(END)
  }
}

export function readSetDelta(reader: ByteReader): SetDelta {
  const names = new ReplicaNamesReader()
  const additions: { value: unknown; dots: Dot[] }[] = []
  const removals: RemovedDots[] = []
  for (let kind = reader.byte(); kind !== END; kind = reader.byte()) {
    if (kind === ADDITION) {
      const value = valueCodec.read(reader)
      const dots: Dot[] = []
      // A dot takes at least two bytes, so a count beyond half of what is left is a lie.
      for (let count = reader.uint(reader.remaining / 2); count > 0; count--) {
        dots.push({ replica: names.read(reader), counter: readCounter(reader) })
      }
      if (dots.length === 0) throw malformed('an element without a dot')
      additions.push({ value, dots })
    } else if (kind === REMOVAL) {
      const replica = names.read(reader)
      const from = readCounter(reader)
      const to = from + reader.uint()
      if (to > Number.MAX_SAFE_INTEGER) throw malformed('a dot out of range')
      removals.push({ replica, from, to })
    } else throw malformed(`no kind of change has the number ${kind}`)
  }
  return { additions, removals }
}

function readCounter(reader: ByteReader): number {
  const counter = reader.uint()
  if (counter === 0) throw malformed('dots are counted from 1')
  return counter
}

export function compareDots(a: Dot, b: Dot): number {
  if (a.replica !== b.replica) return a.replica < b.replica ? -1 : 1
  return a.counter - b.counter
}

const END = 0
const ADDITION = 1
const REMOVAL = 2
