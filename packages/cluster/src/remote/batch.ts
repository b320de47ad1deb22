import { ByteReader, ByteWriter } from '@troupe/crdt/wire'

/**
 * Many messages in one frame.
 *
 * A frame is a list of envelopes: a number for the target, then the bytes of the message. Targets
 * (an actor of the receiver, a protocol) are named in full once per link; afterwards their number is
 * enough. A target that is used only once, the address of an ask, is named in place instead: numbering
 * it would make the table grow for ever.
 */
export class BatchWriter {
  readonly #writer = new ByteWriter()
  #targets = new Map<string, number>()
  /** Messages in the batch so far. */
  count = 0

  get bytes(): number {
    return this.#writer.length
  }

  add(target: string, message: Uint8Array): void {
    const writer = this.#writer
    let number = this.#targets.get(target)
    if (number === undefined) {
      if (this.#targets.size >= TARGETS_MAX) {
        this.#targets.clear()
        writer.uint(FORGET_TARGETS)
      }
      number = this.#targets.size
      this.#targets.set(target, number)
      writer.uint(TARGET)
      writer.string(target)
    }
    writer.uint(number + FIRST_NUMBER)
    writer.bytes(message)
    this.count++
  }

  addOnce(target: string, message: Uint8Array): void {
    this.#writer.uint(IN_PLACE)
    this.#writer.string(target)
    this.#writer.bytes(message)
    this.count++
  }

  /** What the other end has to know before it reads the messages that follow: see PayloadCodec. */
  addRecords(news: Uint8Array): void {
    this.#writer.uint(RECORDS)
    this.#writer.bytes(news)
  }

  /** The frame; the batch is empty afterwards. */
  take(): Uint8Array {
    const frame = this.#writer.finish()
    this.#writer.reset()
    this.count = 0
    return frame
  }
}

/**
 * What is done with each message for one target. The message is what stands in `frame` from `start`
 * to `end`: a view of each message would cost more than decoding it.
 */
export type Deliver = (frame: Uint8Array, start: number, end: number) => void

export class BatchReader {
  readonly #resolve: (target: string) => Deliver
  readonly #learn: (news: Uint8Array) => void
  #targets: Deliver[] = []

  /** `resolve` is asked once per target and link; `learn` gets the records that messages share. */
  constructor(resolve: (target: string) => Deliver, learn: (news: Uint8Array) => void) {
    this.#resolve = resolve
    this.#learn = learn
  }

  /**
   * Delivers every message of a frame. Throws when the frame itself makes no sense; what is in a
   * message is the business of its target.
   */
  read(received: Uint8Array): void {
    // Frames come as Buffers, whose views are four times as expensive.
    const frame = new Uint8Array(received.buffer, received.byteOffset, received.length)
    const reader = new ByteReader(frame)
    while (reader.remaining > 0) {
      const number = reader.uint()
      switch (number) {
        case TARGET:
          if (this.#targets.length >= TARGETS_MAX) throw new Error('too many targets on one link')
          this.#targets.push(this.#resolve(reader.string(TARGET_BYTES_MAX)))
          break
        case FORGET_TARGETS:
          this.#targets = []
          break
        case RECORDS:
          this.#learn(reader.view())
          break
        case IN_PLACE:
          deliverNext(this.#resolve(reader.string(TARGET_BYTES_MAX)), frame, reader)
          break
        default: {
          const deliver = this.#targets[number - FIRST_NUMBER]
          if (deliver === undefined) throw new Error(`no target has the number ${number}`)
          deliverNext(deliver, frame, reader)
        }
      }
    }
  }
}

function deliverNext(deliver: Deliver, frame: Uint8Array, reader: ByteReader): void {
  const { length } = reader.view()
  const end = reader.position
  deliver(frame, end - length, end)
}

const TARGET = 0
const FORGET_TARGETS = 1
const RECORDS = 2
const IN_PLACE = 3
const FIRST_NUMBER = 4
const TARGET_BYTES_MAX = 8_192
const TARGETS_MAX = 65_536
