import type { Link, LinkHandlers, Listener, Network, Random } from '@troupe/actor'
import type { Trace } from './trace.ts'
import { wayOf, Wire, type WireHost } from './wire.ts'

/** How long frames take: at least `minMs`, and on average `meanExtraMs` more (exponentially distributed). */
export interface Delay {
  readonly minMs: number
  readonly meanExtraMs: number
}

/** A node by its name, or by anything that has one. */
export type NodeName = string | { readonly name: string }

/** Takes back one fault. Taking it back twice, or after `heal()`, does nothing. */
export type Undo = () => void

/** What a network needs of its world. */
export interface NetworkHost {
  readonly trace: Trace
  readonly random: Random
  readonly now: number
  after(delayMs: number, happen: () => void): void
}

/**
 * The wires between simulated nodes. They carry the real frames, each direction in order, like TCP:
 * nothing is lost or doubled on a link that lives. What can go wrong is delay, a link that breaks with
 * all that was under way on it, and a cut, behind which everything waits until it is healed.
 *
 * Every fault returns how to take it back; `heal()` takes back all of them.
 */
export class SimulatedNetwork {
  readonly #world: NetworkHost
  readonly #host: WireHost
  readonly #listeners = new Map<string, { readonly onLink: (link: Link) => void }>()
  readonly #wires = new Set<Wire>()
  readonly #paused = new Set<string>()
  #cuts = new Counted()
  #slow = new Map<string, Delay>()
  #delay: Delay = DEFAULT_DELAY
  #bytes = 0
  #frames = 0

