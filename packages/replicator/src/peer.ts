import type { UniqueAddress } from '@troupe/cluster'

/** What one message carried: the changes of `name` after `from`, up to `upTo`. Without a name: an announcement. */
export interface Sent {
  readonly name: string | undefined
  readonly from: number
  readonly upTo: number
  readonly bytes: number
  readonly at: number
}

/** How far one node is behind with one key. All numbers are change numbers of this replica. */
interface Lag {
  /** It has acknowledged everything up to here. */
  from: number
  /** Everything up to here is acknowledged or on its way. */
  next: number
  /** It needs everything up to here. */
  until: number
  /** The key was part of the full state for a new node, and has not arrived there yet. */
  isInitial: boolean
}

export interface PeerSettings {
  readonly windowBytes: number
  readonly resendMs: number
}

/**
 * What one other node still needs to hear from this one.
 *
 * Intuition: a parcel service with receipts. Each message has a number that is used once; its
 * acknowledgement says which changes of which key have arrived. A key is remembered only while the
 * node is behind with it, so nodes that keep up cost nothing, and one that was away gets exactly what
 * it missed. A message that is not acknowledged in time counts as lost, and its changes are due again.
 *
 * A node that answers gets up to a window of bytes at once. One that does not answer gets a few
 * messages at growing intervals, until it answers.
 *
 * Invariant: `from <= next` and `from < until`; a lag with `next < until` is due.
 */
export class Peer {
  readonly node: UniqueAddress
  readonly #settings: PeerSettings
  readonly #lags = new Map<string, Lag>()
  readonly #due = new Set<string>()
  readonly #inFlight = new Map<number, Sent>()
  #bytesInFlight = 0
  #numbers = 0
  #isSilent = false
  #backoff = 1
  /** How long acknowledgements take, smoothed, in milliseconds. */
  #roundTripMs = 0
  #initialLeft = 0
  #announcement: 'Waiting' | 'Sent' | 'Done' = 'Waiting'

  constructor(node: UniqueAddress, settings: PeerSettings) {
    this.node = node
    this.#settings = settings
  }

  /** Keys it is behind with. */
  get behind(): number {
    return this.#lags.size
  }

  get inFlight(): number {
    return this.#inFlight.size
  }

  /** It has got all that was here when it became known, and knows that. */
  get isUpToDate(): boolean {
    return this.#announcement === 'Done'
  }

  // ---- what it needs ----

  /** A write here moved the key's change number from `from` to `until`. */
  needs(name: string, from: number, until: number): void {
    const lag = this.#lags.get(name)
    if (lag === undefined) {
      this.#lags.set(name, { from, next: from, until, isInitial: false })
    } else if (until > lag.until) lag.until = until
    else return
    this.#due.add(name)
  }

  /** It is new and needs the whole key. */
  needsInitially(name: string, until: number): void {
    this.#lags.set(name, { from: 0, next: 0, until, isInitial: true })
    this.#initialLeft++
    this.#due.add(name)
  }

  /** It turned out to differ in this key and needs all of it, whatever it has acknowledged. */
  needsAgain(name: string, until: number): void {
    const lag = this.#lags.get(name)
    if (lag === undefined) {
      this.#lags.set(name, { from: 0, next: 0, until, isInitial: false })
    } else {
      lag.from = 0
      lag.next = 0
      lag.until = Math.max(lag.until, until)
    }
    this.#due.add(name)
  }

  /** It will never take this key, or there is nothing to take any more. */
  forget(name: string): void {
    const lag = this.#lags.get(name)
    if (lag !== undefined) this.#close(name, lag)
  }

  /** True when it has acknowledged everything up to `upTo` that it needs of the key. */
  has(name: string, upTo: number): boolean {
    const lag = this.#lags.get(name)
    return lag === undefined || lag.from >= upTo
  }

  /** True when everything up to `upTo` is at least on its way. */
  isOnItsWay(name: string, upTo: number): boolean {
    const lag = this.#lags.get(name)
    return lag === undefined || lag.next >= upTo
  }

  // ---- sending ----

  /** Keys to send something of, oldest first; stop when there is no room. */
  get due(): Iterable<string> {
    return this.#due
  }

  get hasDue(): boolean {
    return this.#due.size > 0
  }

