import type { Link, LinkHandlers, Listener, Network, Random } from '@troupe/actor'
import type { World } from './world.ts'

export interface LatencySettings {
  /** Every frame takes at least this long, in milliseconds. */
  readonly minMs: number
  /** On top of it, on average: the extra delay is exponential. */
  readonly meanExtraMs: number
}

/**
 * The wires between simulated nodes. They carry the real frames, each direction in order, like TCP:
 * nothing is lost or doubled inside a link. What can go wrong is delay, a link that breaks with all
 * that was under way in it, and a cut, behind which frames pile up until it is healed.
 */
export class SimulatedNetwork {
  readonly #world: World
  readonly #random: Random
  readonly #listeners = new Map<string, (link: Link) => void>()
  readonly #links = new Set<Wire>()
  readonly #cuts = new Set<string>()
  #latency: LatencySettings = { minMs: 0.5, meanExtraMs: 0.5 }
  #bytes = 0

  constructor(world: World) {
    this.#world = world
    this.#random = world.random.fork('network')
  }

  /** Bytes of all frames that were sent. */
  get bytes(): number {
    return this.#bytes
  }

  latency(settings: LatencySettings): void {
    this.#latency = settings
  }

  /** Cuts all wires between the groups, both ways; wires inside a group stay. */
  partition(...groups: readonly (readonly NodeName[])[]): void {
    this.#world.trace.note(`partition ${groups.map((group) => group.map(nameOf).join()).join(' | ')}`)
    for (const [i, group] of groups.entries()) {
      for (const [j, other] of groups.entries()) {
        if (i === j) continue
        for (const from of group) for (const to of other) this.#cuts.add(cut(nameOf(from), nameOf(to)))
      }
    }
  }

  /** Cuts the way from `from` to `to` only. */
  cutOneWay(from: NodeName, to: NodeName): void {
    this.#world.trace.note(`cut ${nameOf(from)} → ${nameOf(to)}`)
    this.#cuts.add(cut(nameOf(from), nameOf(to)))
  }

