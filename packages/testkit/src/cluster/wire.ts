import type { Link, LinkHandlers, Random } from '@troupe/actor'
import type { Trace } from './trace.ts'

/** What wires need of the network they belong to. */
export interface WireHost {
  readonly trace: Trace
  now(): number
  after(delayMs: number, happen: () => void): void
  /** Whether nothing arrives at `to` on the way: it is cut, or `to` stands still. `way`: see `wayOf`. */
  isHeldUp(way: string, to: string): boolean
  /** How long the next frame takes on that way, in milliseconds. */
  delayMs(way: string, random: Random): number
  random(way: string): Random
  carried(bytes: number): void
  /** Both ends are closed: the wire is of no further interest. */
  over(wire: Wire): void
}

/**
 * One connection between two nodes, as TCP would have it: two ways, each in order, on which nothing is
 * lost or doubled. While a way is cut everything on it waits, also the request to connect and the news
 * that the other end has closed; afterwards it goes on. A wire that breaks loses what was on it.
 */
export class Wire {
  readonly #host: WireHost
  readonly #near: WireEnd
  readonly #far: WireEnd
  readonly #there: Way
  readonly #back: Way

  constructor(host: WireHost, from: string, to: string) {
    this.#host = host
    this.#near = new WireEnd(this, from, to)
    this.#far = new WireEnd(this, to, from)
    this.#there = new Way(host, this.#far, from, to)
    this.#back = new Way(host, this.#near, to, from)
  }

  /** The dialled end connects; `listener` is asked for when the request has arrived. */
  open(handlers: LinkHandlers, listener: () => ((link: Link) => void) | undefined): Link {
    this.#near.attach(handlers)
    this.#there.push(() => {
      const onLink = listener()
      if (onLink === undefined) {
        this.#far.isClosed = true
        this.#back.push(() => this.#near.ended('connection refused'))
        return
      }
      onLink(this.#far)
      this.#back.push(() => this.#near.handlers?.onOpen())
    })
    return this.#near
  }

  touches(node: string): boolean {
    return this.#near.node === node || this.#far.node === node
  }

  /** Goes on with what waited behind a cut. */
  resume(): void {
    this.#there.resume()
    this.#back.resume()
  }

  /** Bytes handed over at `end` that have not arrived. */
  underway(end: WireEnd): number {
    return this.#wayFrom(end).bytes
  }

  send(end: WireEnd, frame: Uint8Array): void {
    const other = this.#other(end)
    this.#wayFrom(end).push(() => {
      this.#host.carried(frame.length)
      this.#host.trace.note(`${this.#wayFrom(end).name} ${frame.length} B`, frame)
      other.handlers?.onFrame(frame)
      // A sender that stands still, or cannot be reached, learns later that there is room again.
      const back = this.#wayFrom(other)
      if (back.isHeldUp) back.push(() => end.drained())
      else end.drained()
    }, frame.length)
  }

  /** One end hangs up: the other hears of it after all that was sent before. */
  closed(end: WireEnd, reason: string): void {
    const other = this.#other(end)
    this.#wayFrom(end).push(() => other.ended(reason))
    this.#isOver()
  }

  /** What is on the wire is lost, and both ends hear of it, each as soon as it can be reached. */
  break(reason: string): void {
    this.#there.clear()
    this.#back.clear()
    this.#there.push(() => this.#far.ended(reason))
    this.#back.push(() => this.#near.ended(reason))
  }

  /** The process at one end is gone: it hears of nothing, and the other end of a broken wire. */
  died(node: string): void {
    for (const end of [this.#near, this.#far]) if (end.node === node) end.isClosed = true
    this.break('connection reset')
    this.#isOver()
  }

  ended(): void {
    this.#isOver()
  }

  #isOver(): void {
    if (this.#near.isClosed && this.#far.isClosed) this.#host.over(this)
  }

  #other(end: WireEnd): WireEnd {
    return end === this.#near ? this.#far : this.#near
  }

  #wayFrom(end: WireEnd): Way {
    return end === this.#near ? this.#there : this.#back
  }
}

interface Arrival {
  /** Not before this, and not before those in front of it. */
  readonly atMs: number
  readonly bytes: number
  readonly happen: () => void
}

/** The name of the way from one node to another. */
export function wayOf(from: string, to: string): string {
  return `${from} → ${to}`
}

/** One direction of a wire: arrivals in order, one timer for the first of them. */
class Way {
  readonly #host: WireHost
  readonly #end: WireEnd
  readonly name: string
  readonly #random: Random
  #arrivals: Arrival[] = []
  /** Counts how often the way was cleared: a timer from before has nothing left to do. */
  #epoch = 0
  #isWaiting = false
  bytes = 0

  constructor(host: WireHost, end: WireEnd, from: string, to: string) {
    this.#host = host
    this.#end = end
    this.name = wayOf(from, to)
    this.#random = host.random(this.name)
  }

  push(happen: () => void, bytes = 0): void {
    const atMs = this.#host.now() + this.#host.delayMs(this.name, this.#random)
    this.#arrivals.push({ atMs, bytes, happen })
    this.bytes += bytes
    if (this.#arrivals.length === 1) this.#await(atMs)
  }

  get isHeldUp(): boolean {
    return this.#host.isHeldUp(this.name, this.#end.node)
  }

  clear(): void {
    this.#arrivals = []
    this.bytes = 0
    this.#epoch++
    this.#isWaiting = false
  }

  resume(): void {
    if (!this.#isWaiting || this.isHeldUp) return
    this.#isWaiting = false
    this.#await(this.#host.now() + this.#host.delayMs(this.name, this.#random))
  }

  #await(atMs: number): void {
    const epoch = this.#epoch
    this.#host.after(Math.max(0, atMs - this.#host.now()), () => {
      if (epoch === this.#epoch) this.#arrived()
    })
  }

  #arrived(): void {
    if (this.isHeldUp) {
      this.#isWaiting = true
      return
    }
    const arrival = this.#arrivals.shift()
    if (arrival === undefined) return
    this.bytes -= arrival.bytes
    const next = this.#arrivals[0]
    if (next !== undefined) this.#await(next.atMs)
    if (!this.#end.isClosed) arrival.happen()
  }
}

class WireEnd implements Link {
  /** Whose end it is. */
  readonly node: string
  readonly remote: string
  handlers: LinkHandlers | undefined
  isClosed = false
  readonly #wire: Wire

  constructor(wire: Wire, node: string, remote: string) {
    this.#wire = wire
    this.node = node
    this.remote = remote
  }

  attach(handlers: LinkHandlers): void {
    this.handlers = handlers
  }

  send(frame: Uint8Array): void {
    if (!this.isClosed) this.#wire.send(this, frame)
  }

  get bufferedBytes(): number {
    return this.#wire.underway(this)
  }

  drained(): void {
    if (!this.isClosed) this.handlers?.onDrain()
  }

  close(_code: number, reason: string): void {
    if (this.isClosed) return
    this.isClosed = true
    this.#wire.closed(this, reason)
    this.handlers?.onClose(reason)
  }

  /** The other end has closed, or the wire is broken. */
  ended(reason: string): void {
    if (this.isClosed) return
    this.isClosed = true
    this.#wire.ended()
    this.handlers?.onClose(reason)
  }
}
