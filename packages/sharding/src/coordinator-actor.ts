import { type ActorContext, type Behavior, Behaviors } from '@troupe/actor'
import type { Cluster, ClusterEvent, Member, UniqueAddress } from '@troupe/cluster'
import { byAge, sameNode } from '@troupe/cluster/spi'
import { type DistributedData, LWWMapKey, readMajority, writeMajority } from '@troupe/replicator'
import { Coordinator, type CoordinatorEffect, type ShardHome } from './coordinator.ts'
import { readStoredHome, type ShardingProtocols, storedHome } from './protocol.ts'
import type { RegionMessage } from './region.ts'
import type { ShardingSettings } from './settings.ts'
import type { ShardId } from './shard-id.ts'

type Message =
  | { readonly type: 'FromRegion'; readonly from: UniqueAddress; readonly message: RegionMessage }
  | { readonly type: 'Cluster'; readonly event: ClusterEvent }
  | { readonly type: 'Loaded'; readonly stored: StoredHomes | undefined }
  | {
      readonly type: 'Persisted'
      readonly shard: ShardId
      readonly home: ShardHome | undefined
      readonly epoch: number
      readonly isDone: boolean
    }
  | { readonly type: 'Load' }
  | { readonly type: 'Tick' }
  | { readonly type: 'RebalanceTick' }

type StoredHomes = ReadonlyMap<
  ShardId,
  { readonly home: ShardHome | undefined; readonly epoch: number }
>

export interface CoordinatorParts {
  readonly typeName: string
  readonly cluster: Cluster
  readonly data: DistributedData
  readonly settings: ShardingSettings
  readonly protocols: ShardingProtocols
  readonly role: string | undefined
}

