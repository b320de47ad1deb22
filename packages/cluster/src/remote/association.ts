import type { ActorRef } from '@troupe/actor'
import type { UniqueAddress } from '../node-address.ts'
import { OutboundStream, type Post, type StreamHost } from './outbound-stream.ts'
import type { Protocol, StreamName } from './protocol.ts'
import type { RemoteRef } from './remote-ref.ts'
import {
  SystemInbox,
  SystemOutbox,
  UNACKNOWLEDGED_MAX,
  type WatchMessage,
  watchProtocol,
} from './system-messages.ts'

/** What became of a watch message that was to be sent. */
export type ReliablePost =
  | 'Sent'
  /** Another incarnation answers at the address: the one that was meant has ended. */
  | 'NodeRestarted'
  /** The node has left so many unacknowledged that it has to be given up. */
  | 'Overflow'

/**
 * All that this node has to do with one address: a stream for control and one for ordinary messages,
 * and the watch messages under way to and from its current incarnation. Everything numbered belongs
 * to an incarnation; when another one answers at the address, it begins again.
 */
export class Association {
  readonly address: string
  readonly #host: StreamHost
  readonly #nobody: ActorRef<never>
  readonly #streams: Readonly<Record<StreamName, OutboundStream>>
  readonly #onMet: (peer: UniqueAddress) => void
  #peer: UniqueAddress | undefined
  /** By incarnation; more than one only until we have met. */
  #outboxes = new Map<string, SystemOutbox>()
  #inbox = new SystemInbox()

  /**
   * `nobody`: the recipient that dead letters name for messages of services. `onMet` runs when an
   * incarnation answers for the first time: whatever ran at the address before has ended.
   */
  constructor(
    host: StreamHost,
    address: string,
    nobody: ActorRef<never>,
    onMet: (peer: UniqueAddress) => void,
  ) {
    this.#host = host
    this.address = address
    this.#nobody = nobody
    this.#onMet = onMet
    this.#streams = {
      control: new OutboundStream(host, address, 'control', (peer) => {
        this.met(peer)
        return []
      }),
      ordinary: new OutboundStream(host, address, 'ordinary', (peer) => {
        this.met(peer)
        return this.#unacknowledgedPosts()
      }),
    }
  }

  /** The incarnation we last spoke with. */
  get peer(): UniqueAddress | undefined {
    return this.#peer
  }

  get queued(): number {
    return this.#streams.control.queued + this.#streams.ordinary.queued
  }

  /** Something waits that may still get out. */
  get isBusy(): boolean {
    return this.#streams.control.isBusy || this.#streams.ordinary.isBusy
  }

  /** Why the node at the address cannot be reached, as far as we know. */
  get failure(): string | undefined {
    return this.#streams.control.failure ?? this.#streams.ordinary.failure
  }

  /** Watch messages that were not acknowledged yet. */
  get unacknowledged(): number {
    let sum = 0
    for (const outbox of this.#outboxes.values()) sum += outbox.size
    return sum
  }

  /** An incarnation has proven itself, on a link of ours or on one of its own. */
  met(peer: UniqueAddress): void {
    if (this.#peer?.uid === peer.uid) return
    this.#peer = peer
    this.#inbox = new SystemInbox()
    const outbox = this.#outboxes.get(peer.uid)
    this.#outboxes = new Map(outbox === undefined ? [] : [[peer.uid, outbox]])
    this.#onMet(peer)
  }

  tell(ref: RemoteRef, message: unknown): void {
    this.#streams.ordinary.tell(ref, message)
  }

  post<T>(protocol: Protocol<T>, message: T, uid: string | undefined): void {
    this.#streams[protocol.stream].post(this.#postOf(protocol, message, uid))
  }

  /**
   * Sends a watch message to incarnation `uid`, again and again until it is acknowledged. Its place
   * among the messages of users is kept: nothing that was told before arrives after it.
   */
  postReliably(message: Omit<WatchMessage, 'number'>, uid: string): ReliablePost {
    if (this.#peer !== undefined && this.#peer.uid !== uid) return 'NodeRestarted'
    let outbox = this.#outboxes.get(uid)
    if (outbox === undefined) this.#outboxes.set(uid, (outbox = new SystemOutbox()))
    if (outbox.size >= UNACKNOWLEDGED_MAX) return 'Overflow'
    this.#streams.ordinary.post(this.#reliablePost(outbox.add(message), uid))
    return 'Sent'
  }

  /**
   * Sends again what was sent and not acknowledged, on a new link if the old one has gone. Duplicates
   * are recognised by their numbers. While anything waits in the queue, the node is slow rather than
   * forgetful, and more of the same is no help.
   */
  resend(): void {
    const { ordinary } = this.#streams
    if (ordinary.queued > 0) return
    for (const post of this.#unacknowledgedPosts()) ordinary.post(post)
  }

  /** What still waits in the queue has not been sent at all, and is left to wait. */
  #unacknowledgedPosts(): readonly Post[] {
    const uid = this.#peer?.uid ?? ''
    const queued = this.#streams.ordinary.firstQueued(watchProtocol)
    const messages = this.#outboxes.get(uid)?.unacknowledged(queued?.number) ?? []
    return messages.map((message) => this.#reliablePost(message, uid))
  }

  #reliablePost(message: WatchMessage, uid: string): Post {
    return { ...this.#postOf(watchProtocol, message, uid), isReliable: true }
  }

  #postOf<T>(protocol: Protocol<T>, message: T, uid: string | undefined): Post {
    return {
      kind: 'Post',
      protocol: protocol as Protocol<unknown>,
      message,
      uid,
      recipient: this.#nobody,
      postedAt: this.#host.platform.clock.monotonicMs(),
      isReliable: false,
    }
  }

  acknowledged(from: UniqueAddress, upTo: number): void {
    this.#outboxes.get(from.uid)?.acknowledged(upTo)
  }

  /**
   * Whether the message is the next one of the incarnation we know, and up to which number to
   * acknowledge in any case. Undefined: it is from another incarnation, and nobody waits for an answer.
   */
  accept(
    from: UniqueAddress,
    message: WatchMessage,
  ): { readonly isNext: boolean; readonly upTo: number } | undefined {
    if (this.#peer?.uid !== from.uid) return undefined
    const isNext = this.#inbox.accept(message)
    return { isNext, upTo: this.#inbox.received }
  }

  flush(): void {
    this.#streams.control.flush()
    this.#streams.ordinary.flush()
  }

  close(reason: string): void {
    this.#outboxes.clear()
    this.#streams.control.close(reason)
    this.#streams.ordinary.close(reason)
  }
}
