import type { UniqueAddress } from '@troupe/cluster'
import type { EntityHost } from './entity-host.ts'
import type { ShardingLinks } from './links.ts'
import type { Envelope, RegionEffect, RegionTraffic } from './messages.ts'
import type { Region } from './region.ts'
import { shardOf, type ShardId } from './shard-id.ts'

/** A message for an entity that cannot be handed on directly, and which node it came from if another one. */
export interface Route {
  readonly type: 'Route'
  readonly envelope: Envelope
  readonly from: UniqueAddress | undefined
}

/** Where messages for entities of this node end up. */
export type Recipients = Pick<
  EntityHost<never>,
  'deliver' | 'deliverIfRunning' | 'mustWait' | 'stopAll' | 'waitingCount'
>

export interface RouterParts {
  readonly region: Region
  readonly links: Pick<ShardingLinks, 'toPeer' | 'drop'>
  readonly shards: number
  readonly bufferMax: number
}

/**
 * The way of a message to its entity.
 *
 * A message for a running entity, or for a shard whose home is known, goes there at once, without
 * passing the region's mailbox. Everything else becomes a command to the region. As long as commands
 * for a shard are waiting there, later messages for it queue up behind them: order holds.
 *
 * Open → closed, for good: then everything is dropped with the reason of the closing.
 */
export class EnvelopeRouter {
  readonly #parts: RouterParts
  readonly #tellRegion: (route: Route) => void
  /** Commands waiting in the region's mailbox, by shard. */
  readonly #queued: Int32Array
  #entities: Recipients | undefined
  #closedBecause: string | undefined

  constructor(parts: RouterParts, tellRegion: (route: Route) => void) {
    this.#parts = parts
    this.#tellRegion = tellRegion
    this.#queued = new Int32Array(parts.shards)
  }

  /** The region has started: from now on entities run here. */
  open(entities: Recipients): void {
    this.#entities = entities
  }

  get isClosed(): boolean {
    return this.#closedBecause !== undefined
  }

  /** Messages that wait for a home, or for the end of an entity's predecessor. */
  get keptMessages(): number {
    return this.#parts.region.keptCount + (this.#entities?.waitingCount ?? 0)
  }

  /** From an entity ref of this node. */
  route(entityId: string, message: unknown): void {
    const { region, links, shards } = this.#parts
    const shard = shardOf(entityId, shards)
    const where = this.#isNext(shard) ? region.destination(shard) : 'Keep'
    if (where === 'Here') {
      if (this.#entities?.deliverIfRunning(entityId, message) === true) return
    } else if (where !== 'Keep') {
      links.toPeer(where, { type: 'Envelope', shard, entityId, message })
      return
    }
    this.#enqueue({ shard, entityId, message }, undefined)
  }

  /** From the region of another node. */
  arrived(
    from: UniqueAddress,
    { shard, entityId, message }: RegionTraffic & { readonly type: 'Envelope' },
  ): void {
    const isHere = this.#isNext(shard) && this.#parts.region.destination(shard) === 'Here'
    if (isHere && this.#entities?.deliverIfRunning(entityId, message) === true) return
    this.#enqueue({ shard, entityId, message }, from)
  }

  /** Nothing for the shard is waiting in front of what comes now. */
  #isNext(shard: ShardId): boolean {
    return this.#queued[shard] === 0 && this.#closedBecause === undefined
  }

  #enqueue(envelope: Envelope, from: UniqueAddress | undefined): void {
    if (this.#closedBecause !== undefined) {
      this.#parts.links.drop(envelope, this.#closedBecause)
      return
    }
    this.#count(envelope.shard, 1)
    this.#tellRegion({ type: 'Route', envelope, from })
  }

  #count(shard: ShardId, difference: number): void {
    this.#queued[shard] = (this.#queued[shard] ?? 0) + difference
  }

  /** A command's turn has come. */
  routed({ envelope, from }: Route): readonly RegionEffect[] {
    this.#count(envelope.shard, -1)
    return this.dispatch(envelope, from)
  }

  /** Where to with a message, in the region's turn. */
  dispatch(envelope: Envelope, from: UniqueAddress | undefined): readonly RegionEffect[] {
    const { region, links } = this.#parts
    if (this.#closedBecause !== undefined) {
      links.drop(envelope, this.#closedBecause)
      return []
    }
    const { shard, entityId } = envelope
    const where = region.destination(shard)
    if (where === 'Here') {
      const isFull = this.#entities?.mustWait(entityId) === true && this.#isFull
      if (isFull) links.drop(envelope, BUFFER_FULL)
      else this.deliver(envelope)
      return []
    }
    if (where !== 'Keep' && from === undefined) {
      return [{ type: 'Forward', to: where, envelope }]
    }
    // One node sent it here because it believes the shard is here. Sending it on by what we believe
    // could go round in circles; the coordinator knows.
    if (!this.#isFull) return region.keep(envelope, from)
    links.drop(envelope, BUFFER_FULL)
    return []
  }

  get #isFull(): boolean {
    return this.keptMessages >= this.#parts.bufferMax
  }

  deliver(envelope: Envelope): void {
    this.#entities?.deliver(envelope, this.#parts.region.epochOf(envelope.shard) ?? 0)
  }

  /** Drops what is kept and all that comes, and stops all entities. */
  close(reason: string): void {
    if (this.#closedBecause !== undefined) return
    this.#closedBecause = reason
    const waiting = this.#entities?.stopAll() ?? []
    for (const envelope of [...waiting, ...this.#parts.region.takeAllKept()]) {
      this.#parts.links.drop(envelope, reason)
    }
  }
}

const BUFFER_FULL = 'ShardBufferFull'