  get hasRoom(): boolean {
    if (this.#isSilent) return this.#inFlight.size < PROBES
    return this.#bytesInFlight < this.#settings.windowBytes && this.#inFlight.size < MESSAGES_MAX
  }

  /** Where to go on with a due key; undefined when everything is on its way. */
  nextOf(name: string): number | undefined {
    const lag = this.#lags.get(name)
    if (lag !== undefined && lag.next < lag.until) return lag.next
    this.#due.delete(name)
    return undefined
  }

  /** Everything it lacked when it became known has arrived, and it has to be told. */
  get wantsAnnouncement(): boolean {
    return this.#announcement === 'Waiting' && this.#initialLeft === 0
  }

  /** Notes a message of `bytes` bytes; returns its number. */
  sent(name: string, from: number, upTo: number, bytes: number, now: number): number {
    const lag = this.#lags.get(name)
    if (lag !== undefined && from <= lag.next && upTo > lag.next) {
      lag.next = upTo
      if (lag.next >= lag.until) this.#due.delete(name)
    }
    return this.#number({ name, from, upTo, bytes, at: now })
  }

  announced(now: number): number {
    this.#announcement = 'Sent'
    return this.#number({ name: undefined, from: 0, upTo: 0, bytes: 0, at: now })
  }

  #number(sent: Sent): number {
    this.#inFlight.set(++this.#numbers, sent)
    this.#bytesInFlight += sent.bytes
    return this.#numbers
  }

  // ---- what comes back ----

  /** Undefined when the number is not (or no longer) waited for. */
  acknowledged(number: number, now: number): Sent | undefined {
    const sent = this.#answered(number)
    if (sent === undefined) return undefined
    this.#roundTripMs += (now - sent.at - this.#roundTripMs) / 8
    if (sent.name === undefined) {
      this.#announcement = 'Done'
      return sent
    }
    const lag = this.#lags.get(sent.name)
    if (lag !== undefined && sent.from <= lag.from && sent.upTo > lag.from) {
      lag.from = sent.upTo
      if (lag.next < lag.from) lag.next = lag.from
      if (lag.from >= lag.until) this.#close(sent.name, lag)
    }
    return sent
  }

  /** It got the message and cannot use it: sending it again would not help. */
  refused(number: number): Sent | undefined {
    const sent = this.#answered(number)
    if (sent?.name !== undefined) this.forget(sent.name)
    return sent
  }

  /** Gives up on messages that are not acknowledged in time. True when there are any. */
  overdue(now: number): boolean {
    // A node that is busy answers late, and what is sent to it again would make it later still.
    const patienceMs = Math.max(this.#settings.resendMs, this.#roundTripMs * 4)
    const latest = now - patienceMs * this.#backoff
    let isAny = false
    for (const [number, sent] of this.#inFlight) {
      if (sent.at > latest) break
      isAny = true
      this.#inFlight.delete(number)
      this.#bytesInFlight -= sent.bytes
      this.#lost(sent)
    }
    if (isAny) {
      this.#isSilent = true
      this.#backoff = Math.min(this.#backoff * 2, BACKOFF_MAX)
    }
    return isAny
  }

  /** It can be reached again: if it has not answered yet, no need to wait any longer. */
  reachable(): void {
    if (!this.#isSilent) return
    this.#backoff = 1
    this.#isSilent = false
    for (const sent of this.#inFlight.values()) this.#lost(sent)
    this.#inFlight.clear()
    this.#bytesInFlight = 0
  }

  #lost(sent: Sent): void {
    if (sent.name === undefined) {
      this.#announcement = 'Waiting'
      return
    }
    const lag = this.#lags.get(sent.name)
    if (lag === undefined) return
    lag.next = lag.from
    this.#due.add(sent.name)
  }

  #answered(number: number): Sent | undefined {
    const sent = this.#inFlight.get(number)
    if (sent === undefined) return undefined
    this.#inFlight.delete(number)
    this.#bytesInFlight -= sent.bytes
    this.#isSilent = false
    this.#backoff = 1
    return sent
  }

  #close(name: string, lag: Lag): void {
    this.#lags.delete(name)
    this.#due.delete(name)
    if (lag.isInitial) this.#initialLeft--
  }
}

/** Messages to a node that does not answer, per interval. */
const PROBES = 8
const MESSAGES_MAX = 4_096
/** At most this many times the usual interval between two attempts. */
const BACKOFF_MAX = 8
