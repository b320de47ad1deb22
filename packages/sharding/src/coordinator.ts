import type { UniqueAddress } from '@troupe/cluster'
import { nodeKey, sameNode } from '@troupe/cluster/spi'
import type { CoordinatorEffect, CoordinatorMessage, Registration, ShardHome } from './messages.ts'
import { type Allocation, leastLoaded, shardsToMove } from './shard-allocation.ts'
import type { ShardId } from './shard-id.ts'
import { firstEpochOf, type StoredHome } from './stored-homes.ts'

export interface CoordinatorSettings {
  readonly shards: number
  readonly hostsMin: number
  readonly movesMax: number
  readonly handOffTimeoutMs: number
}

/** What a coordinator has to know of the members that may host. By node key. */
export interface HostsView {
  /** Members that are Up. */
  readonly up: ReadonlySet<string>
  /** Those of them that everybody can reach: only they get new shards. */
  readonly reachable: ReadonlySet<string>
  /** Nobody joins, leaves or is unreachable: a good time to even out the load. */
  readonly isSettled: boolean
}

interface Region {
  readonly node: UniqueAddress
  /** False for nodes that only send to entities. */
  readonly isHosting: boolean
  isLeaving: boolean
}

interface Storing {
  readonly home: ShardHome | undefined
  /** The region hosts it already: it told us so, and what was stored lags behind. */
  readonly isRunning: boolean
}

interface Move {
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
 * Life of a shard: no home → storing → home → moving (holding back, then stopping) → storing → …; and
 * from a home whose node was removed: lost → no home.
 *
 * A successor is *open*, that is, gives homes to shards without one and moves shards, once all nodes
 * that may host have told it what they host, or their time for that is up.
 *
 * Pure: messages and time in, effects out.
 * Invariant: a shard is in at most one of `homes`, `storing` and `lost`; one that moves has a home.
 */
export class Coordinator {
  readonly #settings: CoordinatorSettings
  readonly #opensAt: number
  readonly #hostsMin: number
  readonly #regions = new Map<string, Region>()
  readonly #homes = new Map<ShardId, ShardHome>()
  /** The highest epoch of each shard that we know of. */
  readonly #epochs = new Map<ShardId, number>()
  readonly #storing = new Map<ShardId, Storing>()
  readonly #moves = new Map<ShardId, Move>()
  /** Shards whose home was removed, and when its entities have certainly stopped. */
  readonly #lost = new Map<ShardId, number>()
  /** Who waits to learn a shard's home. */
  readonly #asking = new Map<ShardId, Map<string, UniqueAddress>>()
  #hosts: HostsView = { up: new Set(), reachable: new Set(), isSettled: false }
  #nextEpoch: number
  #isOpen = false

  /**
   * `stored`: what predecessors have stored. `term`: higher than that of any predecessor.
   * `opensAt`: how long to wait at most for regions that do not register.
   */
  constructor(
    stored: ReadonlyMap<ShardId, StoredHome>,
    settings: CoordinatorSettings,
    { term, opensAt }: { readonly term: number; readonly opensAt: number },
  ) {
    this.#settings = settings
    this.#opensAt = opensAt
    this.#nextEpoch = firstEpochOf(term)
    // A cluster that has run before may go on with fewer nodes than it began with, or with none but leaving ones.
    this.#hostsMin = stored.size === 0 ? settings.hostsMin : 0
    for (const [shard, { home, epoch }] of stored) {
      this.#epochs.set(shard, epoch)
      if (home !== undefined) this.#homes.set(shard, home)
    }
  }

