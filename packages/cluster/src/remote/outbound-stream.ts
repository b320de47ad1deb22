import { type ActorRef, type Link, type Logger, type Platform, type TimerTask } from '@troupe/actor'
import { typeOf } from '@troupe/actor/spi'
import { type Codec, encode } from '@troupe/crdt/wire'
import { parseAddress, type UniqueAddress } from '../node-address.ts'
import { BatchWriter } from './batch.ts'
import { DiallerHandshake, type Identity } from './handshake.ts'
import { PayloadCodec, type RefTranslator } from './payload-codec.ts'
import type { Protocol, StreamName } from './protocol.ts'
import type { RemoteRef } from './remote-ref.ts'

/** What streams of one node share. */
export interface StreamHost {
  readonly platform: Platform
  readonly log: Logger
  readonly identity: Identity
  readonly settings: LinkSettings
  connect(host: string, port: number, handlers: Parameters<ConnectFn>[2]): Link
  translator(peer: UniqueAddress): RefTranslator
  isQuarantined(node: UniqueAddress): boolean
  drop(message: unknown, recipient: ActorRef<never>, reason: string): void
  /** Drops of which nothing is left but the number: a batch that was lost with its link. */
  count(reason: string, messages: number): void
  sent(bytes: number, messages: number): void
}
type ConnectFn = NonNullable<Platform['network']>['connect']

export interface LinkSettings {
  /** Most messages that wait for a link to open or to take more; a further one is dropped (LinkQueueFull). */
  readonly linkQueueMax: number
  /** Largest message of a user in bytes; a larger one is dropped (MessageTooLarge). */
  readonly messageBytesMax: number
  /** A batch is sent at the latest when it has this many bytes. */
  readonly batchBytes: number
  /** Bytes handed to the link and not yet taken by the host, beyond which messages wait here. */
  readonly linkBufferBytesMax: number
  /** How long connecting and proving identities may take, in milliseconds. */
  readonly handshakeTimeoutMs: number
  /** Pause before a link that could not be opened is tried again, in milliseconds. */
  readonly reconnectMs: number
}

/** A message of a service. */
export interface Post {
  readonly kind: 'Post'
  readonly protocol: Protocol<unknown>
  readonly message: unknown
  /** The incarnation it is meant for; undefined: whoever is at the address. */
  readonly uid: string | undefined
  readonly recipient: ActorRef<never>
  readonly postedAt: number
}

/** A message of a user. */
interface Tell {
  readonly kind: 'Tell'
  readonly ref: RemoteRef
  readonly message: unknown
}

type Outgoing = Tell | Post

type State =
  | { readonly at: 'Idle' }
  | { readonly at: 'Dialling'; readonly link: Link }
  | { readonly at: 'Open'; readonly link: Link; readonly peer: UniqueAddress; readonly encoder: Encoder }
  | { readonly at: 'Pausing' }
  | { readonly at: 'Closed' }

interface Encoder {
  readonly batch: BatchWriter
  readonly payload: PayloadCodec
  readonly codecs: Map<Protocol<unknown>, Codec<unknown>>
}

/**
 * One direction of one stream to one address: who has something to say dials.
 *
 * Messages wait in a bounded queue until the link is open, then go into the batch of this turn. When
 * the host takes bytes more slowly than we produce them, messages wait again: a slow reader costs at
 * most the queue and the link's buffer. What cannot be sent is dropped with a reason.
 */
export class OutboundStream {
  readonly #host: StreamHost
  readonly #address: string
  readonly #name: StreamName
  readonly #onOpen: (peer: UniqueAddress) => readonly Post[]
  #state: State = { at: 'Idle' }
  #queue: Outgoing[] = []
  #congested = false
  #flushing = false
  readonly #timer: TimerTask
  readonly #flush = (): void => this.#flushNow()

