import {
  type ActorContext,
  type ActorRef,
  type Behavior,
  Behaviors,
  type Signal,
} from '@troupe/actor'
import { nameFor, stopAfterMailbox } from '@troupe/actor/spi'
import type { Cluster, ClusterEvent, Member, UniqueAddress } from '@troupe/cluster'
import { byAge, DeadRef } from '@troupe/cluster/spi'
import type { CoordinatorMessage } from './coordinator.ts'
import { Entities, type Entity } from './entities.ts'
import type { EntityType } from './entity-type.ts'
import type { RegionTraffic, ShardingProtocols } from './protocol.ts'
import { type Envelope, Region, type RegionEffect, type RegionMessage } from './region.ts'
import type { ShardingSettings } from './settings.ts'
import { shardOf, type ShardId } from './shard-id.ts'

export type RegionCommand =
  /** A message for an entity that cannot be handed on directly. */
  | { readonly type: 'Route'; readonly envelope: Envelope; readonly isFromPeer: boolean }
  | { readonly type: 'Drained'; readonly by: UniqueAddress; readonly shard: ShardId }
  | {
      readonly type: 'FromCoordinator'
      readonly from: UniqueAddress
      readonly message: CoordinatorMessage
    }
  | { readonly type: 'Passivate'; readonly entityId: string; readonly ref: ActorRef<never> }
  /** Hand over all shards; answered when none is left. */
  | { readonly type: 'HandOverAll'; readonly replyTo: ActorRef<'Done'> }
  | { readonly type: 'Cluster'; readonly event: ClusterEvent }
  | { readonly type: 'RetryTick' }
  | { readonly type: 'IdleTick' }

export interface RegionParts {
  readonly cluster: Cluster
  readonly settings: ShardingSettings
  readonly protocols: ShardingProtocols
  readonly role: string | undefined
  /** False: this node routes to entities but hosts none. */
  readonly isHosting: boolean
}

/**
 * The entities of one type on one node, and the way to those on others.
 *
 * `route` is what an entity ref calls: a message for a running entity, or for a shard whose home is
 * known, goes there at once, without passing the region's mailbox. Everything else becomes a command.
 * As long as commands for a shard are waiting, later messages for it queue up behind them: order holds.
 */
export class ShardRegion<M> {
  readonly #type: EntityType<M>
  readonly #parts: RegionParts
  readonly #region: Region
  readonly #entities = new Entities()
  /** Commands waiting in the mailbox, by shard. */
  readonly #queued: Int32Array
  readonly #members = new Map<string, Member>()
  readonly #stopping = new Map<ShardId, Set<Entity>>()
  #self: ActorRef<RegionCommand> | undefined
  #coordinator: UniqueAddress | undefined
  #isRegistered = false
  #isClosed = false
  #handOver: ActorRef<'Done'> | undefined

  constructor(type: EntityType<M>, parts: RegionParts) {
    this.#type = type
    this.#parts = parts
    this.#region = new Region(parts.cluster.self, parts.settings.bufferMax)
    this.#queued = new Int32Array(parts.settings.shards)
  }

  get entityCount(): number {
    return this.#entities.size
  }

  get hostedShards(): readonly ShardId[] {
    return this.#region.hostedShards
  }

  get keptMessages(): number {
    return this.#region.keptCount
  }

  get coordinator(): UniqueAddress | undefined {
    return this.#coordinator
  }

  behavior(): Behavior<RegionCommand> {
    return Behaviors.setup((context) => {
      this.#start(context)
      return Behaviors.receive(
        (message) => {
          this.#handle(context, message)
          return Behaviors.same
        },
        (signal) => {
          this.#signal(context, signal)
          return Behaviors.same
        },
      )
    })
  }

  // ---- the way of a message ----

  /** From an entity ref of this node. */
  route(entityId: string, message: unknown): void {
    const shard = shardOf(entityId, this.#parts.settings.shards)
    const where = this.#queued[shard] === 0 ? this.#region.destination(shard) : 'Keep'
    if (where === 'Here') {
      const entity = this.#entities.get(entityId)
      if (entity !== undefined && entity.waiting === undefined) {
        this.#entities.used(entity)
        entity.ref.tell(message)
        return
      }
    } else if (where !== 'Keep') {
      this.#forward(where, { shard, entityId, message })
      return
    }
    this.#enqueue({ shard, entityId, message }, false)
  }

  /** From the region of another node. */
  #arrived(from: UniqueAddress, traffic: RegionTraffic): void {
    if (traffic.type === 'Drained') {
      this.#self?.tell({ type: 'Drained', by: from, shard: traffic.shard })
      return
    }
    const { shard, entityId, message } = traffic
    const entity = this.#queued[shard] === 0 ? this.#entities.get(entityId) : undefined
    const isHere = this.#region.destination(shard) === 'Here'
    if (isHere && entity !== undefined && entity.waiting === undefined) {
      this.#entities.used(entity)
      entity.ref.tell(message)
    } else this.#enqueue({ shard, entityId, message }, true)
  }

