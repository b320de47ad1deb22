import type { Link, TimerTask } from '@troupe/actor'
import type { UniqueAddress } from '../node-address.ts'
import { BatchReader, type Deliver } from './batch.ts'
import { AcceptorHandshake, MALFORMED, NOT_AUTHENTIC, NOT_GREETED_IN_TIME } from './handshake.ts'
import { REMOVED, type StreamHost } from './outbound-stream.ts'
import { PayloadCodec } from './payload-codec.ts'
import { FRAME_BYTES_MAX, HANDSHAKE_FRAME_BYTES_MAX } from './protocol.ts'

/** What an accepted link needs of its node. */
export interface InboundHost extends StreamHost {
  /** The peer has proven who it is. */
  greeted(peer: UniqueAddress, link: InboundLink): void
  /** Looks up what a target of `peer` stands for; asked once per target and link. */
  resolve(peer: UniqueAddress, target: string, payload: PayloadCodec): Deliver
  received(bytes: number): void
  /** A stranger, or a peer that broke the protocol, was turned away. */
  refused(remote: string, reason: string): void
  closed(link: InboundLink): void
}

/**
 * A link that somebody else opened to us. Until the other end has proven that it belongs to the
 * cluster, nothing but the handshake is decoded, and only a little of it, and not for long.
 */
export class InboundLink {
  readonly #host: InboundHost
  readonly #link: Link
  readonly #handshake: AcceptorHandshake
  readonly #timer: TimerTask
  #peer: UniqueAddress | undefined
  #reader: BatchReader | undefined
  #isClosed = false

  constructor(host: InboundHost, link: Link) {
    this.#host = host
    this.#link = link
    this.#handshake = new AcceptorHandshake(host.identity, host.platform.random.bytes(32))
    this.#timer = {
      deadlineMs: 0,
      previous: null,
      next: null,
      slot: -1,
      fire: () => this.refuse(NOT_GREETED_IN_TIME, 'no handshake in time'),
    }
    host.platform.timers.start(this.#timer, host.settings.handshakeTimeoutMs)
    link.attach({
      onOpen: () => {},
      onDrain: () => {},
      onFrame: (frame) => this.#onFrame(frame),
      onClose: (reason) => {
        // Also a stranger that the transport has turned away, or that hung up, was one too many.
        if (!this.#isClosed && this.#peer === undefined) host.refused(link.remote, reason)
        this.#onClose()
      },
    })
  }

  /** Who is at the other end; undefined while that is not proven. */
  get peer(): UniqueAddress | undefined {
    return this.#peer
  }

  close(code: number, reason: string): void {
    if (this.#isClosed) return
    this.#onClose()
    this.#link.close(code, reason)
  }

  /** Closes the link and counts it as turned away. */
  refuse(code: number, reason: string): void {
    if (this.#isClosed) return
    this.#host.refused(this.#link.remote, reason)
    this.close(code, reason)
  }

  #onClose(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#host.platform.timers.cancel(this.#timer)
    this.#host.closed(this)
  }

  #onFrame(frame: Uint8Array): void {
    if (this.#isClosed) return
    if (this.#reader === undefined) this.#greet(frame)
    else this.#read(this.#reader, frame)
  }

  #greet(frame: Uint8Array): void {
    if (frame.length > HANDSHAKE_FRAME_BYTES_MAX) {
      this.refuse(MALFORMED, 'this is not a Troupe handshake')
      return
    }
    const result = this.#handshake.receive(frame)
    if (result.type === 'Send') this.#link.send(result.frame)
    else if (result.type === 'Refused') this.refuse(result.code, result.reason)
    else if (result.type === 'Accepted') this.#accepted(result.peer)
  }

  #accepted(peer: UniqueAddress): void {
    if (this.#host.isQuarantined(peer)) {
      this.refuse(NOT_AUTHENTIC, REMOVED)
      return
    }
    this.#host.platform.timers.cancel(this.#timer)
    this.#peer = peer
    const payload = new PayloadCodec(this.#host.translator(peer))
    this.#reader = new BatchReader(
      (target) => this.#host.resolve(peer, target, payload),
      (news) => payload.learn(news),
    )
    this.#host.greeted(peer, this)
  }

  #read(reader: BatchReader, frame: Uint8Array): void {
    this.#host.received(frame.length)
    try {
      if (frame.length > FRAME_BYTES_MAX) throw new RangeError(`a frame of ${frame.length} bytes`)
      reader.read(frame)
    } catch (error) {
      // The numbering of targets may be out of step from here on, so the link is of no further use.
      this.refuse(MALFORMED, error instanceof Error ? error.message : 'malformed frame')
    }
  }
}
