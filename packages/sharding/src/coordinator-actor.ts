import { type ActorContext, type Behavior, Behaviors } from '@troupe/actor'
import type { Cluster, ClusterEvent, UniqueAddress } from '@troupe/cluster'
import { nodeKey } from '@troupe/cluster/spi'
import { type DistributedData, LWWMapKey, readMajority, writeMajority } from '@troupe/replicator'
import { Coordinator } from './coordinator.ts'
import { hostingMembers, isMember, oldestHost } from './hosting-members.ts'
import type { ShardingLinks } from './links.ts'
import type { CoordinatorEffect, RegionMessage } from './messages.ts'
import type { ShardingSettings } from './settings.ts'
import {
  type HomesToStore,
  readHomes,
  type StoredValue,
  writeHomes,
  writeTerm,
} from './stored-homes.ts'

type Message =
  | { readonly type: 'FromRegion'; readonly from: UniqueAddress; readonly message: RegionMessage }
  | { readonly type: 'Cluster'; readonly event: ClusterEvent }
  | { readonly type: 'Load' }
  | { readonly type: 'Loaded'; readonly stored: Stored | undefined }
  | { readonly type: 'TermClaimed'; readonly stored: Stored; readonly isDone: boolean }
  | { readonly type: 'Write' }
  | { readonly type: 'Written'; readonly homes: readonly HomesToStore[]; readonly isDone: boolean }
  | { readonly type: 'Tick' }
  | { readonly type: 'RebalanceTick' }

type Stored = ReturnType<typeof readHomes>

export interface CoordinatorParts {
  readonly typeName: string
  readonly cluster: Cluster
  readonly data: DistributedData
  readonly links: ShardingLinks
  readonly settings: ShardingSettings
  readonly role: string | undefined
}

/**
 * Runs on every node that may host, and does nothing until this node is the oldest of them. Then it
 * loads what its predecessors have stored, claims the next term, and becomes the coordinator. The
 * oldest stays the oldest until it is removed, so there is no way back but the end of the node.
 *
 * Idle → loading → claiming → coordinating → over.
 */
export function coordinatorActor(parts: CoordinatorParts): Behavior<never> {
  return Behaviors.setup<Message>((context) => {
    const driver = new CoordinatorDriver(context, parts)
    driver.start()
    return Behaviors.receive((message) => {
      driver.handle(message)
      return Behaviors.same
    })
  })
}

class CoordinatorDriver {
  readonly #context: ActorContext<Message>
  readonly #parts: CoordinatorParts
  readonly #key: ReturnType<typeof LWWMapKey.create<string, StoredValue>>
  /** The last registration of each member, for when we are the coordinator. */
  readonly #early = new Map<
    string,
    { readonly from: UniqueAddress; readonly message: RegionMessage }
  >()
  /** When the entities of removed nodes have certainly stopped. */
  readonly #stoppedAt = new Map<string, number>()
  #stage: 'Idle' | 'Loading' | 'Coordinating' | 'Over' = 'Idle'
  #coordinator: Coordinator | undefined
  #term = 0
  /** Homes that have to be stored and are not being written; by shard, the newest only. */
  #unwritten = new Map<number, HomesToStore>()
  #isWriting = false

  constructor(context: ActorContext<Message>, parts: CoordinatorParts) {
    this.#context = context
    this.#parts = parts
    this.#key = LWWMapKey.create<string, StoredValue>(`sharding|${parts.typeName}`)
  }

  start(): void {
    const { cluster, links, settings } = this.#parts
    const { self, timers } = this.#context
    links.onRegionMessage((from, message) => self.tell({ type: 'FromRegion', from, message }))
    cluster.subscribe(
      this.#context.messageAdapter<ClusterEvent>((event) => ({ type: 'Cluster', event })),
    )
    timers.startTimerWithFixedDelay('tick', { type: 'Tick' }, settings.retryMs)
    timers.startTimerWithFixedDelay('rebalance', { type: 'RebalanceTick' }, settings.rebalanceMs)
  }

