import type { UniqueAddress } from '@troupe/cluster'
import { sameNode } from '@troupe/cluster/spi'
import type {
  CoordinatorMessage,
  Envelope,
  RegionEffect,
  RegionMessage,
  Registration,
  ShardHome,
} from './messages.ts'
import type { ShardId } from './shard-id.ts'

export interface RegionSettings {
  readonly self: UniqueAddress
  readonly shards: number
  /** False: this node only sends to entities. */
  readonly isHosting: boolean
}

interface Kept {
  readonly envelope: Envelope
  /** The node that believed the shard to be here. */
  readonly from: UniqueAddress | undefined
}

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
 * A shard here: not hosted → hosted → stopping → ended. An epoch that has ended here never begins
 * again: an order to host it that comes late, or from a coordinator that has not heard of the end, is
 * answered with the end.
 *
 * Pure, apart from keeping messages. Invariant: a shard with kept messages has no usable home.
 */
export class Region {
  readonly #settings: RegionSettings
  /** Where shards live that do not live here. */
  readonly #homes = new Map<ShardId, ShardHome>()
  readonly #hosted = new Map<ShardId, Hosted>()
  /** The highest epoch of each shard that has ended here. */
  readonly #ended = new Map<ShardId, number>()
  readonly #kept = new Map<ShardId, Kept[]>()
  #keptCount = 0
  #isLeaving = false
  #hosting: 'Open' | 'Paused' | 'Over'

  constructor(settings: RegionSettings) {
    this.#settings = settings
    this.#hosting = settings.isHosting ? 'Open' : 'Over'
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

  isStopping(shard: ShardId): boolean {
    return this.#hosted.get(shard)?.isStopping === true
  }

  /** Where a message for `shard` goes now. The path every message takes: nothing is allocated. */
  destination(shard: ShardId): 'Here' | 'Keep' | UniqueAddress {
    const hosted = this.#hosted.get(shard)
    if (hosted !== undefined) return hosted.isStopping ? 'Keep' : 'Here'
    return this.#homes.get(shard)?.node ?? 'Keep'
  }

  // ---- keeping ----

  /**
   * Keeps a message until its shard has a home. `from`: the node it came from, if another one. How
   * many there may be is the caller's to decide.
   */
  keep(envelope: Envelope, from?: UniqueAddress): readonly RegionEffect[] {
    const { shard } = envelope
    this.#homes.delete(shard)
    let kept = this.#kept.get(shard)
    const isFirst = kept === undefined
    if (kept === undefined) this.#kept.set(shard, (kept = []))
    kept.push({ envelope, from })
    this.#keptCount++
    return isFirst ? [ask(shard)] : []
  }

  /** Keeps messages that were here before all others: what waited for an entity's next start. */
  keepInFront(shard: ShardId, envelopes: readonly Envelope[]): void {
    if (envelopes.length === 0) return
    const first = envelopes.map((envelope) => ({ envelope, from: undefined }))
    this.#kept.set(shard, [...first, ...(this.#kept.get(shard) ?? [])])
    this.#keptCount += envelopes.length
  }

  #takeKept(shard: ShardId): readonly Kept[] {
    const kept = this.#kept.get(shard) ?? []
    this.#kept.delete(shard)
    this.#keptCount -= kept.length
    return kept
  }