  #enqueue(envelope: Envelope, isFromPeer: boolean): void {
    if (this.#isClosed || this.#self === undefined) {
      this.#drop(envelope, 'ShardRegionStopped')
      return
    }
    this.#queued[envelope.shard] = (this.#queued[envelope.shard] ?? 0) + 1
    this.#self.tell({ type: 'Route', envelope, isFromPeer })
  }

  #forward(to: UniqueAddress, envelope: Envelope): void {
    this.#parts.cluster.remoting.post(to, this.#parts.protocols.envelopes, {
      type: 'Envelope',
      ...envelope,
    })
  }

  #drop({ entityId, message }: Envelope, reason: string): void {
    const { system } = this.#parts.cluster
    const recipient = new DeadRef(system, `entity://${this.#type.name}/${entityId}`)
    system.deadLetters.drop(message, recipient, reason)
  }

  // ---- the actor ----

  #start(context: ActorContext<RegionCommand>): void {
    const { cluster, settings, protocols } = this.#parts
    const { self } = context
    this.#self = self
    cluster.remoting.register(protocols.envelopes, (from, traffic) => this.#arrived(from, traffic))
    cluster.remoting.register(protocols.toRegion, (from, message) =>
      self.tell({ type: 'FromCoordinator', from, message }),
    )
    cluster.subscribe(
      context.messageAdapter<ClusterEvent>((event) => ({ type: 'Cluster', event })),
    )
    context.timers.startTimerWithFixedDelay('retry', { type: 'RetryTick' }, settings.retryMs)
    if (settings.passivateAfterMs > 0) {
      const everyMs = settings.passivateAfterMs / IDLE_CHECKS
      context.timers.startTimerWithFixedDelay('idle', { type: 'IdleTick' }, everyMs)
    }
  }

  #handle(context: ActorContext<RegionCommand>, message: RegionCommand): void {
    switch (message.type) {
      case 'Route':
        this.#queued[message.envelope.shard] = (this.#queued[message.envelope.shard] ?? 1) - 1
        this.#dispatch(context, message.envelope, message.isFromPeer)
        return
      case 'Drained':
        this.#perform(context, this.#region.drained(message.by, message.shard))
        return
      case 'FromCoordinator':
        this.#fromCoordinator(context, message.from, message.message)
        return
      case 'Passivate': {
        const entity = this.#entities.get(message.entityId)
        if (entity?.ref.equals(message.ref) === true) this.#endAfterMailbox(entity)
        return
      }
      case 'HandOverAll':
        this.#handOver = message.replyTo
        this.#continueHandOver()
        return
      case 'Cluster':
        this.#clusterEvent(context, message.event)
        return
      case 'RetryTick':
        this.#retry(context)
        return
      case 'IdleTick':
        for (const entity of this.#entities.idleFor(IDLE_CHECKS)) this.#endAfterMailbox(entity)
        return
      default:
        return message satisfies never
    }
  }

  #dispatch(context: ActorContext<RegionCommand>, envelope: Envelope, isFromPeer: boolean): void {
    const where = this.#region.destination(envelope.shard)
    if (where === 'Here') this.#deliver(context, envelope)
    // One node sent it here because it believes the shard is here. Sending it on by what we believe
    // could go round in circles; the coordinator knows.
    else if (where !== 'Keep' && !isFromPeer) this.#forward(where, envelope)
    else {
      const effects = this.#region.keep(envelope)
      if (effects === undefined) this.#drop(envelope, 'ShardBufferFull')
      else this.#perform(context, effects)
    }
  }

  #deliver(context: ActorContext<RegionCommand>, envelope: Envelope): void {
    let entity = this.#entities.get(envelope.entityId)
    if (entity?.waiting !== undefined) {
      entity.waiting.push(envelope)
      return
    }
    entity ??= this.#startEntity(context, envelope)
    this.#entities.used(entity)
    entity.ref.tell(envelope.message)
  }

  #startEntity(context: ActorContext<RegionCommand>, { entityId, shard }: Envelope): Entity {
    const epoch = this.#region.epochOf(shard) ?? 0
    const region = context.self
    const behavior = Behaviors.setup<M>((entity) =>
      this.#type.behavior({
        entityId,
        shard,
        epoch,
        passivate: () => region.tell({ type: 'Passivate', entityId, ref: entity.self }),
      }),
    )
    const ref = context.spawn(behavior, nameFor(entityId)) as ActorRef<unknown>
    context.watch(ref)
    return this.#entities.started(entityId, shard, ref)
  }

  #endAfterMailbox(entity: Entity): void {
    if (entity.waiting !== undefined) return
    entity.waiting = []
    stopAfterMailbox(entity.ref)
  }

  #signal(context: ActorContext<RegionCommand>, signal: Signal): void {
    if (signal.type === 'PostStop') this.#close('ShardRegionStopped')
    if (signal.type !== 'Terminated' && signal.type !== 'ChildFailed') return
    const entity = this.#entities.ended(signal.ref.path)
    if (entity === undefined) return
    const stopping = this.#stopping.get(entity.shard)
    if (stopping !== undefined) {
      this.#region.keepInFront(entity.shard, entity.waiting ?? [])
      stopping.delete(entity)
      this.#shardStoppedIfEmpty(context, entity.shard, stopping)
      return
    }
    for (const envelope of entity.waiting ?? []) this.#dispatch(context, envelope, false)
  }

  // ---- effects of the region machine ----

  #perform(context: ActorContext<RegionCommand>, effects: readonly RegionEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'ToCoordinator':
          this.#tellCoordinator(effect.message)
          break
        case 'TellDrained':
          this.#parts.cluster.remoting.post(effect.to, this.#parts.protocols.envelopes, {
            type: 'Drained',
            shard: effect.shard,
          })
          break
        case 'Deliver':
          this.#deliver(context, effect.envelope)
          break
        case 'Forward':
          this.#forward(effect.to, effect.envelope)
          break
        case 'StopEntities':
          this.#stopEntities(context, effect.shard)
          break
        case 'ShardStarted':
          context.log.debug({ shard: effect.shard, epoch: effect.epoch }, 'shard started')
          break
        default:
          effect satisfies never
      }
    }
  }

  #stopEntities(context: ActorContext<RegionCommand>, shard: ShardId): void {
    const stopping = new Set(this.#entities.ofShard(shard))
    this.#stopping.set(shard, stopping)
    for (const entity of stopping) this.#endAfterMailbox(entity)
    this.#shardStoppedIfEmpty(context, shard, stopping)
  }

  #shardStoppedIfEmpty(
    context: ActorContext<RegionCommand>,
    shard: ShardId,
    stopping: ReadonlySet<Entity>,
  ): void {
    if (stopping.size > 0) return
    this.#stopping.delete(shard)
    context.log.debug({ shard }, 'shard stopped')
    this.#perform(context, this.#region.shardStopped(shard))
    this.#continueHandOver()
  }

  // ---- the coordinator ----

  #tellCoordinator(message: RegionMessage): void {
    if (this.#coordinator === undefined) return
    this.#parts.cluster.remoting.post(this.#coordinator, this.#parts.protocols.toCoordinator, message)
  }

  #fromCoordinator(
    context: ActorContext<RegionCommand>,
    from: UniqueAddress,
    message: CoordinatorMessage,
  ): void {
    if (this.#isClosed || from.uid !== this.#coordinator?.uid) return
    if (message.type === 'RegisterAck') {
      this.#isRegistered = true
      if (this.#handOver !== undefined) this.#tellCoordinator({ type: 'Leaving' })
    }
    this.#perform(context, this.#region.receive(message))
  }

  #retry(context: ActorContext<RegionCommand>): void {
    if (this.#isClosed) return
    if (!this.#isRegistered) {
      this.#register()
      return
    }
    if (this.#handOver !== undefined) this.#tellCoordinator({ type: 'Leaving' })
    this.#perform(context, this.#region.retry())
  }

  #register(): void {
    this.#tellCoordinator(this.#region.register(this.#parts.isHosting))
  }

  // ---- the cluster ----

  #clusterEvent(context: ActorContext<RegionCommand>, event: ClusterEvent): void {
    switch (event.type) {
      case 'CurrentClusterState':
        for (const member of event.members) this.#members.set(member.node.uid, member)
        break
      case 'MemberRemoved':
        this.#members.delete(event.member.node.uid)
        this.#region.nodeRemoved(event.member.node)
        break
      case 'MemberJoined':
      case 'MemberUp':
      case 'MemberLeft':
      case 'MemberExited':
      case 'MemberDowned':
        this.#members.set(event.member.node.uid, event.member)
        break
      case 'ClusterShuttingDown':
        // Others may start our entities soon: ours end now, whatever they are doing.
        this.#close('NodeLeftCluster')
        for (const child of context.children) context.stop(child)
        return
      default:
        return
    }
    const { role } = this.#parts
    const candidates = byAge(this.#members.values()).filter(
      (member) => role === undefined || member.roles.includes(role),
    )
    const oldest = candidates[0]?.node
    if (oldest?.uid === this.#coordinator?.uid) return
    this.#coordinator = oldest
    this.#isRegistered = false
    this.#register()
  }

  #close(reason: string): void {
    this.#isClosed = true
    for (const envelope of this.#region.takeAllKept()) this.#drop(envelope, reason)
  }

  // ---- leaving ----

  #continueHandOver(): void {
    if (this.#handOver === undefined) return
    if (this.#region.hostedShards.length > 0) {
      this.#tellCoordinator({ type: 'Leaving' })
      return
    }
    this.#handOver.tell('Done')
    this.#handOver = undefined
  }
}

/** An entity is idle after this many checks without a message; more checks, more exact. */
const IDLE_CHECKS = 4
