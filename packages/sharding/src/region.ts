import type { UniqueAddress } from '@troupe/cluster'
import { sameNode } from '@troupe/cluster/spi'
import type { CoordinatorMessage, ShardHome } from './coordinator.ts'
import type { ShardId } from './shard-id.ts'

/** A message for an entity. */
export interface Envelope {
  readonly shard: ShardId
  readonly entityId: string
  readonly message: unknown
}

/** What a region tells the coordinator. The sender is known from the link. */
export type RegionMessage =
  | {
      readonly type: 'Register'
      readonly hosted: ReadonlyMap<ShardId, number>
      readonly isHosting: boolean
    }
  | { readonly type: 'AskHome'; readonly shard: ShardId }
  | { readonly type: 'Drained'; readonly shard: ShardId; readonly by: UniqueAddress }
  | { readonly type: 'ShardStopped'; readonly shard: ShardId; readonly epoch: number }
  | { readonly type: 'Leaving' }

export type RegionEffect =
  | { readonly type: 'ToCoordinator'; readonly message: RegionMessage }
  /** To the region of another node, behind everything that was forwarded to it before. */
  | { readonly type: 'TellDrained'; readonly to: UniqueAddress; readonly shard: ShardId }
  | { readonly type: 'Deliver'; readonly envelope: Envelope }
  | { readonly type: 'Forward'; readonly to: UniqueAddress; readonly envelope: Envelope }
  /** Stop all entities of the shard after what they have in their mailboxes, then call `shardStopped`. */
  | { readonly type: 'StopEntities'; readonly shard: ShardId }
  | { readonly type: 'ShardStarted'; readonly shard: ShardId; readonly epoch: number }

interface Hosted {
  readonly epoch: number
  isStopping: boolean
}

/**
 * One node's knowledge of where shards live, and the messages that wait for that knowledge.
 *
 * A message goes to the shard's home: here, or on another node. While the home is not known or the
 * shard is moving, messages are kept in the order in which they came. Only shards the coordinator
 * told us to host may have entities here.
 *
 * Pure, apart from keeping messages. Invariant: a shard with kept messages has no usable home.
 */
export class Region {
  readonly #self: UniqueAddress
  readonly #bufferMax: number
  readonly #homes = new Map<ShardId, ShardHome>()
  readonly #hosted = new Map<ShardId, Hosted>()
  readonly #kept = new Map<ShardId, Envelope[]>()
  #keptCount = 0

  constructor(self: UniqueAddress, bufferMax: number) {
    this.#self = self
    this.#bufferMax = bufferMax
  }

  get keptCount(): number {
    return this.#keptCount
  }

