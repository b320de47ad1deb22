/** The least there is to a batch: each message with its length in front, nothing else. */
export class RawBatch {
  readonly #buffer = Buffer.allocUnsafe(128 * 1_024)
  #length = 0

  get length(): number {
    return this.#length
  }

  add(message: Uint8Array): void {
    this.#length = this.#buffer.writeUInt32LE(message.length, this.#length)
    this.#buffer.set(message, this.#length)
    this.#length += message.length
  }

  take(): Buffer {
    const frame = Buffer.copyBytesFrom(this.#buffer, 0, this.#length)
    this.#length = 0
    return frame
  }
}

export function readBatch(frame: Buffer, onMessage: (message: Uint8Array) => void): void {
  for (let at = 0; at < frame.length;) {
    const end = at + 4 + frame.readUInt32LE(at)
    onMessage(frame.subarray(at + 4, end))
    at = end
  }
}

/** Settings of msgpackr for a stream: field names cross it once. */
export const STREAM = () => ({ sequential: true, structures: [], maxSharedStructures: 0 })
