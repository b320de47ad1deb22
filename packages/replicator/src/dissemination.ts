import { nodeKey } from '@troupe/cluster/spi'
import type { UniqueAddress } from '@troupe/cluster'
import { Peer, type PeerSettings, type Sent } from './peer.ts'
import type { ReplicatorMessage } from './protocol.ts'
import type { Entry, ReplicaTable } from './replica-table.ts'

export interface DisseminationHost {
  post(to: UniqueAddress, message: ReplicatorMessage): void
  /** A value could not write its changes: they stay here, and all other keys go on. */
  notEncodable(name: string, error: unknown): void
}

/**
 * Sends what changes here to all other nodes, and sees to it that it arrives.
 *
 * What was written here goes straight to everybody; what came from elsewhere is left to its writer,
 * and to repair should the writer be gone. A node that becomes known gets everything, then is told
 * that it was everything. Equal changes for several nodes are encoded once.
 */
export class Dissemination {
  readonly #table: ReplicaTable
  readonly #settings: PeerSettings
  readonly #host: DisseminationHost
  readonly #peers = new Map<string, Peer>()
  #acks = new Map<string, { readonly to: UniqueAddress; readonly numbers: number[] }>()
  deltasSent = 0
  bytesSent = 0

  constructor(table: ReplicaTable, settings: PeerSettings, host: DisseminationHost) {
    this.#table = table
    this.#settings = settings
    this.#host = host
  }

  // ---- nodes ----

  knows(node: string): boolean {
    return this.#peers.has(node)
  }

  /** A node that needs everything there is. */
  add(node: UniqueAddress): void {
    const key = nodeKey(node)
    if (this.#peers.has(key)) return
    const peer = new Peer(node, this.#settings)
    for (const entry of this.#table.entries) peer.needsInitially(entry.name, entry.changes)
    this.#peers.set(key, peer)
  }

  remove(node: string): void {
    this.#peers.delete(node)
  }

  /** True when `node` has got everything that was here when it became known, and but for a little all since. */
  isUpToDate(node: UniqueAddress): boolean {
    const peer = this.#peers.get(nodeKey(node))
    return peer !== undefined && peer.isUpToDate && peer.behind <= A_LITTLE
  }

  reachable(node: string): void {
    this.#peers.get(node)?.reachable()
  }

  // ---- what has to be sent ----

  /** Was written here: everybody needs the changes after `from`. */
  written(entry: Entry, from: number): void {
    for (const peer of this.#peers.values()) peer.needs(entry.name, from, entry.changes)
  }

  /** `node` needs all of these keys, as far as they are here. */
  push(node: string, names: readonly string[]): void {
    const peer = this.#peers.get(node)
    if (peer === undefined) return
    for (const name of names) {
      const entry = this.#table.find(name)
      if (entry !== undefined) peer.needsAgain(name, entry.changes)
    }
  }

  /** True when `node` has acknowledged all of the key's changes up to `upTo` that it needs from here. */
  hasArrived(node: string, name: string, upTo: number): boolean {
    return this.#peers.get(node)?.has(name, upTo) ?? false
  }

  /** True when no node is behind with anything. */
  get isDone(): boolean {
    for (const peer of this.#peers.values()) if (peer.behind > 0) return false
    return true
  }

  get isWaiting(): boolean {
    for (const peer of this.#peers.values()) if (peer.inFlight > 0 || peer.hasDue) return true
    return false
  }

  // ---- sending ----

  /** Sends what is due, as far as the nodes have room for it. */
  flush(now: number): void {
    const encoded = new Map<string, Encoded>()
    for (const peer of this.#peers.values()) {
      for (const name of peer.due) {
        if (!peer.hasRoom) break
        this.#sendDue(peer, name, encoded, now)
      }
      if (peer.wantsAnnouncement && peer.hasRoom) {
        this.#host.post(peer.node, { type: 'Complete', number: peer.announced(now) })
      }
    }
  }

  #sendDue(peer: Peer, name: string, encoded: Map<string, Encoded>, now: number): void {
    const entry = this.#table.find(name)
    if (entry === undefined) {
      peer.forget(name)
      return
    }
    for (;;) {
      const from = peer.nextOf(name)
      if (from === undefined || !peer.hasRoom) return
      let changes = encoded.get(name)
      if (changes === undefined || changes.from !== from) {
        changes = this.#encode(entry, from)
        if (changes === undefined) {
          peer.forget(name)
          return
        }
        encoded.set(name, changes)
      }
      this.#send(peer, entry, changes, now)
    }
  }

  /**
   * Sends the changes after `from` up to `upTo` to `node` now, ahead of everything it is behind with.
   * Without `isAgain` only if they are not on their way already.
   */
  hurry(
    node: string,
    entry: Entry,
    range: { readonly from: number; readonly upTo: number },
    now: number,
    isAgain: boolean,
  ): void {
    const peer = this.#peers.get(node)
    if (peer === undefined || (!isAgain && peer.isOnItsWay(entry.name, range.upTo))) return
    let { from } = range
    while (from < range.upTo) {
      const changes = this.#encode(entry, from)
      if (changes === undefined) return
      this.#send(peer, entry, changes, now)
      from = changes.upTo
    }
  }

  #encode(entry: Entry, from: number): Encoded | undefined {
    try {
      return { from, ...this.#table.changesOf(entry, from) }
    } catch (error) {
      this.#host.notEncodable(entry.name, error)
      return undefined
    }
  }

  #send(peer: Peer, entry: Entry, { from, upTo, state }: Encoded, now: number): void {
    const { name, type } = entry
    const bytes = state.length + name.length + OVERHEAD_BYTES
    const number = peer.sent(name, from, upTo, bytes, now)
    this.deltasSent++
    this.bytesSent += state.length + name.length
    if (entry.isDeleted) this.#host.post(peer.node, { type: 'Deletion', number, name })
    else {
      const valueType = type?.typeName ?? ''
      this.#host.post(peer.node, { type: 'Delta', number, name, valueType, state })
    }
  }

  /** What `to` sent under `number` has been taken; it is told at the end of the turn. */
  acknowledge(to: UniqueAddress, number: number): void {
    const key = nodeKey(to)
    const acks = this.#acks.get(key)
    if (acks === undefined) this.#acks.set(key, { to, numbers: [number] })
    else acks.numbers.push(number)
  }

  flushAcknowledgements(): void {
    if (this.#acks.size === 0) return
    const acks = this.#acks
    this.#acks = new Map()
    for (const { to, numbers } of acks.values()) this.#host.post(to, { type: 'Ack', numbers })
  }

  // ---- what comes back ----

  acknowledged(node: string, number: number, now: number): Sent | undefined {
    return this.#peers.get(node)?.acknowledged(number, now)
  }

  refused(node: string, number: number): Sent | undefined {
    return this.#peers.get(node)?.refused(number)
  }

  /** Gives up waiting for what is overdue; the next `flush` sends it again. */
  giveUpOverdue(now: number): void {
    for (const peer of this.#peers.values()) peer.overdue(now)
  }
}

interface Encoded {
  readonly from: number
  readonly upTo: number
  readonly state: Uint8Array
}

const OVERHEAD_BYTES = 24
/** Keys a node may be behind with while replicas are compared: with more, comparing finds little else. */
const A_LITTLE = 1_000