  /** `onOpen` runs when a link has opened; what it returns is sent before anything that waited. */
  constructor(
    host: StreamHost,
    address: string,
    name: StreamName,
    onOpen: (peer: UniqueAddress) => readonly Post[],
  ) {
    this.#host = host
    this.#address = address
    this.#name = name
    this.#onOpen = onOpen
    this.#timer = {
      deadlineMs: 0,
      previous: null,
      next: null,
      slot: -1,
      fire: () => this.#timeIsUp(),
    }
  }

  get queued(): number {
    return this.#queue.length
  }

  get isOpen(): boolean {
    return this.#state.at === 'Open'
  }

  /** The first message of `protocol` that still waits. */
  firstQueued<T>(protocol: Protocol<T>): T | undefined {
    for (const each of this.#queue) {
      if (each.kind === 'Post' && each.protocol === protocol) return each.message as T
    }
    return undefined
  }

  tell(ref: RemoteRef, message: unknown): void {
    const state = this.#state
    if (state.at === 'Open' && !this.#congested && this.#queue.length === 0) {
      this.#encodeTell(state.peer, state.encoder, ref, message)
    } else this.#enqueue({ kind: 'Tell', ref, message }, message, ref)
  }

  post(post: Post): void {
    const state = this.#state
    if (state.at === 'Open' && !this.#congested && this.#queue.length === 0) {
      this.#encodePost(state.peer, state.encoder, post)
    } else this.#enqueue(post, post.message, post.recipient)
  }

  /** Ends the stream for good; what waits is dropped. */
  close(reason: string): void {
    const state = this.#state
    this.#host.platform.timers.cancel(this.#timer)
    if (state.at === 'Open') this.#flushNow()
    this.#state = { at: 'Closed' }
    if (state.at === 'Open' || state.at === 'Dialling') state.link.close(1000, reason)
    this.#dropQueue(reason)
  }

  /** Gives up on the current link; the next message dials again. */
  disconnect(reason: string): void {
    const state = this.#state
    if (state.at !== 'Open' && state.at !== 'Dialling') return
    this.#lost(state, reason)
    state.link.close(1000, reason)
  }

  // ---- waiting ----

  #enqueue(outgoing: Outgoing, message: unknown, recipient: ActorRef<never>): void {
    if (this.#state.at === 'Closed') {
      this.#host.drop(message, recipient, 'LinkClosed')
    } else if (this.#queue.length >= this.#host.settings.linkQueueMax) {
      this.#host.drop(message, recipient, 'LinkQueueFull')
    } else {
      this.#queue.push(outgoing)
      if (this.#state.at === 'Idle') this.#dial()
    }
  }

  #dropQueue(reason: string): void {
    const queue = this.#queue
    this.#queue = []
    for (const each of queue) {
      this.#host.drop(each.message, each.kind === 'Tell' ? each.ref : each.recipient, reason)
    }
  }

  #sendQueued(): void {
    const state = this.#state
    if (state.at !== 'Open') return
    let done = 0
    for (const each of this.#queue) {
      if (this.#congested) break
      done++
      if (each.kind === 'Tell') this.#encodeTell(state.peer, state.encoder, each.ref, each.message)
      else this.#encodePost(state.peer, state.encoder, each)
    }
    this.#queue = done === this.#queue.length ? [] : this.#queue.slice(done)
  }

  // ---- the link ----

  #dial(): void {
    const { platform, identity, settings } = this.#host
    const { host, port } = parseAddress(this.#address)
    const handshake = new DiallerHandshake(
      identity,
      this.#address,
      this.#name,
      platform.random.bytes(32),
    )
    platform.timers.start(this.#timer, settings.handshakeTimeoutMs)
    const link: Link = this.#host.connect(host, port, {
      onOpen: () => link.send(handshake.start()),
      onFrame: (frame) => {
        const state = this.#state
        if (state.at === 'Dialling' && state.link === link) this.#answered(link, handshake, frame)
      },
      onDrain: () => this.#drained(link),
      onClose: (reason) => {
        const state = this.#state
        if ((state.at === 'Dialling' || state.at === 'Open') && state.link === link) {
          this.#lost(state, reason)
        }
      },
    })
    this.#state = { at: 'Dialling', link }
  }

  #answered(link: Link, handshake: DiallerHandshake, frame: Uint8Array): void {
    const result = handshake.receive(frame)
    if (result.type === 'Opened' && !this.#host.isQuarantined(result.peer)) {
      link.send(result.frame)
      this.#opened(link, result.peer)
      return
    }
    const reason =
      result.type === 'Refused' ? result.reason : 'that incarnation of the node was removed'
    this.#lost({ at: 'Dialling', link }, reason)
    link.close(4002, reason)
  }

  #opened(link: Link, peer: UniqueAddress): void {
    const { platform, translator } = this.#host
    platform.timers.cancel(this.#timer)
    const encoder = {
      batch: new BatchWriter(),
      payload: new PayloadCodec(translator(peer)),
      codecs: new Map<Protocol<unknown>, Codec<unknown>>(),
    }
    this.#congested = false
    this.#state = { at: 'Open', link, peer, encoder }
    for (const again of this.#onOpen(peer)) this.#encodePost(peer, encoder, again)
    this.#sendQueued()
  }

  #lost(state: State & { readonly link: Link }, reason: string): void {
    const { platform, log, settings, count } = this.#host
    platform.timers.cancel(this.#timer)
    if (state.at === 'Open' && state.encoder.batch.count > 0) {
      count('LinkClosed', state.encoder.batch.count)
    }
    const fields = { remote: this.#address, stream: this.#name, reason }
    if (state.at === 'Open') log.info(fields, 'link closed')
    else log.debug(fields, 'link not opened')
    this.#state = { at: 'Pausing' }
    platform.timers.start(this.#timer, settings.reconnectMs)
  }

  #timeIsUp(): void {
    const state = this.#state
    if (state.at === 'Dialling') {
      this.#lost(state, 'no answer in time')
      state.link.close(4001, 'no answer in time')
    } else if (state.at === 'Pausing') {
      this.#state = { at: 'Idle' }
      this.#dropExpired()
      if (this.#queue.length > 0) this.#dial()
    }
  }

  #dropExpired(): void {
    const now = this.#host.platform.clock.monotonicMs()
    this.#queue = this.#queue.filter((each) => !this.#isExpired(each, now))
  }

  #isExpired(each: Outgoing, now: number): boolean {
    if (each.kind === 'Tell' || now - each.postedAt <= (each.protocol.expiresAfterMs ?? Infinity)) {
      return false
    }
    this.#host.drop(each.message, each.recipient, 'Expired')
    return true
  }

  // ---- sending ----

  #encodeTell(peer: UniqueAddress, encoder: Encoder, ref: RemoteRef, message: unknown): void {
    if (ref.node.uid !== peer.uid) {
      this.#host.drop(message, ref, 'NodeRestarted')
      return
    }
    const bytes = this.#pack(encoder, ref, message)
    if (bytes === undefined) return
    if (ref.isTemporary) encoder.batch.addOnce(ref.target, bytes)
    else encoder.batch.add(ref.target, bytes)
    this.#added(encoder)
  }

  #pack(encoder: Encoder, ref: RemoteRef, message: unknown): Uint8Array | undefined {
    const { log, settings, drop } = this.#host
    let reason: string
    try {
      const bytes = encoder.payload.pack(message)
      if (bytes.length <= settings.messageBytesMax) return bytes
      reason = 'MessageTooLarge'
      log.warn(
        { recipient: ref.path, messageType: typeOf(message), bytes: bytes.length, bytesMax: settings.messageBytesMax },
        'message too large for the link',
      )
    } catch (error) {
      reason = 'NotSerializable'
      log.warn(
        { recipient: ref.path, messageType: typeOf(message), err: error },
        'message could not be encoded',
      )
    }
    encoder.payload.forgetSent()
    encoder.batch.forgetRecords()
    drop(message, ref, reason)
    return undefined
  }

  #encodePost(peer: UniqueAddress, encoder: Encoder, post: Post): void {
    const { log, platform, drop } = this.#host
    if (post.uid !== undefined && post.uid !== peer.uid) {
      drop(post.message, post.recipient, 'NodeRestarted')
      return
    }
    if (this.#isExpired(post, platform.clock.monotonicMs())) return
    const { protocol, message, recipient } = post
    let codec = encoder.codecs.get(protocol)
    if (codec === undefined) {
      codec = protocol.codec(encoder.payload)
      encoder.codecs.set(protocol, codec)
    }
    let bytes: Uint8Array
    try {
      bytes = encode(codec, message)
    } catch (error) {
      log.error({ protocol: protocol.name, err: error }, 'message could not be encoded')
      encoder.payload.forgetSent()
      encoder.batch.forgetRecords()
      drop(message, recipient, 'NotSerializable')
      return
    }
    encoder.batch.add(`p${protocol.name}`, bytes)
    this.#added(encoder)
  }

  #added(encoder: Encoder): void {
    if (encoder.batch.bytes >= this.#host.settings.batchBytes) this.#flushNow()
    else if (!this.#flushing) {
      this.#flushing = true
      this.#host.platform.executor.afterIo(this.#flush)
    }
  }

  #flushNow(): void {
    this.#flushing = false
    const state = this.#state
    if (state.at !== 'Open' || state.encoder.batch.bytes === 0) return
    const messages = state.encoder.batch.count
    const frame = state.encoder.batch.take()
    state.link.send(frame)
    this.#host.sent(frame.length, messages)
    this.#congested = state.link.bufferedBytes > this.#host.settings.linkBufferBytesMax
  }

  #drained(link: Link): void {
    const state = this.#state
    if (state.at !== 'Open' || state.link !== link || !this.#congested) return
    this.#congested = false
    this.#sendQueued()
  }
}