  get hostedShards(): readonly ShardId[] {
    return [...this.#hosted.keys()]
  }

  epochOf(shard: ShardId): number | undefined {
    return this.#hosted.get(shard)?.epoch
  }

  /** Where a message for `shard` goes now. The path every message takes: nothing is allocated. */
  destination(shard: ShardId): 'Here' | 'Keep' | UniqueAddress {
    const hosted = this.#hosted.get(shard)
    if (hosted !== undefined) return hosted.isStopping ? 'Keep' : 'Here'
    return this.#homes.get(shard)?.node ?? 'Keep'
  }

  /** Keeps a message until its shard has a home. Undefined when there is no more room: it is the caller's to drop. */
  keep(envelope: Envelope): readonly RegionEffect[] | undefined {
    if (this.#keptCount >= this.#bufferMax) return undefined
    this.#homes.delete(envelope.shard)
    let kept = this.#kept.get(envelope.shard)
    const isFirst = kept === undefined
    if (kept === undefined) this.#kept.set(envelope.shard, (kept = []))
    kept.push(envelope)
    this.#keptCount++
    return isFirst ? [this.#ask(envelope.shard)] : []
  }

  /** Keeps messages that were here before all others: what a stopping entity had not got yet. */
  keepInFront(shard: ShardId, envelopes: readonly Envelope[]): void {
    if (envelopes.length === 0) return
    this.#kept.set(shard, [...envelopes, ...(this.#kept.get(shard) ?? [])])
    this.#keptCount += envelopes.length
  }

  // ---- the coordinator's words ----

  receive(message: CoordinatorMessage): readonly RegionEffect[] {
    switch (message.type) {
      case 'RegisterAck':
        return [...this.#kept.keys()].map((shard) => this.#ask(shard))
      case 'Home':
        return this.#home(message.shard, message.home)
      case 'HostShard':
        return this.#host(message.shard, message.epoch)
      case 'BeginHandOff':
        return this.#beginHandOff(message.shard, message.home)
      case 'HandOff':
        return this.#handOff(message.shard, message.epoch)
      default:
        return message satisfies never
    }
  }

  #home(shard: ShardId, home: ShardHome): readonly RegionEffect[] {
    // That we are told we are the home counts as being told to host: the other message may be lost.
    if (sameNode(home.node, this.#self)) return this.#host(shard, home.epoch)
    const known = this.#homes.get(shard)
    if (known !== undefined && known.epoch > home.epoch) return []
    if (this.#hosted.has(shard)) return []
    this.#homes.set(shard, home)
    return this.#takeKept(shard).map((envelope) => ({ type: 'Forward', to: home.node, envelope }))
  }

  #host(shard: ShardId, epoch: number): readonly RegionEffect[] {
    if (this.#hosted.has(shard)) return []
    this.#homes.delete(shard)
    this.#hosted.set(shard, { epoch, isStopping: false })
    const kept = this.#takeKept(shard).map((envelope): RegionEffect => ({ type: 'Deliver', envelope }))
    return [{ type: 'ShardStarted', shard, epoch }, ...kept]
  }

  #beginHandOff(shard: ShardId, home: ShardHome): readonly RegionEffect[] {
    if ((this.#homes.get(shard)?.epoch ?? 0) <= home.epoch) this.#homes.delete(shard)
    if (!sameNode(home.node, this.#self)) {
      return [{ type: 'TellDrained', to: home.node, shard }]
    }
    return this.drained(this.#self, shard)
  }

  /** Node `by` has nothing more under way to us for `shard`; the coordinator collects these. */
  drained(by: UniqueAddress, shard: ShardId): readonly RegionEffect[] {
    return [{ type: 'ToCoordinator', message: { type: 'Drained', shard, by } }]
  }

  #handOff(shard: ShardId, epoch: number): readonly RegionEffect[] {
    const hosted = this.#hosted.get(shard)
    if (hosted === undefined) return [this.#stopped(shard, epoch)]
    if (hosted.epoch !== epoch || hosted.isStopping) return []
    hosted.isStopping = true
    return [{ type: 'StopEntities', shard }]
  }

  /** All entities of a shard that was handed off have stopped. */
  shardStopped(shard: ShardId): readonly RegionEffect[] {
    const hosted = this.#hosted.get(shard)
    if (hosted === undefined) return []
    this.#hosted.delete(shard)
    const stopped = this.#stopped(shard, hosted.epoch)
    return this.#kept.has(shard) ? [stopped, this.#ask(shard)] : [stopped]
  }

  #stopped(shard: ShardId, epoch: number): RegionEffect {
    return { type: 'ToCoordinator', message: { type: 'ShardStopped', shard, epoch } }
  }

  // ---- the cluster ----

  /** A node is gone: its shards have no home until the coordinator finds one. */
  nodeRemoved(node: UniqueAddress): void {
    for (const [shard, home] of this.#homes) if (sameNode(home.node, node)) this.#homes.delete(shard)
  }

  /** What to say to a coordinator, now and again until it answers. */
  register(isHosting: boolean): RegionMessage {
    const hosted = new Map<ShardId, number>()
    for (const [shard, { epoch }] of this.#hosted) hosted.set(shard, epoch)
    return { type: 'Register', hosted, isHosting }
  }

  /** Asks again for every shard that messages wait for. */
  retry(): readonly RegionEffect[] {
    return [...this.#kept.keys()].filter((shard) => !this.#hosted.has(shard)).map((shard) => this.#ask(shard))
  }

  /** Everything that is kept; for a region that stops. */
  takeAllKept(): readonly Envelope[] {
    const all = [...this.#kept.values()].flat()
    this.#kept.clear()
    this.#keptCount = 0
    return all
  }

  #takeKept(shard: ShardId): readonly Envelope[] {
    const kept = this.#kept.get(shard) ?? []
    this.#kept.delete(shard)
    this.#keptCount -= kept.length
    return kept
  }

  #ask(shard: ShardId): RegionEffect {
    return { type: 'ToCoordinator', message: { type: 'AskHome', shard } }
  }
}