  get homes(): ReadonlyMap<ShardId, ShardHome> {
    return this.#homes
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  get isMoving(): boolean {
    return this.#moves.size > 0 || this.#storing.size > 0
  }

  // ---- regions and their nodes ----

  /** A region has said that it exists, and which shards it hosts in which epoch. */
  registered(node: UniqueAddress, region: Registration, now: number): readonly CoordinatorEffect[] {
    const { shards } = this.#settings
    if (region.shards !== shards) return [send(node, { type: 'Refused', shards })]
    const key = nodeKey(node)
    const isLeaving = region.isLeaving || this.#regions.get(key)?.isLeaving === true
    this.#regions.set(key, { node, isHosting: region.isHosting, isLeaving })
    const effects: CoordinatorEffect[] = [send(node, { type: 'RegisterAck' })]
    for (const [shard, epoch] of region.hosted) effects.push(...this.#reported(node, shard, epoch))
    for (const [shard, home] of this.#homes) {
      const isMissing = sameNode(home.node, node) && !region.hosted.has(shard)
      if (isMissing) effects.push(send(node, { type: 'HostShard', shard, epoch: home.epoch }))
    }
    for (const [shard, move] of this.#moves) {
      const home = this.#homes.get(shard)
      if (home === undefined) continue
      if (!move.isStopping) move.waitingFor.add(key)
      effects.push(send(node, { type: 'BeginHandOff', shard, home }))
    }
    return [...effects, ...this.tick(now)]
  }

  /** A region hosts `shard`. That is what we think, or it knows more than what was stored, or it is overruled. */
  #reported(node: UniqueAddress, shard: ShardId, epoch: number): readonly CoordinatorEffect[] {
    const home = this.#homes.get(shard) ?? this.#storing.get(shard)?.home
    if (home !== undefined && sameNode(home.node, node) && home.epoch === epoch) return []
    if (epoch <= this.#epochOf(shard)) return [send(node, { type: 'HandOff', shard, epoch })]
    this.#moves.delete(shard)
    this.#homes.delete(shard)
    this.#lost.delete(shard)
    return this.#store(shard, { home: { node, epoch }, isRunning: true })
  }

  /** The region hands over all its shards before its node leaves. */
  leaving(node: UniqueAddress, now: number): readonly CoordinatorEffect[] {
    const region = this.#regions.get(nodeKey(node))
    if (region === undefined) return []
    region.isLeaving = true
    return [send(node, { type: 'LeavingAck' }), ...this.#moveFromLeaving(now)]
  }

  /** Members have come, gone or become (un)reachable. */
  hostsChanged(hosts: HostsView, now: number): readonly CoordinatorEffect[] {
    this.#hosts = hosts
    return this.tick(now)
  }

  /**
   * The node of a region is gone for good. `stoppedAt`: from when on its entities have certainly
   * stopped; now for one that left or was replaced, later for one that was downed.
   */
  removed(node: UniqueAddress, stoppedAt: number, now: number): readonly CoordinatorEffect[] {
    const key = nodeKey(node)
    this.#regions.delete(key)
    for (const asking of this.#asking.values()) asking.delete(key)
    for (const [shard, home] of this.#homes) {
      if (!sameNode(home.node, node)) continue
      this.#homes.delete(shard)
      this.#moves.delete(shard)
      this.#lost.set(shard, stoppedAt)
    }
    for (const [shard, { home, isRunning }] of this.#storing) {
      if (home === undefined || !sameNode(home.node, node)) continue
      this.#storing.delete(shard)
      // One that was to become the home was never told, so nothing runs there.
      if (isRunning) this.#lost.set(shard, stoppedAt)
    }
    const effects: CoordinatorEffect[] = []
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
    // Who has not registered (any more) asks again when it has.
    if (!this.#regions.has(nodeKey(by))) return []
    const home = this.#homes.get(shard)
    if (home !== undefined && !this.#moves.has(shard)) {
      return [send(by, { type: 'Home', shard, home })]
    }
    let asking = this.#asking.get(shard)
    if (asking === undefined) this.#asking.set(shard, (asking = new Map()))
    asking.set(nodeKey(by), by)
    return this.#allocate(shard)
  }

  /** Gives a shard without a home one, if that is possible now. */
  #allocate(shard: ShardId): readonly CoordinatorEffect[] {
    const isBusy = this.#homes.has(shard) || this.#storing.has(shard) || this.#lost.has(shard)
    const home = isBusy ? undefined : this.#nextHome()
    return home === undefined ? [] : this.#store(shard, { home, isRunning: false })
  }

  /** The best home for one more shard, in an epoch of its own. */
  #nextHome(): ShardHome | undefined {
    if (!this.#isOpen) return undefined
    const key = leastLoaded(this.#allocation())
    const region = key === undefined ? undefined : this.#regions.get(key)
    return region === undefined ? undefined : { node: region.node, epoch: this.#nextEpoch++ }
  }

  #store(shard: ShardId, storing: Storing): readonly CoordinatorEffect[] {
    const { home } = storing
    const epoch = home?.epoch ?? this.#epochOf(shard)
    this.#storing.set(shard, storing)
    this.#epochs.set(shard, epoch)
    return [{ type: 'Persist', shard, home, epoch }]
  }

  #epochOf(shard: ShardId): number {
    return this.#epochs.get(shard) ?? 0
  }

  /** A home is stored. Now, not earlier, the world may know. */
  persisted(
    shard: ShardId,
    home: ShardHome | undefined,
    now: number,
  ): readonly CoordinatorEffect[] {
    const storing = this.#storing.get(shard)
    if (storing === undefined || storing.home !== home) return []
    this.#storing.delete(shard)
    if (home === undefined) return this.#hasAskers(shard) ? this.#allocate(shard) : []
    const isLeaving = this.#regions.get(nodeKey(home.node))?.isLeaving === true
    // It has been promised that no more shards come, and nobody has been told of this one.
    if (isLeaving && !storing.isRunning) return this.#allocate(shard)
    this.#homes.set(shard, home)
    return [
      send(home.node, { type: 'HostShard', shard, epoch: home.epoch }),
      ...this.#answerAskers(shard, home),
      ...this.#moveFromLeaving(now),
    ]
  }

  #answerAskers(shard: ShardId, home: ShardHome): readonly CoordinatorEffect[] {
    const askers = [...(this.#asking.get(shard)?.values() ?? [])]
    this.#asking.delete(shard)
    return askers.map((asker) => send(asker, { type: 'Home', shard, home }))
  }

  #hasAskers(shard: ShardId): boolean {
    return (this.#asking.get(shard)?.size ?? 0) > 0
  }

  // ---- time ----

  /** Time has passed: lost homes may have stopped, moves may need a reminder or have taken too long. */
  tick(now: number): readonly CoordinatorEffect[] {
    this.#openIfReady(now)
    for (const [shard, stoppedAt] of this.#lost) if (now >= stoppedAt) this.#lost.delete(shard)
    const effects: CoordinatorEffect[] = []
    // Shards that nobody asks for get a home when somebody does.
    for (const shard of this.#asking.keys()) {
      if (this.#hasAskers(shard)) effects.push(...this.#allocate(shard))
      else this.#asking.delete(shard)
    }
    for (const [shard, move] of this.#moves) effects.push(...this.#remind(shard, move, now))
    return [...effects, ...this.#moveFromLeaving(now)]
  }

  #openIfReady(now: number): void {
    if (this.#isOpen) return
    const choice = this.#allocation().size
    const isComplete = [...this.#hosts.up].every((key) => this.#regions.has(key))
    this.#isOpen = choice >= this.#hostsMin && (isComplete || now >= this.#opensAt)
  }

  #remind(shard: ShardId, move: Move, now: number): readonly CoordinatorEffect[] {
    const home = this.#homes.get(shard)
    if (home === undefined) return []
    if (move.isStopping) {
      return [send(home.node, { type: 'HandOff', shard, epoch: home.epoch })]
    }
    if (now - move.startedAt > this.#settings.handOffTimeoutMs) {
      const waitedFor = [...move.waitingFor]
      move.waitingFor.clear()
      const phrase = 'shard moves on without waiting for nodes that do not answer'
      return [
        { type: 'Log', phrase, fields: { shard, waitedFor } },
        ...this.#handOffIfReady(shard, move),
      ]
    }
    const effects: CoordinatorEffect[] = []
    for (const key of move.waitingFor) {
      const region = this.#regions.get(key)
      if (region !== undefined) {
        effects.push(send(region.node, { type: 'BeginHandOff', shard, home }))
      }
    }
    return effects
  }

  // ---- moving ----

  /** Starts moves that even out the load. Not while anything else is under way. */
  rebalance(now: number): readonly CoordinatorEffect[] {
    if (!this.#isOpen || !this.#hosts.isSettled || this.isMoving || this.#lost.size > 0) return []
    const effects: CoordinatorEffect[] = []
    for (const shard of shardsToMove(this.#allocation(), this.#settings.movesMax)) {
      effects.push(...this.#move(shard, now))
    }
    return effects
  }

  #moveFromLeaving(now: number): readonly CoordinatorEffect[] {
    const leaving = [...this.#regions.values()].filter(({ isLeaving }) => isLeaving)
    if (!this.#isOpen || leaving.length === 0) return []
    if (this.#allocation().size === 0) {
      return leaving.map(({ node }) => send(node, { type: 'NobodyTakesOver' }))
    }
    const effects: CoordinatorEffect[] = []
    for (const [shard, home] of this.#homes) {
      const isLeaving = this.#regions.get(nodeKey(home.node))?.isLeaving === true
      if (isLeaving && !this.#moves.has(shard)) effects.push(...this.#move(shard, now))
    }
    return effects
  }

  #move(shard: ShardId, now: number): readonly CoordinatorEffect[] {
    const waitingFor = new Set(this.#regions.keys())
    const move: Move = { waitingFor, startedAt: now, isStopping: false }
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
    return [send(home.node, { type: 'HandOff', shard, epoch: home.epoch })]
  }

  /** The home has stopped all entities of the shard, asked to or not: it has no home, and gets a new one. */
  stopped(by: UniqueAddress, shard: ShardId, epoch: number): readonly CoordinatorEffect[] {
    const home = this.#homes.get(shard)
    if (home === undefined || !sameNode(home.node, by) || home.epoch !== epoch) return []
    this.#moves.delete(shard)
    this.#homes.delete(shard)
    return this.#store(shard, { home: this.#nextHome(), isRunning: false })
  }

  // ---- the picture ----

  /** Shards by node, counting those that are on their way there. Nodes that are no choice are not in it. */
  #allocation(): Allocation {
    const allocation = new Map<string, ShardId[]>()
    for (const [key, { isHosting, isLeaving }] of this.#regions) {
      if (isHosting && !isLeaving && this.#hosts.reachable.has(key)) allocation.set(key, [])
    }
    for (const [shard, home] of this.#homes) allocation.get(nodeKey(home.node))?.push(shard)
    for (const [shard, { home }] of this.#storing) {
      if (home !== undefined) allocation.get(nodeKey(home.node))?.push(shard)
    }
    return allocation
  }
}

function send(to: UniqueAddress, message: CoordinatorMessage): CoordinatorEffect {
  return { type: 'Send', to, message }
}