  /** Mends everything. What piled up arrives now. */
  heal(): void {
    this.#world.trace.note('heal')
    this.#cuts.clear()
    for (const wire of this.#links) wire.healed()
  }

  /** Breaks every link between two nodes; what was under way in them is lost. */
  reset(a: NodeName, b: NodeName): void {
    this.#world.trace.note(`reset ${nameOf(a)} – ${nameOf(b)}`)
    for (const wire of this.#links) {
      if (wire.joins(nameOf(a), nameOf(b))) wire.break('connection reset')
    }
  }

  isCut(from: string, to: string): boolean {
    return this.#cuts.has(cut(from, to))
  }

  /** A node's own access; `isUp` tells whether the node still runs. */
  portOf(node: string, isUp: () => boolean): Network {
    return {
      listen: (host, port, onLink) => Promise.resolve(this.#listen(host, port, onLink, isUp)),
      connect: (host, port, handlers) => this.#connect(node, host, port, handlers, isUp),
    }
  }

  #listen(host: string, port: number, onLink: (link: Link) => void, isUp: () => boolean): Listener {
    const address = `${host}:${port}`
    this.#listeners.set(address, (link) => isUp() && onLink(link))
    return {
      host,
      port,
      close: () => {
        this.#listeners.delete(address)
        return Promise.resolve()
      },
    }
  }

  #connect(
    from: string,
    host: string,
    port: number,
    handlers: LinkHandlers,
    isUp: () => boolean,
  ): Link {
    const wire = new Wire(this.#world, this, from, host, () => this.#links.delete(wire))
    this.#links.add(wire)
    wire.near.attach(guarded(handlers, isUp))
    // A way that is cut answers nothing at all; one that leads nowhere refuses.
    wire.open(() => this.#listeners.get(`${host}:${port}`))
    return wire.near
  }

  /** The process of `node` is gone: the other ends of its links notice. */
  nodeCrashed(node: string, host: string): void {
    for (const address of [...this.#listeners.keys()]) {
      if (address.startsWith(`${host}:`)) this.#listeners.delete(address)
    }
    for (const wire of this.#links) if (wire.touches(node)) wire.break('connection reset')
  }

  delay(): number {
    const { minMs, meanExtraMs } = this.#latency
    return minMs - Math.log(1 - this.#random.next()) * meanExtraMs
  }

  carried(bytes: number): void {
    this.#bytes += bytes
  }
}

/** Nodes are named by their name, or by anything that has one. */
export type NodeName = string | { readonly name: string }

function nameOf(node: NodeName): string {
  return typeof node === 'string' ? node : node.name
}

function cut(from: string, to: string): string {
  return `${from} ${to}`
}

function guarded(handlers: LinkHandlers, isUp: () => boolean): LinkHandlers {
  return {
    onOpen: () => isUp() && handlers.onOpen(),
    onFrame: (frame) => isUp() && handlers.onFrame(frame),
    onDrain: () => isUp() && handlers.onDrain(),
    onClose: (reason) => isUp() && handlers.onClose(reason),
  }
}

/** One link: two ends, two directions. */
class Wire {
  readonly near: WireEnd
  readonly #far: WireEnd
  readonly #world: World
  readonly #network: SimulatedNetwork
  readonly #forget: () => void
  #isBroken = false

  constructor(world: World, network: SimulatedNetwork, from: string, to: string, forget: () => void) {
    this.#world = world
    this.#network = network
    this.#forget = forget
    this.near = new WireEnd(this, from, to)
    this.#far = new WireEnd(this, to, from)
  }

  open(listener: () => ((link: Link) => void) | undefined): void {
    const { from, to } = this.near
    this.#after(() => {
      if (this.#network.isCut(from, to) || this.#network.isCut(to, from)) return
      const onLink = listener()
      if (onLink === undefined) {
        this.break('connection refused')
        return
      }
      onLink(this.#far)
      this.near.handlers?.onOpen()
    })
  }

  #after(happen: () => void): void {
    this.#world.after(this.#network.delay(), () => {
      if (!this.#isBroken) happen()
    })
  }

  touches(node: string): boolean {
    return this.near.from === node || this.near.to === node
  }

  joins(a: string, b: string): boolean {
    return this.touches(a) && this.touches(b)
  }

  otherEnd(end: WireEnd): WireEnd {
    return end === this.near ? this.#far : this.near
  }

  /** Sends off what waits at `end`, unless the way is cut. */
  transmit(end: WireEnd): void {
    if (this.#network.isCut(end.from, end.to)) return
    for (const frame of end.takeWaiting()) {
      this.#network.carried(frame.length)
      const now = this.#world.now
      end.busyUntil = Math.max(end.busyUntil, now + this.#network.delay())
      this.#world.after(end.busyUntil - now, () => {
        if (this.#isBroken) return
        if (this.#network.isCut(end.from, end.to)) {
          end.putBack(frame)
          return
        }
        end.arrived(frame)
        this.#world.trace.note(`${end.from} → ${end.to} ${frame.length} B`, frame)
        this.otherEnd(end).handlers?.onFrame(frame)
        end.handlers?.onDrain()
      })
    }
  }

  healed(): void {
    this.transmit(this.near)
    this.transmit(this.#far)
  }

  /** One end hangs up: the other hears of it after all that was sent before. */
  closed(end: WireEnd, reason: string): void {
    const other = this.otherEnd(end)
    const delay = Math.max(end.busyUntil - this.#world.now, 0) + this.#network.delay()
    this.#world.after(delay, () => {
      this.#isBroken = true
      this.#forget()
      if (!this.#network.isCut(end.from, end.to)) other.close(1000, reason)
    })
  }

  /** Everything under way is lost, and both ends hear of it. */
  break(reason: string): void {
    if (this.#isBroken) return
    this.#isBroken = true
    this.#forget()
    this.#world.after(this.#network.delay(), () => {
      this.near.lost(reason)
      this.#far.lost(reason)
    })
  }
}

class WireEnd implements Link {
  readonly from: string
  readonly to: string
  handlers: LinkHandlers | undefined
  busyUntil = 0
  readonly #wire: Wire
  #waiting: Uint8Array[] = []
  #underway = 0
  #isClosed = false

  constructor(wire: Wire, from: string, to: string) {
    this.#wire = wire
    this.from = from
    this.to = to
  }

  get remote(): string {
    return this.to
  }

  attach(handlers: LinkHandlers): void {
    this.handlers = handlers
  }

  send(frame: Uint8Array): void {
    if (this.#isClosed) return
    this.#waiting.push(frame)
    this.#underway += frame.length
    this.#wire.transmit(this)
  }

  get bufferedBytes(): number {
    return this.#underway
  }

  takeWaiting(): readonly Uint8Array[] {
    const waiting = this.#waiting
    this.#waiting = []
    return waiting
  }

  putBack(frame: Uint8Array): void {
    this.#waiting.unshift(frame)
  }

  arrived(frame: Uint8Array): void {
    this.#underway -= frame.length
  }

  close(_code: number, reason: string): void {
    if (this.#isClosed) return
    this.lost(reason)
    this.#wire.closed(this, reason)
  }

  lost(reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.handlers?.onClose(reason)
  }
}