/**
 * Runs on every node and does nothing until this node is the oldest: then it loads what its
 * predecessors have stored and becomes the coordinator. The oldest stays the oldest until it is
 * removed, so there is no way back but the end of the node.
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
  readonly #key: ReturnType<typeof LWWMapKey.create<string, readonly unknown[]>>
  readonly #members = new Map<string, Member>()
  /** When the entities of removed nodes have certainly stopped. */
  readonly #stoppedAt = new Map<string, number>()
  #coordinator: Coordinator | undefined
  #isLoading = false

  constructor(context: ActorContext<Message>, parts: CoordinatorParts) {
    this.#context = context
    this.#parts = parts
    this.#key = LWWMapKey.create<string, readonly unknown[]>(`sharding|${parts.typeName}`)
  }

  start(): void {
    const { cluster, protocols, settings } = this.#parts
    const { self, timers } = this.#context
    cluster.remoting.register(protocols.toCoordinator, (from, message) =>
      self.tell({ type: 'FromRegion', from, message }),
    )
    cluster.subscribe(
      this.#context.messageAdapter<ClusterEvent>((event) => ({ type: 'Cluster', event })),
    )
    timers.startTimerWithFixedDelay('tick', { type: 'Tick' }, settings.retryMs)
    timers.startTimerWithFixedDelay('rebalance', { type: 'RebalanceTick' }, settings.rebalanceMs)
  }

  handle(message: Message): void {
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
      case 'Persisted':
        this.#persisted(message)
        return
      case 'Tick':
        this.#perform(this.#coordinator?.tick(this.#now()))
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
    switch (event.type) {
      case 'CurrentClusterState':
        for (const member of event.members) this.#members.set(member.node.uid, member)
        break
      case 'MemberRemoved':
        this.#removed(event)
        break
      case 'MemberJoined':
      case 'MemberUp':
      case 'MemberLeft':
      case 'MemberExited':
      case 'MemberDowned':
        this.#members.set(event.member.node.uid, event.member)
        break
      default:
        return
    }
    const { role, cluster } = this.#parts
    const oldest = byAge(this.#members.values()).find(
      (member) => role === undefined || member.roles.includes(role),
    )
    const isOurs = oldest !== undefined && sameNode(oldest.node, cluster.self)
    if (isOurs && this.#coordinator === undefined && !this.#isLoading) this.#load()
  }

  #removed(event: ClusterEvent & { readonly type: 'MemberRemoved' }): void {
    const { node } = event.member
    this.#members.delete(node.uid)
    // One that was replaced has ended. Any other may still run on its side of a split; it stops by
    // the same rule as we, at about the same time, and gets that time once more. One that left in
    // order has handed over all its shards before, so for it the margin costs nothing.
    const stoppedAt = this.#now() + (event.isReplaced ? 0 : this.#marginMs())
    this.#stoppedAt.set(node.uid, stoppedAt)
    this.#perform(this.#coordinator?.removed(node, stoppedAt, this.#now()))
  }

  #marginMs(): number {
    return this.#parts.cluster.settings.stableAfterMs
  }

  #load(): void {
    this.#isLoading = true
    const { data, settings } = this.#parts
    const reading = data.get(this.#key, { consistency: readMajority({ timeoutMs: settings.retryMs }) })
    this.#context.pipeToSelf(
      reading,
      (reply) => ({
        type: 'Loaded',
        stored:
          reply.type === 'GetSuccess'
            ? homesOf(reply.value.entries())
            : reply.type === 'NotFound'
              ? new Map()
              : undefined,
      }),
      () => ({ type: 'Loaded', stored: undefined }),
    )
  }

  #loaded(stored: StoredHomes | undefined): void {
    if (stored === undefined) {
      // Without a majority nobody may decide where shards live.
      this.#context.timers.startSingleTimer('load', { type: 'Load' }, this.#parts.settings.retryMs)
      return
    }
    const { settings, typeName } = this.#parts
    const coordinator = new Coordinator(stored, settings)
    this.#coordinator = coordinator
    this.#context.log.info({ entityType: typeName, homes: stored.size }, 'coordinating shards')
    const now = this.#now()
    const gone = coordinator.homesWithout((node) => this.#members.has(node.uid))
    for (const node of gone) {
      const stoppedAt = this.#stoppedAt.get(node.uid) ?? now + this.#marginMs()
      this.#perform(coordinator.removed(node, stoppedAt, now))
    }
  }

  // ---- regions ----

  #fromRegion(from: UniqueAddress, message: RegionMessage): void {
    const coordinator = this.#coordinator
    if (coordinator === undefined || !this.#members.has(from.uid)) return
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

  #perform(effects: readonly CoordinatorEffect[] = []): void {
    const { cluster, protocols } = this.#parts
    for (const effect of effects) {
      switch (effect.type) {
        case 'Send':
          cluster.remoting.post(effect.to, protocols.toRegion, effect.message)
          break
        case 'Persist':
          this.#persist(effect.shard, effect.home, effect.epoch)
          break
        case 'Log':
          this.#context.log.warn(effect.fields, effect.phrase)
          break
        default:
          effect satisfies never
      }
    }
  }

  // ---- storing ----

  #persist(shard: ShardId, home: ShardHome | undefined, epoch: number): void {
    const { data, settings } = this.#parts
    const done = (isDone: boolean): Message => ({ type: 'Persisted', shard, home, epoch, isDone })
    this.#context.pipeToSelf(
      data.update(this.#key, (homes) => homes.put(String(shard), storedHome(home, epoch)), {
        consistency: writeMajority({ timeoutMs: settings.retryMs * 2 }),
      }),
      (reply) => done(reply.type === 'UpdateSuccess'),
      () => done(false),
    )
  }

  #persisted({ shard, home, epoch, isDone }: Message & { readonly type: 'Persisted' }): void {
    if (isDone) this.#perform(this.#coordinator?.persisted(shard, home, this.#now()))
    // A write that timed out may be on a majority or not: writing it again settles it.
    else this.#persist(shard, home, epoch)
  }

  #now(): number {
    return this.#context.system.platform.clock.monotonicMs()
  }
}

function homesOf(entries: Iterable<readonly [string, readonly unknown[]]>): StoredHomes {
  const homes = new Map<ShardId, { readonly home: ShardHome | undefined; readonly epoch: number }>()
  for (const [shard, stored] of entries) {
    const home = readStoredHome(stored)
    if (home !== undefined) homes.set(Number(shard), home)
  }
  return homes
}
