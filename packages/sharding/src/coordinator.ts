import type { UniqueAddress } from '@troupe/cluster'
import { nodeKey } from '@troupe/cluster/spi'
import { type Allocation, leastLoaded, shardsToMove } from './shard-allocation.ts'
import type { ShardId } from './shard-id.ts'

/** Where a shard lives. The epoch rises with every move: an owner with a lower one is an old owner. */
export interface ShardHome {
  readonly node: UniqueAddress
  readonly epoch: number
}

export type CoordinatorMessage =
  | { readonly type: 'RegisterAck' }
  | { readonly type: 'Home'; readonly shard: ShardId; readonly home: ShardHome }
  | { readonly type: 'HostShard'; readonly shard: ShardId; readonly epoch: number }
  /** Forget where the shard lives, keep its messages from now on, and tell its home that no more will come. */
  | { readonly type: 'BeginHandOff'; readonly shard: ShardId; readonly home: ShardHome }
  /** Stop all entities of the shard, and say so. */
  | { readonly type: 'HandOff'; readonly shard: ShardId; readonly epoch: number }

export type CoordinatorEffect =
  | { readonly type: 'Send'; readonly to: UniqueAddress; readonly message: CoordinatorMessage }
  /** Make this durable on a majority, then call `persisted` with the same arguments. */
  | { readonly type: 'Persist'; readonly shard: ShardId; readonly home: ShardHome | undefined; readonly epoch: number }
  | { readonly type: 'Log'; readonly phrase: string; readonly fields: object }

interface Region {
  readonly node: UniqueAddress
  /** False for nodes that only send to entities. */
  readonly isHosting: boolean
  isLeaving: boolean
}

interface Move {
  readonly from: string
  readonly epoch: number
  /** Nodes whose last message may still be on its way to the old home. */
  readonly waitingFor: Set<string>
  readonly startedAt: number
  isStopping: boolean
}

/**
 * Decides where shards live: the one place that does. Runs on the oldest node.
 *
 * A home is stored on a majority of nodes before anybody is told, so a successor knows it, and two
 * coordinators cannot both succeed. A shard moves in steps: everybody keeps its messages back and
 * tells the old home so, behind the last one that is still on its way; when the home has heard that
 * from all, it stops its entities; only then is there a new home. So nothing is lost and nothing
 * overtakes. A shard whose node was removed stays without a home until that node has certainly stopped.
 *
 * Pure: messages and time in, effects out.
 * Invariant: for each shard at most one of these holds: it has a home, a home is being stored, it is
 * being moved, it waits for its lost home to have stopped.
 */
export class Coordinator {
  readonly #movesMax: number
  readonly #handOffTimeoutMs: number
  readonly #regions = new Map<string, Region>()
  readonly #homes = new Map<ShardId, ShardHome>()
  readonly #epochs = new Map<ShardId, number>()
  readonly #storing = new Map<ShardId, ShardHome | undefined>()
  readonly #moves = new Map<ShardId, Move>()
  /** Shards whose home was removed, and when its entities have certainly stopped. */
  readonly #lost = new Map<ShardId, number>()
  /** Who waits to learn a shard's home. */
  readonly #asking = new Map<ShardId, Map<string, UniqueAddress>>()

  /** `stored`: what predecessors have made durable. */
  constructor(
    stored: ReadonlyMap<ShardId, { readonly home: ShardHome | undefined; readonly epoch: number }>,
    settings: { readonly movesMax: number; readonly handOffTimeoutMs: number },
  ) {
    this.#movesMax = settings.movesMax
    this.#handOffTimeoutMs = settings.handOffTimeoutMs
    for (const [shard, { home, epoch }] of stored) {
      this.#epochs.set(shard, epoch)
      if (home !== undefined) this.#homes.set(shard, home)
    }
  }

  get homes(): ReadonlyMap<ShardId, ShardHome> {
    return this.#homes
  }

  get isMoving(): boolean {
    return this.#moves.size > 0 || this.#storing.size > 0
  }

  // ---- regions ----