  constructor(world: NetworkHost) {
    this.#world = world
    const random = world.random.fork('network')
    this.#host = {
      trace: world.trace,
      now: () => world.now,
      after: (delayMs, happen) => world.after(delayMs, happen),
      isHeldUp: (way, to) => this.#cuts.has(way) || this.#paused.has(to),
      delayMs: (way, draws) => {
        const { minMs, meanExtraMs } = this.#slow.get(way) ?? this.#delay
        return minMs - Math.log(1 - draws.next()) * meanExtraMs
      },
      // Each way of each wire draws for itself: a fault on one leaves the delays of all others alone.
      random: (way) => random.fork(way),
      carried: (bytes) => {
        this.#bytes += bytes
        this.#frames++
      },
      over: (wire) => void this.#wires.delete(wire),
    }
  }

  /** Bytes of all frames that have arrived. */
  get bytes(): number {
    return this.#bytes
  }

  /** How many frames have arrived. */
  get frames(): number {
    return this.#frames
  }

  /** Cuts all ways between the groups, in both directions; ways inside a group stay. */
  partition(...groups: readonly (readonly NodeName[])[]): Undo {
    const names = groups.map((group) => group.map(nameOf))
    const text = names.map((group) => group.join()).join(' | ')
    const cuts: string[] = []
    for (const [i, group] of names.entries()) {
      for (const other of names.slice(i + 1)) {
        for (const a of group) for (const b of other) cuts.push(wayOf(a, b), wayOf(b, a))
      }
    }
    return this.#cut(cuts, `partition ${text}`)
  }

  /** Cuts one node off from all that the world knows by then, in both directions. */
  isolate(node: NodeName, others: readonly NodeName[]): Undo {
    return this.partition(
      [node],
      others.filter((each) => nameOf(each) !== nameOf(node)),
    )
  }

  /** Cuts the way from `from` to `to`, and leaves the way back alone. */
  cutOneWay(from: NodeName, to: NodeName): Undo {
    return this.#cut([wayOf(nameOf(from), nameOf(to))], `cut ${nameOf(from)} → ${nameOf(to)}`)
  }

  #cut(cuts: readonly string[], text: string): Undo {
    this.#world.trace.note(text)
    const counted = this.#cuts
    for (const each of cuts) counted.add(each)
    let isUndone = false
    return () => {
      if (isUndone) return
      isUndone = true
      this.#world.trace.note(`heal ${text}`)
      for (const each of cuts) counted.remove(each)
      for (const wire of this.#wires) wire.resume()
    }
  }

  /** Breaks every link between two nodes, or all links; what was under way on them is lost. */
  breakLinks(a?: NodeName, b?: NodeName): void {
    const names = [a, b].flatMap((each) => (each === undefined ? [] : [nameOf(each)]))
    this.#world.trace.note(`break links ${names.join(' – ')}`)
    for (const wire of this.#wires) {
      if (names.every((name) => wire.touches(name))) wire.break('connection reset')
    }
  }

  /** Delays of all ways from now on; default 0.5 ms and 0.5 ms more on average. */
  delay(delay: Delay): void
  /** Delays between two nodes only, in both directions. */
  delay(delay: Delay, a: NodeName, b: NodeName): Undo
  delay(delay: Delay, a?: NodeName, b?: NodeName): Undo {
    const { minMs, meanExtraMs } = delay
    if (a === undefined || b === undefined) {
      this.#world.trace.note(`delay ${minMs} + ${meanExtraMs} ms`)
      this.#delay = delay
      return () => {}
    }
    this.#world.trace.note(`delay ${nameOf(a)} – ${nameOf(b)} ${minMs} + ${meanExtraMs} ms`)
    const ways = [wayOf(nameOf(a), nameOf(b)), wayOf(nameOf(b), nameOf(a))]
    for (const each of ways) this.#slow.set(each, delay)
    return () => {
      for (const each of ways) if (this.#slow.get(each) === delay) this.#slow.delete(each)
    }
  }

  /** Takes back all cuts and delays. What waited arrives now. */
  heal(): void {
    this.#world.trace.note('heal')
    this.#cuts = new Counted()
    this.#slow = new Map()
    this.#delay = DEFAULT_DELAY
    for (const wire of this.#wires) wire.resume()
  }

  isCut(from: NodeName, to: NodeName): boolean {
    return this.#cuts.has(wayOf(nameOf(from), nameOf(to)))
  }

  /** What the processes of one node see; `isUp` tells whether the process still runs. */
  portOf(node: string, isUp: () => boolean): Network {
    return {
      listen: (host, port, onLink) => Promise.resolve(this.#listen(host, port, onLink)),
      connect: (host, port, handlers) =>
        isUp() ? this.#connect(node, host, port, handlers) : NO_LINK,
    }
  }

  #listen(host: string, port: number, onLink: (link: Link) => void): Listener {
    const address = `${host}:${port}`
    const listener = { onLink }
    this.#listeners.set(address, listener)
    return {
      host,
      port,
      close: () => {
        if (this.#listeners.get(address) === listener) this.#listeners.delete(address)
        return Promise.resolve()
      },
    }
  }

  #connect(from: string, host: string, port: number, handlers: LinkHandlers): Link {
    const wire = new Wire(this.#host, from, host)
    this.#wires.add(wire)
    return wire.open(handlers, () => this.#listeners.get(`${host}:${port}`)?.onLink)
  }

  /** The process of `node` stands still, or goes on: what arrives there waits meanwhile. */
  nodePaused(node: string, isPaused: boolean): void {
    if (isPaused) this.#paused.add(node)
    else if (this.#paused.delete(node)) for (const wire of this.#wires) wire.resume()
  }

  /** The process of `node` is gone: nobody listens there, and the other ends of its links notice. */
  nodeDied(node: string): void {
    this.#paused.delete(node)
    for (const address of this.#listeners.keys()) {
      if (address.startsWith(`${node}:`)) this.#listeners.delete(address)
    }
    for (const wire of this.#wires) if (wire.touches(node)) wire.died(node)
  }
}

/** A set whose members have to be removed as often as they were added. */
class Counted {
  readonly #counts = new Map<string, number>()

  has(key: string): boolean {
    return this.#counts.size > 0 && this.#counts.has(key)
  }

  add(key: string): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }

  remove(key: string): void {
    const count = (this.#counts.get(key) ?? 0) - 1
    if (count > 0) this.#counts.set(key, count)
    else this.#counts.delete(key)
  }
}

function nameOf(node: NodeName): string {
  return typeof node === 'string' ? node : node.name
}

const DEFAULT_DELAY: Delay = { minMs: 0.5, meanExtraMs: 0.5 }

/** What a process that is gone gets when it dials. */
const NO_LINK: Link = {
  remote: 'nobody',
  bufferedBytes: 0,
  attach: () => {},
  send: () => {},
  close: () => {},
}