  /** Everything that is kept; for a region that ends. */
  takeAllKept(): readonly Envelope[] {
    const all = [...this.#kept.values()].flat().map(({ envelope }) => envelope)
    this.#kept.clear()
    this.#keptCount = 0
    return all
  }

  // ---- the coordinator's words ----

  receive(message: CoordinatorMessage): readonly RegionEffect[] {
    switch (message.type) {
      case 'RegisterAck':
        return this.retry()
      case 'Home':
        return this.#home(message.shard, message.home)
      case 'HostShard':
        return this.#host(message.shard, message.epoch)
      case 'BeginHandOff':
        return this.#beginHandOff(message.shard, message.home)
      case 'HandOff':
        return this.#handOff(message.shard, message.epoch)
      case 'Refused':
      case 'LeavingAck':
      case 'NobodyTakesOver':
        // For the driver: they change nothing here.
        return []
      default:
        return message satisfies never
    }
  }

  #home(shard: ShardId, home: ShardHome): readonly RegionEffect[] {
    // That we are told we are the home counts as being told to host: the other message may be lost.
    if (sameNode(home.node, this.#settings.self)) return this.#host(shard, home.epoch)
    const known = this.#homes.get(shard)
    if ((known !== undefined && known.epoch > home.epoch) || this.#hosted.has(shard)) return []
    this.#homes.set(shard, home)
    const kept = this.#takeKept(shard)
    // Now that we know better, they should too. Not earlier: the order to host may only be late.
    const astray = new Map(kept.map(({ from }) => [from?.uid, from]))
    return [
      ...[...astray.values()]
        .filter((to) => to !== undefined)
        .map((to): RegionEffect => ({ type: 'TellNotHere', to, shard })),
      ...kept.map(({ envelope }): RegionEffect => ({ type: 'Forward', to: home.node, envelope })),
    ]
  }

  #host(shard: ShardId, epoch: number): readonly RegionEffect[] {
    const hosted = this.#hosted.get(shard)
    if (hosted !== undefined) {
      // An older epoch of ours has to end before the newer one begins.
      return hosted.epoch < epoch ? this.#stop(shard, hosted, false) : []
    }
    if (this.#hosting === 'Paused') return []
    const hasEnded = epoch <= (this.#ended.get(shard) ?? 0)
    if (hasEnded || this.#hosting === 'Over') return [stopped(shard, epoch)]
    this.#homes.delete(shard)
    this.#hosted.set(shard, { epoch, isStopping: false })
    return this.#takeKept(shard).map(({ envelope }) => ({ type: 'Deliver', envelope }))
  }

  #beginHandOff(shard: ShardId, home: ShardHome): readonly RegionEffect[] {
    if ((this.#homes.get(shard)?.epoch ?? 0) <= home.epoch) this.#homes.delete(shard)
    const { self } = this.#settings
    if (sameNode(home.node, self)) return this.drained(self, shard)
    return [{ type: 'TellDrained', to: home.node, shard }]
  }

  /** Node `by` has nothing more under way to us for `shard`; the coordinator collects these. */
  drained(by: UniqueAddress, shard: ShardId): readonly RegionEffect[] {
    return [{ type: 'ToCoordinator', message: { type: 'Drained', shard, by } }]
  }

  #handOff(shard: ShardId, epoch: number): readonly RegionEffect[] {
    const hosted = this.#hosted.get(shard)
    if (hosted !== undefined) return hosted.epoch === epoch ? this.#stop(shard, hosted, false) : []
    // What has been handed off before it began must not begin any more.
    this.#end(shard, epoch)
    return [stopped(shard, epoch)]
  }

  #stop(shard: ShardId, hosted: Hosted, isHard: boolean): readonly RegionEffect[] {
    if (hosted.isStopping && !isHard) return []
    hosted.isStopping = true
    return [{ type: 'StopEntities', shard, isHard }]
  }

  /** All entities of a shard that was to stop have ended. */
  shardStopped(shard: ShardId): readonly RegionEffect[] {
    const hosted = this.#hosted.get(shard)
    if (hosted === undefined) return []
    this.#hosted.delete(shard)
    this.#end(shard, hosted.epoch)
    const effect = stopped(shard, hosted.epoch)
    return this.#kept.has(shard) ? [effect, ask(shard)] : [effect]
  }

  #end(shard: ShardId, epoch: number): void {
    this.#ended.set(shard, Math.max(epoch, this.#ended.get(shard) ?? 0))
  }

  // ---- other regions ----

  /** A region we sent messages of `shard` to does not host it. */
  notHere(node: UniqueAddress, shard: ShardId): void {
    const home = this.#homes.get(shard)
    if (home !== undefined && sameNode(home.node, node)) this.#homes.delete(shard)
  }

  /** A node is gone: its shards have no home until the coordinator finds one. */
  nodeRemoved(node: UniqueAddress): void {
    for (const [shard, home] of this.#homes)
      if (sameNode(home.node, node)) this.#homes.delete(shard)
  }

  // ---- when not to host ----

  /** The node leaves: the coordinator is told to move everything away. */
  leave(): void {
    this.#isLeaving = true
  }

  /** Ends all entities at once and hosts nothing until `resumeHosting`: others may be about to start them. */
  pauseHosting(): readonly RegionEffect[] {
    if (this.#hosting === 'Open') this.#hosting = 'Paused'
    return this.#stopAll()
  }

  resumeHosting(): void {
    if (this.#hosting === 'Paused') this.#hosting = 'Open'
  }

  /** Ends all entities at once, for good. Messages for entities elsewhere still find their way. */
  endHosting(): readonly RegionEffect[] {
    this.#hosting = 'Over'
    return this.#stopAll()
  }

  #stopAll(): readonly RegionEffect[] {
    return [...this.#hosted].flatMap(([shard, hosted]) => this.#stop(shard, hosted, true))
  }

  // ---- to be said now and again ----

  /** What to say to a coordinator until it answers. */
  register(): RegionMessage & { readonly type: 'Register' } {
    const hosted = new Map<ShardId, number>()
    for (const [shard, { epoch }] of this.#hosted) hosted.set(shard, epoch)
    const { shards, isHosting } = this.#settings
    const registration: Registration = { shards, hosted, isHosting, isLeaving: this.#isLeaving }
    return { type: 'Register', ...registration }
  }

  /** Asks again for every shard that messages wait for. */
  retry(): readonly RegionEffect[] {
    return [...this.#kept.keys()].filter((shard) => !this.#hosted.has(shard)).map(ask)
  }
}

function ask(shard: ShardId): RegionEffect {
  return { type: 'ToCoordinator', message: { type: 'AskHome', shard } }
}

function stopped(shard: ShardId, epoch: number): RegionEffect {
  return { type: 'ToCoordinator', message: { type: 'ShardStopped', shard, epoch } }
}
