import { type Codec, oneOf, record, string, uint } from '@troupe/crdt/wire'
import type { Protocol } from './protocol.ts'

/**
 * Watching across nodes. These messages must not be lost while both incarnations live, so each has a
 * number, is kept until the other node has acknowledged it, and is handed over once and in order.
 * They travel on the stream of ordinary messages: the end of an actor must not overtake what it said.
 */
export interface WatchMessage {
  /** From 1, per incarnation of the two nodes. */
  readonly number: number
  readonly kind: 'Watch' | 'Unwatch' | 'DeathNotice'
  /** The actor this is for, on the receiving node. */
  readonly targetPath: string
  readonly targetUid: number
  /** The actor this is about, on the sending node: the watcher, or the one that has stopped. */
  readonly subjectPath: string
  readonly subjectUid: number
}

/** What the sender keeps until it is acknowledged. */
export class SystemOutbox {
  #next = 1
  #unacknowledged: WatchMessage[] = []

  get size(): number {
    return this.#unacknowledged.length
  }

  /** Gives the message its number and keeps it. */
  add(message: Omit<WatchMessage, 'number'>): WatchMessage {
    const numbered = { ...message, number: this.#next++ }
    this.#unacknowledged.push(numbered)
    return numbered
  }

  /** An acknowledgement of more than was sent is not believed. */
  acknowledged(upTo: number): void {
    if (upTo >= this.#next) return
    this.#unacknowledged = this.#unacknowledged.filter((message) => message.number > upTo)
  }

  /** Everything before number `before` that has to be sent again, in order. */
  unacknowledged(before: number = Infinity): readonly WatchMessage[] {
    return this.#unacknowledged.filter((message) => message.number < before)
  }
}

/** What the receiver has seen: each message once, in order, without gaps. */
export class SystemInbox {
  #expected = 1

  /** The number up to which everything has arrived. */
  get received(): number {
    return this.#expected - 1
  }

  /** True for the one message that is next; a duplicate or one after a gap is not handed over. */
  accept(message: WatchMessage): boolean {
    if (message.number !== this.#expected) return false
    this.#expected++
    return true
  }
}

const path = string({ maxBytes: 8_192 })

const watchMessageCodec: Codec<WatchMessage> = record<WatchMessage>({
  number: uint(),
  kind: oneOf(['Watch', 'Unwatch', 'DeathNotice']),
  targetPath: path,
  targetUid: uint(),
  subjectPath: path,
  subjectUid: uint(),
})

export const watchProtocol: Protocol<WatchMessage> = {
  name: 'watch',
  stream: 'ordinary',
  codec: () => watchMessageCodec,
  isRepeated: true,
}

/** Acknowledges all watch messages up to a number. */
export const acknowledgeProtocol: Protocol<{ readonly upTo: number }> = {
  name: 'watch-ack',
  stream: 'control',
  codec: () => record<{ readonly upTo: number }>({ upTo: uint() }),
  isRepeated: true,
}

/** Watch messages that one node may owe another before it gives that node up. */
export const UNACKNOWLEDGED_MAX = 20_000