  handle(message: Message): void {
    if (this.#stage === 'Over') return
    switch (message.type) {
      case 'FromRegion':
        this.#fromRegion(message.from, message.message)
        return
      case 'Cluster':
        this.#clusterEvent(message.event)
        return
      case 'Load':
        this.#load()
        return
      case 'Loaded':
        this.#loaded(message.stored)
        return
      case 'TermClaimed':
        if (message.isDone) this.#begin(message.stored)
        else this.#loadLater()
        return
      case 'Write':
        this.#write()
        return
      case 'Written':
        this.#written(message.homes, message.isDone)
        return
      case 'Tick':
        this.#tick()
        return
      case 'RebalanceTick':
        this.#perform(this.#coordinator?.rebalance(this.#now()))
        return
      default:
        return message satisfies never
    }
  }

  // ---- becoming the coordinator ----

  #clusterEvent(event: ClusterEvent): void {
    if (event.type === 'ClusterShuttingDown') {
      this.#stage = 'Over'
      return
    }
    if (event.type === 'MemberRemoved') this.#removed(event.member.node, event.isReplaced)
    this.#perform(this.#coordinator?.hostsChanged(this.#hosts(), this.#now()))
    const { cluster, role } = this.#parts
    const isOurs = oldestHost(cluster.state, role)?.uid === cluster.self.uid
    if (isOurs && this.#stage === 'Idle') this.#load()
  }

  #hosts(): Parameters<Coordinator['hostsChanged']>[0] {
    const { cluster, role } = this.#parts
    const { members, unreachable } = cluster.state
    const isOut = new Set(unreachable.map(({ node }) => nodeKey(node)))
    const hosting = hostingMembers(cluster.state, role).filter(({ status }) => status === 'Up')
    const up = new Set(hosting.map(({ node }) => nodeKey(node)))
    return {
      up,
      reachable: new Set([...up].filter((key) => !isOut.has(key))),
      isSettled: isOut.size === 0 && members.every(({ status }) => status === 'Up'),
    }
  }