  /** A region has said that it exists, and which shards it hosts in which epoch. */
  registered(
    node: UniqueAddress,
    { hosted, isHosting }: { readonly hosted: ReadonlyMap<ShardId, number>; readonly isHosting: boolean },
    now: number,
  ): readonly CoordinatorEffect[] {
    const key = nodeKey(node)
    if (!this.#regions.has(key)) this.#regions.set(key, { node, isHosting, isLeaving: false })
    const effects: CoordinatorEffect[] = [send(node, { type: 'RegisterAck' })]
    for (const [shard, epoch] of hosted) {
      const isItsHome = this.#isHome(shard, key) && this.#homes.get(shard)?.epoch === epoch
      // It hosts something that is not its own (any more): whoever decided that was overruled.
      if (!isItsHome) effects.push(send(node, { type: 'HandOff', shard, epoch }))
    }
    for (const [shard, home] of this.#homes) {
      if (nodeKey(home.node) !== key || hosted.has(shard)) continue
      effects.push(send(node, { type: 'HostShard', shard, epoch: home.epoch }))
    }
    return [...effects, ...this.tick(now)]
  }

  /** The region hands over all its shards before its node leaves. */
  leaving(node: UniqueAddress, now: number): readonly CoordinatorEffect[] {
    const region = this.#regions.get(nodeKey(node))
    if (region === undefined) return []
    region.isLeaving = true
    return this.#moveFromLeaving(now)
  }

  /**
   * The node of a region is gone for good. `stoppedAt`: from when on its entities have certainly
   * stopped; now for one that left or was replaced, later for one that was downed.
   */
  removed(node: UniqueAddress, stoppedAt: number, now: number): readonly CoordinatorEffect[] {
    const key = nodeKey(node)
    this.#regions.delete(key)
    for (const asking of this.#asking.values()) asking.delete(key)
    const effects: CoordinatorEffect[] = []
    for (const [shard, home] of this.#homes) {
      if (nodeKey(home.node) !== key) continue
      this.#homes.delete(shard)
      this.#moves.delete(shard)
      this.#lost.set(shard, stoppedAt)
    }
    for (const [shard, move] of this.#moves) {
      if (move.waitingFor.delete(key)) effects.push(...this.#handOffIfReady(shard, move))
    }
    return [...effects, ...this.tick(now)]
  }

  /** Homes on nodes that are no members: removed before this coordinator began. */
  homesWithout(isMember: (node: UniqueAddress) => boolean): readonly UniqueAddress[] {
    const gone = new Map<string, UniqueAddress>()
    for (const { node } of this.#homes.values()) if (!isMember(node)) gone.set(nodeKey(node), node)
    return [...gone.values()]
  }

  // ---- questions ----

  asked(by: UniqueAddress, shard: ShardId): readonly CoordinatorEffect[] {
    const home = this.#homes.get(shard)
    if (home !== undefined && !this.#moves.has(shard)) return [send(by, { type: 'Home', shard, home })]
    let asking = this.#asking.get(shard)
    if (asking === undefined) this.#asking.set(shard, (asking = new Map()))
    asking.set(nodeKey(by), by)
    return this.#allocate(shard)
  }

  /** Gives a shard without a home one, if that is possible now. */
  #allocate(shard: ShardId): readonly CoordinatorEffect[] {
    const isBusy = this.#homes.has(shard) || this.#storing.has(shard) || this.#lost.has(shard)
    if (isBusy || this.#moves.has(shard)) return []
    const key = leastLoaded(this.#allocation())
    const region = key === undefined ? undefined : this.#regions.get(key)
    if (region === undefined) return []
    return this.#store(shard, { node: region.node, epoch: this.#epochOf(shard) + 1 })
  }

  #store(shard: ShardId, home: ShardHome | undefined): readonly CoordinatorEffect[] {
    const epoch = home?.epoch ?? this.#epochOf(shard)
    this.#storing.set(shard, home)
    this.#epochs.set(shard, epoch)
    return [{ type: 'Persist', shard, home, epoch }]
  }

  #epochOf(shard: ShardId): number {
    return this.#epochs.get(shard) ?? 0
  }

  /** A home is durable. Now, not earlier, the world may know. */
  persisted(shard: ShardId, home: ShardHome | undefined, now: number): readonly CoordinatorEffect[] {
    if (this.#storing.get(shard) !== home) return []
    this.#storing.delete(shard)
    if (home === undefined) return this.#hasAskers(shard) ? this.#allocate(shard) : []
    const region = this.#regions.get(nodeKey(home.node))
    this.#homes.set(shard, home)
    // It was removed while its home was being stored: never told, so nothing runs there.
    if (region === undefined) {
      this.#homes.delete(shard)
      return this.#allocate(shard)
    }
    const effects: CoordinatorEffect[] = [
      send(home.node, { type: 'HostShard', shard, epoch: home.epoch }),
    ]
    for (const asker of this.#asking.get(shard)?.values() ?? []) {
      effects.push(send(asker, { type: 'Home', shard, home }))
    }
    this.#asking.delete(shard)
    return region.isLeaving ? [...effects, ...this.#moveFromLeaving(now)] : effects
  }

  #hasAskers(shard: ShardId): boolean {
    return (this.#asking.get(shard)?.size ?? 0) > 0
  }

  // ---- moving ----

  /** Time has passed: lost homes may have stopped, hand-offs may have taken too long. */
  tick(now: number): readonly CoordinatorEffect[] {
    const effects: CoordinatorEffect[] = []
    for (const [shard, stoppedAt] of this.#lost) {
      if (now < stoppedAt) continue
      this.#lost.delete(shard)
      // Nobody asked: it gets a home when somebody does.
      if (this.#hasAskers(shard)) effects.push(...this.#allocate(shard))
    }
    for (const shard of this.#asking.keys()) effects.push(...this.#allocate(shard))
    for (const [shard, move] of this.#moves) effects.push(...this.#remind(shard, move, now))
    return [...effects, ...this.#moveFromLeaving(now)]
  }

  #remind(shard: ShardId, move: Move, now: number): readonly CoordinatorEffect[] {
    const home = this.#homes.get(shard)
    if (home === undefined) return []
    if (now - move.startedAt > this.#handOffTimeoutMs) {
      this.#moves.delete(shard)
      const log: CoordinatorEffect = {
        type: 'Log',
        phrase: 'hand-off took too long; the shard stays where it is',
        fields: { shard, node: home.node.address },
      }
      const askers = [...(this.#asking.get(shard)?.values() ?? [])]
      this.#asking.delete(shard)
      return [log, ...askers.map((asker) => send(asker, { type: 'Home' as const, shard, home }))]
    }
    if (move.isStopping) {
      return [send(home.node, { type: 'HandOff', shard, epoch: move.epoch })]
    }
    return [...move.waitingFor]
      .map((key) => this.#regions.get(key))
      .filter((region) => region !== undefined)
      .map(({ node }) => send(node, { type: 'BeginHandOff', shard, home }))
  }

  /** Starts moves that even out the load. Not while others are under way. */
  rebalance(now: number): readonly CoordinatorEffect[] {
    if (this.isMoving || this.#lost.size > 0) return []
    const effects: CoordinatorEffect[] = []
    for (const shard of shardsToMove(this.#allocation(), this.#movesMax)) {
      effects.push(...this.#move(shard, now))
    }
    return effects
  }

  #moveFromLeaving(now: number): readonly CoordinatorEffect[] {
    const effects: CoordinatorEffect[] = []
    if (this.#allocation().size === 0) return []
    for (const [shard, home] of this.#homes) {
      if (this.#regions.get(nodeKey(home.node))?.isLeaving === true && !this.#moves.has(shard)) {
        effects.push(...this.#move(shard, now))
      }
    }
    return effects
  }

  #move(shard: ShardId, now: number): readonly CoordinatorEffect[] {
    const home = this.#homes.get(shard)
    if (home === undefined || this.#moves.has(shard)) return []
    const move: Move = {
      from: nodeKey(home.node),
      epoch: home.epoch,
      waitingFor: new Set(this.#regions.keys()),
      startedAt: now,
      isStopping: false,
    }
    this.#moves.set(shard, move)
    return this.#remind(shard, move, now)
  }

  /** The old home has got the last message of node `by`. */
  drained(by: UniqueAddress, shard: ShardId): readonly CoordinatorEffect[] {
    const move = this.#moves.get(shard)
    if (move === undefined || !move.waitingFor.delete(nodeKey(by))) return []
    return this.#handOffIfReady(shard, move)
  }

  #handOffIfReady(shard: ShardId, move: Move): readonly CoordinatorEffect[] {
    const home = this.#homes.get(shard)
    if (move.waitingFor.size > 0 || move.isStopping || home === undefined) return []
    move.isStopping = true
    return [send(home.node, { type: 'HandOff', shard, epoch: move.epoch })]
  }

  /** The old home has stopped all entities of the shard: it has no home, and gets a new one. */
  stopped(by: UniqueAddress, shard: ShardId, epoch: number): readonly CoordinatorEffect[] {
    const move = this.#moves.get(shard)
    if (move === undefined || move.from !== nodeKey(by) || move.epoch !== epoch) return []
    this.#moves.delete(shard)
    this.#homes.delete(shard)
    const key = leastLoaded(this.#allocation())
    const next = key === undefined ? undefined : this.#regions.get(key)
    return this.#store(
      shard,
      next === undefined ? undefined : { node: next.node, epoch: this.#epochOf(shard) + 1 },
    )
  }

  // ---- the picture ----

  /** Shards by node, counting those that are on their way there; leaving nodes are no choice. */
  #allocation(): Allocation {
    const allocation = new Map<string, ShardId[]>()
    for (const [key, region] of this.#regions) {
      if (region.isHosting && !region.isLeaving) allocation.set(key, [])
    }
    for (const [shard, home] of this.#homes) allocation.get(nodeKey(home.node))?.push(shard)
    for (const [shard, home] of this.#storing) {
      if (home !== undefined) allocation.get(nodeKey(home.node))?.push(shard)
    }
    return allocation
  }

  #isHome(shard: ShardId, key: string): boolean {
    const home = this.#homes.get(shard)
    return home !== undefined && nodeKey(home.node) === key
  }
}

function send(to: UniqueAddress, message: CoordinatorMessage): CoordinatorEffect {
  return { type: 'Send', to, message }
}
