import type { ActorRef } from '@troupe/actor'
import type { UniqueAddress } from '../node-address.ts'
import { OutboundStream, type Post, type StreamHost } from './outbound-stream.ts'
import type { Protocol, StreamName } from './protocol.ts'
import type { RemoteRef } from './remote-ref.ts'
import { SystemInbox, SystemOutbox, type WatchMessage, watchProtocol } from './system-messages.ts'

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
  #peer: UniqueAddress | undefined
  /** By incarnation; more than one only until we have met. */
  #outboxes = new Map<string, SystemOutbox>()
  #inbox = new SystemInbox()

  /** `nobody`: the recipient that dead letters name for messages of services. */
  constructor(host: StreamHost, address: string, nobody: ActorRef<never>) {
    this.#host = host
    this.address = address
    this.#nobody = nobody
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
  postReliably(message: Omit<WatchMessage, 'number'>, uid: string): void {
    if (this.#peer !== undefined && this.#peer.uid !== uid) return
    let outbox = this.#outboxes.get(uid)
    if (outbox === undefined) this.#outboxes.set(uid, (outbox = new SystemOutbox()))
    this.post(watchProtocol, outbox.add(message), uid)
  }

  /** Sends again what was sent and not acknowledged. Duplicates are recognised by their numbers. */
  resend(): void {
    if (!this.#streams.ordinary.isOpen) return
    for (const post of this.#unacknowledgedPosts()) this.#streams.ordinary.post(post)
  }

  /** What still waits in the queue has not been sent at all, and is left to wait. */
  #unacknowledgedPosts(): readonly Post[] {
    const uid = this.#peer?.uid ?? ''
    const queued = this.#streams.ordinary.firstQueued(watchProtocol)
    const messages = this.#outboxes.get(uid)?.unacknowledged(queued?.number) ?? []
    return messages.map((message) => this.#postOf(watchProtocol, message, uid))
  }

  #postOf<T>(protocol: Protocol<T>, message: T, uid: string | undefined): Post {
    return {
      kind: 'Post',
      protocol: protocol as Protocol<unknown>,
      message,
      uid,
      recipient: this.#nobody,
      postedAt: this.#host.platform.clock.monotonicMs(),
    }
  }

  acknowledged(from: UniqueAddress, upTo: number): void {
    this.#outboxes.get(from.uid)?.acknowledged(upTo)
  }

  /** Whether the message is the next one, and up to which number to acknowledge in any case. */
  accept(message: WatchMessage): { readonly isNext: boolean; readonly upTo: number } {
    const isNext = this.#inbox.accept(message)
    return { isNext, upTo: this.#inbox.received }
  }

  disconnect(reason: string): void {
    this.#streams.control.disconnect(reason)
    this.#streams.ordinary.disconnect(reason)
  }

  close(reason: string): void {
    this.#outboxes.clear()
    this.#streams.control.close(reason)
    this.#streams.ordinary.close(reason)
  }
}
