import { type ActorRef, type Link, type Logger, type Platform, type TimerTask } from '@troupe/actor'
import { parseAddress, type UniqueAddress } from '../node-address.ts'
import { DiallerHandshake, type Identity } from './handshake.ts'
import { LinkEncoder } from './link-encoder.ts'
import type { RefTranslator } from './payload-codec.ts'
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
  /** A message that is lost becomes a dead letter, and counts under its reason. */
  drop(message: unknown, recipient: ActorRef<never>, reason: string): void
  /** Lost messages of which nothing but the number is worth keeping. */
  count(reason: string, messages: number): void
  sent(bytes: number, messages: number): void
  /** `peer` says that it, and so its cluster, has removed us. */
  toldRemoved(peer: UniqueAddress): void
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
  /** Kept elsewhere until it is acknowledged: not bounded here, and never lost by being dropped here. */
  readonly isReliable: boolean
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
  | {
      readonly at: 'Open'
      readonly link: Link
      readonly peer: UniqueAddress
      readonly encoder: LinkEncoder
    }
  | { readonly at: 'Pausing' }
  | { readonly at: 'Closed' }

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
  #failure: string | undefined
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

  /** Why the last attempt to open a link failed; undefined when it did not. */
  get failure(): string | undefined {
    return this.#failure
  }

  /** Something waits that may still get out: a link that cannot be opened is not waited for. */
  get isBusy(): boolean {
    const state = this.#state
    const hasLink = state.at === 'Open' || state.at === 'Dialling'
    return hasLink && (this.#queue.length > 0 || state.link.bufferedBytes > 0)
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
    } else this.#enqueue({ kind: 'Tell', ref, message })
  }

  post(post: Post): void {
    const state = this.#state
    if (state.at === 'Open' && !this.#congested && this.#queue.length === 0) {
      this.#encodePost(state.peer, state.encoder, post)
    } else this.#enqueue(post)
  }

  /** Sends what is in the batch, without waiting for the end of the turn. */
  flush(): void {
    this.#flushNow()
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

  // ---- waiting ----

  #enqueue(outgoing: Outgoing): void {
    if (this.#state.at === 'Closed') this.#drop(outgoing, 'LinkClosed')
    else if (this.#queue.length >= this.#host.settings.linkQueueMax && !isReliable(outgoing)) {
      this.#drop(outgoing, 'LinkQueueFull')
    } else {
      this.#queue.push(outgoing)
      if (this.#state.at === 'Idle') this.#dial()
    }
  }

  #drop(each: Outgoing, reason: string): void {
    if (each.kind === 'Tell') this.#host.drop(each.message, each.ref, reason)
    else if (each.isReliable) return
    else if (each.protocol.isRepeated === true) this.#host.count(reason, 1)
    else this.#host.drop(each.message, each.recipient, reason)
  }

  #dropQueue(reason: string): void {
    const queue = this.#queue
    this.#queue = []
    for (const each of queue) this.#drop(each, reason)
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
    const { platform } = this.#host
    platform.timers.cancel(this.#timer)
    const encoder = new LinkEncoder(this.#host, peer)
    this.#congested = false
    this.#failure = undefined
    this.#state = { at: 'Open', link, peer, encoder }
    for (const again of this.#onOpen(peer)) this.#encodePost(peer, encoder, again)
    this.#sendQueued()
  }

  #lost(state: State & { readonly link: Link }, reason: string): void {
    const { platform, log, settings } = this.#host
    platform.timers.cancel(this.#timer)
    if (state.at === 'Open' && state.encoder.batch.count > 0) {
      this.#host.count('LinkClosed', state.encoder.batch.count)
    }
    const fields = { remote: this.#address, stream: this.#name, reason }
    if (state.at === 'Open') log.info(fields, 'link closed')
    // The same failure again and again is worth one line.
    else if (reason !== this.#failure) log.info(fields, 'link not opened')
    this.#failure = reason
    this.#state = { at: 'Pausing' }
    platform.timers.start(this.#timer, settings.reconnectMs)
    if (state.at === 'Open' && reason === REMOVED) this.#host.toldRemoved(state.peer)
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
    this.#drop(each, 'Expired')
    return true
  }

  // ---- sending ----

  #encodeTell(peer: UniqueAddress, encoder: LinkEncoder, ref: RemoteRef, message: unknown): void {
    if (ref.node.uid !== peer.uid) this.#host.drop(message, ref, 'NodeRestarted')
    else if (encoder.tell(ref, message)) this.#added(encoder)
  }

  #encodePost(peer: UniqueAddress, encoder: LinkEncoder, post: Post): void {
    if (post.uid !== undefined && post.uid !== peer.uid) this.#drop(post, 'NodeRestarted')
    else if (!this.#isExpired(post, this.#host.platform.clock.monotonicMs())) {
      if (encoder.post(post)) this.#added(encoder)
    }
  }

  #added(encoder: LinkEncoder): void {
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
    if (link.bufferedBytes > this.#host.settings.linkBufferBytesMax) return
    this.#congested = false
    this.#sendQueued()
  }
}

function isReliable(outgoing: Outgoing): boolean {
  return outgoing.kind === 'Post' && outgoing.isReliable
}

/** What a node says to one that was removed from its cluster. Part of the protocol: who hears it stops. */
export const REMOVED = 'this incarnation was removed from the cluster; restart it'