  #removed(node: UniqueAddress, isReplaced: boolean): void {
    this.#early.delete(nodeKey(node))
    // One that was replaced has ended. Any other may still run on its side of a split; it stops by
    // the same rule as we, at about the same time, and gets that time once more. One that left in
    // order has handed over all its shards before, so for it the margin costs nothing.
    const stoppedAt = this.#now() + (isReplaced ? 0 : this.#marginMs())
    this.#stoppedAt.set(nodeKey(node), stoppedAt)
    this.#perform(this.#coordinator?.removed(node, stoppedAt, this.#now()))
  }

  #marginMs(): number {
    return this.#parts.cluster.settings.stableAfterMs
  }

  #load(): void {
    this.#stage = 'Loading'
    const { data, settings } = this.#parts
    this.#context.pipeToSelf(
      data.get(this.#key, { consistency: readMajority({ timeoutMs: settings.retryMs * 2 }) }),
      (reply) => ({
        type: 'Loaded',
        stored:
          reply.type === 'GetSuccess'
            ? readHomes(reply.value.entries())
            : reply.type === 'NotFound'
              ? readHomes([])
              : undefined,
      }),
      () => ({ type: 'Loaded', stored: undefined }),
    )
  }

  /** Without a majority nobody may decide where shards live. */
  #loadLater(): void {
    this.#context.timers.startSingleTimer('load', { type: 'Load' }, this.#parts.settings.retryMs)
  }

  #loaded(stored: Stored | undefined): void {
    if (stored === undefined) {
      this.#loadLater()
      return
    }
    const done = (isDone: boolean): Message => ({ type: 'TermClaimed', stored, isDone })
    this.#context.pipeToSelf(
      this.#update((map) => writeTerm(map, stored.term + 1)),
      done,
      () => done(false),
    )
  }

  #begin({ term, homes }: Stored): void {
    const { settings, typeName, cluster } = this.#parts
    const now = this.#now()
    const opensAt = now + settings.retryMs * OPEN_AFTER_RETRIES
    const coordinator = new Coordinator(homes, settings, { term: term + 1, opensAt })
    this.#stage = 'Coordinating'
    this.#coordinator = coordinator
    this.#term = term + 1
    this.#context.log.info(
      { entityType: typeName, term: this.#term, homes: homes.size },
      'coordinating shards',
    )
    this.#perform(coordinator.hostsChanged(this.#hosts(), now))
    for (const node of coordinator.homesWithout((each) => isMember(cluster.state, each))) {
      const stoppedAt = this.#stoppedAt.get(nodeKey(node)) ?? now + this.#marginMs()
      this.#perform(coordinator.removed(node, stoppedAt, now))
    }
    for (const { from, message } of this.#early.values()) this.#fromRegion(from, message)
    this.#early.clear()
  }

  // ---- regions ----

  #fromRegion(from: UniqueAddress, message: RegionMessage): void {
    const coordinator = this.#coordinator
    if (coordinator === undefined) {
      // The others may know that we are the oldest before we do.
      if (message.type === 'Register') this.#early.set(nodeKey(from), { from, message })
      return
    }
    if (!isMember(this.#parts.cluster.state, from)) return
    const now = this.#now()
    switch (message.type) {
      case 'Register':
        this.#perform(coordinator.registered(from, message, now))
        return
      case 'AskHome':
        this.#perform(coordinator.asked(from, message.shard))
        return
      case 'Drained':
        this.#perform(coordinator.drained(message.by, message.shard))
        return
      case 'ShardStopped':
        this.#perform(coordinator.stopped(from, message.shard, message.epoch))
        return
      case 'Leaving':
        this.#perform(coordinator.leaving(from, now))
        return
      default:
        return message satisfies never
    }
  }

  #tick(): void {
    const now = this.#now()
    this.#perform(this.#coordinator?.tick(now))
    for (const [key, stoppedAt] of this.#stoppedAt) {
      if (now - stoppedAt > REMOVALS_KEPT_MS) this.#stoppedAt.delete(key)
    }
  }

  #perform(effects: readonly CoordinatorEffect[] = []): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'Send':
          this.#parts.links.toRegion(effect.to, effect.message)
          break
        case 'Persist': {
          const { shard, home, epoch } = effect
          this.#unwritten.set(shard, { shard, home, epoch })
          break
        }
        case 'Log':
          this.#context.log.warn(effect.fields, effect.phrase)
          break
        default:
          effect satisfies never
      }
    }
    this.#write()
  }

  // ---- storing ----

  /** Writes everything that waits at once; what comes meanwhile waits for the next write. */
  #write(): void {
    if (this.#isWriting || this.#unwritten.size === 0 || this.#stage !== 'Coordinating') return
    const homes = [...this.#unwritten.values()]
    const done = (isDone: boolean): Message => ({ type: 'Written', homes, isDone })
    this.#unwritten = new Map()
    this.#isWriting = true
    this.#context.pipeToSelf(
      this.#update((map) => writeHomes(map, this.#term, homes)),
      done,
      () => done(false),
    )
  }

  async #update(modify: (map: Parameters<typeof writeTerm>[0]) => void): Promise<boolean> {
    const { data, settings } = this.#parts
    const consistency = writeMajority({ timeoutMs: settings.retryMs * 2 })
    const reply = await data.update(this.#key, modify, { consistency })
    return reply.type === 'UpdateSuccess'
  }

  #written(homes: readonly HomesToStore[], isDone: boolean): void {
    this.#isWriting = false
    const now = this.#now()
    if (isDone) {
      for (const { shard, home } of homes) {
        this.#perform(this.#coordinator?.persisted(shard, home, now))
      }
      this.#write()
      return
    }
    // A write that timed out may be on a majority or not: writing it again settles it.
    for (const each of homes) {
      if (!this.#unwritten.has(each.shard)) this.#unwritten.set(each.shard, each)
    }
    const { retryMs } = this.#parts.settings
    this.#context.timers.startSingleTimer('write', { type: 'Write' }, retryMs)
  }

  #now(): number {
    return this.#context.system.platform.clock.monotonicMs()
  }
}

/** How long a new coordinator waits for regions that do not register, in retries. */
const OPEN_AFTER_RETRIES = 3
/** How long removals are remembered; a coordinator that begins later takes the margin from then on. */
const REMOVALS_KEPT_MS = 600_000
