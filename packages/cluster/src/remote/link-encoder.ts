import { typeOf } from '@troupe/actor/spi'
import { type Codec, encode } from '@troupe/crdt/wire'
import type { UniqueAddress } from '../node-address.ts'
import { BatchWriter } from './batch.ts'
import type { Post, StreamHost } from './outbound-stream.ts'
import { PayloadCodec } from './payload-codec.ts'
import { FRAME_BYTES_MAX, type Protocol } from './protocol.ts'
import type { RemoteRef } from './remote-ref.ts'

/**
 * Turns messages into the next frame of one open link. A message that cannot be encoded, or is too
 * large, is dropped with its reason; those before and after it are not concerned.
 */
export class LinkEncoder {
  readonly batch: BatchWriter = new BatchWriter()
  readonly #host: StreamHost
  readonly #payload: PayloadCodec
  readonly #codecs = new Map<Protocol<unknown>, Codec<unknown>>()

  constructor(host: StreamHost, peer: UniqueAddress) {
    this.#host = host
    this.#payload = new PayloadCodec(host.translator(peer))
  }

  /** True when the message is in the batch. */
  tell(ref: RemoteRef, message: unknown): boolean {
    const { log, settings } = this.#host
    let bytes: Uint8Array
    try {
      bytes = this.#payload.pack(message)
    } catch (error) {
      log.warn(
        { recipient: ref.path, messageType: typeOf(message), err: error },
        'message could not be encoded',
      )
      this.#host.drop(message, ref, 'NotSerializable')
      return false
    }
    if (bytes.length > settings.messageBytesMax) {
      this.#tooLarge(
        { recipient: ref.path, messageType: typeOf(message) },
        bytes,
        settings.messageBytesMax,
      )
      this.#host.drop(message, ref, 'MessageTooLarge')
      return false
    }
    this.#addRecords()
    if (ref.isTemporary) this.batch.addOnce(ref.target, bytes)
    else this.batch.add(ref.target, bytes)
    return true
  }

  /** The same for a message of a service. Its bound is the frame: services cut their own messages. */
  post({ protocol, message, recipient }: Post): boolean {
    const { log, settings } = this.#host
    let codec = this.#codecs.get(protocol)
    if (codec === undefined) {
      codec = protocol.codec(this.#payload)
      this.#codecs.set(protocol, codec)
    }
    let bytes: Uint8Array
    try {
      bytes = encode(codec, message)
    } catch (error) {
      log.error({ protocol: protocol.name, err: error }, 'message could not be encoded')
      this.#host.drop(message, recipient, 'NotSerializable')
      return false
    }
    const bytesMax = FRAME_BYTES_MAX - settings.batchBytes - ROOM_FOR_NAMES
    if (bytes.length > bytesMax) {
      this.#tooLarge({ protocol: protocol.name }, bytes, bytesMax)
      this.#host.drop(message, recipient, 'MessageTooLarge')
      return false
    }
    this.#addRecords()
    this.batch.add(`p${protocol.name}`, bytes)
    return true
  }

  #addRecords(): void {
    const news = this.#payload.takeNewRecords()
    if (news !== undefined) this.batch.addRecords(news)
  }

  #tooLarge(fields: object, bytes: Uint8Array, bytesMax: number): void {
    this.#host.log.warn(
      { ...fields, bytes: bytes.length, bytesMax },
      'message too large for the link',
    )
  }
}

/** For targets and records that are told beside the messages of a frame. */
const ROOM_FOR_NAMES = 512 * 1_024
