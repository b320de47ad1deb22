import {
  type ActorContext,
  type ActorRef,
  type Behavior,
  Behaviors,
  type Signal,
} from '@troupe/actor'
import type { Cluster, ClusterEvent, ClusterState, UniqueAddress } from '@troupe/cluster'
import { EntityHost } from './entity-host.ts'
import { EnvelopeRouter } from './envelope-router.ts'
import type { EntityType } from './entity-type.ts'
import { hasSuccessor, isMember, oldestHost } from './hosting-members.ts'
import { isInMinority } from './isolation.ts'
import type { ShardingLinks } from './links.ts'
import type { CoordinatorMessage, RegionEffect } from './messages.ts'
import type { RegionActorMessage as Message, RegionCommand } from './region-command.ts'
import { Region } from './region.ts'
import type { ShardingSettings } from './settings.ts'
import type { ShardId } from './shard-id.ts'
import type { ShardRegionState } from './shard-region-state.ts'

export interface RegionParts<M> {
  readonly type: EntityType<M>
  readonly cluster: Cluster
  readonly links: ShardingLinks
  readonly settings: ShardingSettings
  readonly role: string | undefined
  /** False: this node routes to entities but hosts none. */
  readonly isHosting: boolean
}

/**
 * The entities of one type on one node, and the way to those on others.
 *
 * Gives the region machine its messages and does what it says: starts and stops entities, talks to the
 * coordinator until it is answered, follows the cluster, hands everything over when the node leaves.
 *
 * Unregistered → registered, with each coordinator anew; hosting → isolated → hosting, when the node
 * finds itself in the minority; closed in the end, when it is no member any more.
 */
export class ShardRegion<M> {
  readonly #parts: RegionParts<M>
  readonly #region: Region
  readonly #router: EnvelopeRouter
  #entities: EntityHost<M> | undefined
  #self: ActorRef<Message> | undefined
  #coordinator: UniqueAddress | undefined
  #isRegistered = false
  #unanswered = 0
  #retries = 0
  #isIsolated = false
  #handOver: ActorRef<'Done'> | undefined
  /** No more shards come: the coordinator knows that we leave, or we do not wait for it. */
  #mayGo = false

  constructor(parts: RegionParts<M>) {
    const { cluster, settings, isHosting } = parts
    const { shards, bufferMax } = settings
    this.#parts = parts
    this.#region = new Region({ self: cluster.self, shards, isHosting })
    this.#router = new EnvelopeRouter(
      { region: this.#region, links: parts.links, shards, bufferMax },
      (route) => this.#self?.tell(route),
    )
  }

  /** Starts the actor. Messages can be routed from now on. */
  start(): ActorRef<RegionCommand> {
    const { cluster, type } = this.#parts
    const actor = cluster.system.systemActorOf(this.#behavior(), `sharding-${type.name}`)
    this.#self = actor
    return actor
  }

  get state(): ShardRegionState {
    return {
      entities: this.#entities?.size ?? 0,
      shards: this.#region.hostedShards,
      keptMessages: this.#router.keptMessages,
      coordinator: this.#coordinator,
      isRegistered: this.#isRegistered,
    }
  }

  /** Sends a message on its way to an entity. */
  route(entityId: string, message: unknown): void {
    this.#router.route(entityId, message)
  }

  // ---- the actor ----

  #behavior(): Behavior<Message> {
    return Behaviors.setup((context) => {
      this.#started(context)
      return Behaviors.receive(
        (message) => {
          this.#handle(context, message)
          return Behaviors.same
        },
        (signal) => {
          this.#signal(signal)
          return Behaviors.same
        },
      )
    })
  }

  #started(context: ActorContext<Message>): void {
    const { type, cluster, settings, links } = this.#parts
    const { self, timers } = context
    this.#entities = new EntityHost(type, context, settings.handOffTimeoutMs)
    this.#router.open(this.#entities)
    links.onTraffic((from, traffic) => {
      const { type, shard } = traffic
      if (type === 'Envelope') this.#router.arrived(from, traffic)
      else if (type === 'Drained') self.tell({ type, by: from, shard })
      else self.tell({ type, node: from, shard })
    })
    links.onCoordinatorMessage((from, message) =>
      self.tell({ type: 'FromCoordinator', from, message }),
    )
    cluster.subscribe(context.messageAdapter<ClusterEvent>((event) => ({ type: 'Cluster', event })))
    timers.startTimerWithFixedDelay('retry', { type: 'RetryTick' }, settings.retryMs)
    if (settings.passivateAfterMs > 0) {
      const everyMs = settings.passivateAfterMs / IDLE_CHECKS
      timers.startTimerWithFixedDelay('idle', { type: 'IdleTick' }, everyMs)
    }
  }

  #handle(context: ActorContext<Message>, message: Message): void {
    switch (message.type) {
      case 'Route':
        this.#perform(this.#router.routed(message))
        return
      case 'Drained':
        this.#perform(this.#region.drained(message.by, message.shard))
        return
      case 'NotHere':
        this.#region.notHere(message.node, message.shard)
        return
      case 'FromCoordinator':
        this.#fromCoordinator(context, message.from, message.message)
        return
      case 'Passivate':
        this.#entities?.passivate(message)
        return
      case 'Cluster':
        this.#clusterEvent(context, message.event)
        return
      case 'RetryTick':
        this.#retry(context)
        return
      case 'IdleTick':
        this.#entities?.endIdle(IDLE_CHECKS)
        return
      case 'Isolated':
        context.log.warn(
          { entityType: this.#parts.type.name },
          'in the minority for too long; entities end until the others are back',
        )
        this.#perform(this.#region.pauseHosting())
        return
      case 'HandOverAll':
        this.#handOverAll(context, message.replyTo)
        return
      case 'HandOverTimeout':
        this.#endHandOver()
        return
      default:
        return message satisfies never
    }
  }

  #signal(signal: Signal): void {
    if (signal.type === 'PostStop') this.#stopped()
    if (signal.type !== 'Terminated' && signal.type !== 'ChildFailed') return
    const ended = this.#entities?.ended(signal.ref)
    if (ended === undefined) return
    const { shard, waiting } = ended
    if (!this.#router.isClosed && this.#region.isStopping(shard)) {
      this.#region.keepInFront(shard, waiting)
      this.#shardStoppedIfEmpty(shard)
    } else {
      for (const each of waiting) this.#perform(this.#router.dispatch(each, undefined))
    }
  }

  #stopped(): void {
    const { system } = this.#parts.cluster
    this.#close(REGION_STOPPED)
    if (system.coordinatedShutdown.reason !== undefined) return
    // Without its region the node is of no use, but its shards would stay here as long as it is a member.
    system.log.error({ entityType: this.#parts.type.name }, 'shard region failed; the node leaves')
    void system.terminate('a shard region failed')
  }

  // ---- effects of the region machine ----

  #perform(effects: readonly RegionEffect[]): void {
    const { links } = this.#parts
    for (const effect of effects) {
      switch (effect.type) {
        case 'ToCoordinator':
          if (this.#coordinator !== undefined) {
            links.toCoordinator(this.#coordinator, effect.message)
          }
          break
        case 'TellDrained':
          links.toPeer(effect.to, { type: 'Drained', shard: effect.shard })
          break
        case 'TellNotHere':
          links.toPeer(effect.to, { type: 'NotHere', shard: effect.shard })
          break
        case 'Deliver':
          this.#router.deliver(effect.envelope)
          break
        case 'Forward':
          links.toPeer(effect.to, { type: 'Envelope', ...effect.envelope })
          break
        case 'StopEntities':
          this.#entities?.endShard(effect.shard, effect.isHard)
          this.#shardStoppedIfEmpty(effect.shard)
          break
        default:
          effect satisfies never
      }
    }
  }

  #shardStoppedIfEmpty(shard: ShardId): void {
    if (this.#entities?.hasShard(shard) === true) return
    this.#perform(this.#region.shardStopped(shard))
    this.#finishHandOver()
  }

  // ---- the coordinator ----

  #fromCoordinator(
    context: ActorContext<Message>,
    from: UniqueAddress,
    message: CoordinatorMessage,
  ): void {
    if (this.#router.isClosed || from.uid !== this.#coordinator?.uid) return
    if (message.type === 'RegisterAck') {
      this.#isRegistered = true
      this.#unanswered = 0
      if (this.#handOver !== undefined) this.#perform([LEAVING])
    } else if (message.type === 'Refused') {
      const fields = { shards: this.#parts.settings.shards, coordinatorShards: message.shards }
      context.log.error(fields, 'all nodes must have the same number of shards')
      this.#close(WRONG_SHARDS)
      return
    } else if (message.type === 'LeavingAck') {
      this.#mayGo = true
      this.#finishHandOver()
      return
    } else if (message.type === 'NobodyTakesOver') {
      if (this.#handOver !== undefined) this.#endHandOver()
      return
    }
    // The coordinator may not have heard yet that a node is gone. Then we ask again.
    const isGone = message.type === 'Home' && !isMember(this.#cluster, message.home.node)
    if (!isGone) this.#perform(this.#region.receive(message))
  }

  #retry(context: ActorContext<Message>): void {
    this.#entities?.stopOverdue()
    if (this.#router.isClosed) return
    if (!this.#isRegistered) {
      this.#register()
      if (++this.#unanswered % UNANSWERED_WARN === 0) this.#warnUnanswered(context)
      return
    }
    // Now and then all over again: whatever was lost between us and the coordinator comes to light.
    if (++this.#retries % REGISTER_EVERY === 0) this.#register()
    if (this.#handOver !== undefined) this.#perform([LEAVING])
    this.#perform(this.#region.retry())
  }

  #register(): void {
    this.#perform([{ type: 'ToCoordinator', message: this.#region.register() }])
  }

  #warnUnanswered(context: ActorContext<Message>): void {
    context.log.warn(
      { entityType: this.#parts.type.name, coordinator: this.#coordinator?.address },
      'no coordinator answers; is the entity type started on all nodes that may host it',
    )
  }

  // ---- the cluster ----

  get #cluster(): ClusterState {
    return this.#parts.cluster.state
  }

  get #hasSuccessor(): boolean {
    const { role, cluster } = this.#parts
    return hasSuccessor(cluster.state, role, cluster.self)
  }

  #clusterEvent(context: ActorContext<Message>, event: ClusterEvent): void {
    if (event.type === 'ClusterShuttingDown') {
      // Others may start our entities soon: ours end now, whatever they are doing.
      this.#close(NODE_LEFT)
      return
    }
    if (this.#router.isClosed) return
    if (event.type === 'MemberRemoved') this.#region.nodeRemoved(event.member.node)
    const oldest = oldestHost(this.#cluster, this.#parts.role)
    if (oldest?.uid !== this.#coordinator?.uid) {
      this.#coordinator = oldest
      this.#isRegistered = false
      this.#register()
    }
    this.#watchIsolation(context, isInMinority(this.#cluster))
    if (this.#handOver !== undefined && !this.#hasSuccessor) this.#endHandOver()
  }

  /**
   * The others give our shards to somebody else when they have seen us unreachable for `stableAfterMs`
   * and waited as long again. Half way between the two we stop, even if nobody could tell us.
   */
  #watchIsolation(context: ActorContext<Message>, isIsolated: boolean): void {
    const { timers } = context
    if (isIsolated) {
      if (this.#isIsolated) return
      this.#isIsolated = true
      const delayMs = this.#parts.cluster.settings.stableAfterMs * ISOLATION_FACTOR
      timers.startSingleTimer('isolated', { type: 'Isolated' }, delayMs)
    } else if (this.#isIsolated) {
      this.#isIsolated = false
      timers.cancel('isolated')
      this.#region.resumeHosting()
      this.#register()
    }
  }

  #close(reason: string): void {
    this.#router.close(reason)
    this.#finishHandOver()
  }

  // ---- leaving ----

  #handOverAll(context: ActorContext<Message>, replyTo: ActorRef<'Done'>): void {
    this.#handOver = replyTo
    this.#region.leave()
    if (!this.#hasSuccessor) {
      this.#endHandOver()
      return
    }
    const { leaveTimeoutMs } = this.#parts.settings
    context.timers.startSingleTimer('hand-over', { type: 'HandOverTimeout' }, leaveTimeoutMs)
    this.#perform([LEAVING])
    this.#finishHandOver()
  }

  /** Nobody takes our shards, or not in time. */
  #endHandOver(): void {
    this.#mayGo = true
    this.#perform(this.#region.endHosting())
    this.#finishHandOver()
  }

  #finishHandOver(): void {
    const isEmpty = this.#mayGo && this.#region.hostedShards.length === 0
    const isOver = this.#router.isClosed || isEmpty
    const handOver = this.#handOver
    if (handOver === undefined || !isOver) return
    this.#handOver = undefined
    // From here on this node only sends; it may do so until it has left.
    this.#perform(this.#region.endHosting())
    handOver.tell('Done')
  }
}

const LEAVING: RegionEffect = { type: 'ToCoordinator', message: { type: 'Leaving' } }
/** An entity is idle after this many checks without a message; more checks, more exact. */
const IDLE_CHECKS = 4
/** Registrations without an answer before that is worth a warning. */
const UNANSWERED_WARN = 10
/** Retries between two registrations with the same coordinator. */
const REGISTER_EVERY = 10
const ISOLATION_FACTOR = 1.5

const REGION_STOPPED = 'ShardRegionStopped'
const NODE_LEFT = 'NodeLeftCluster'
const WRONG_SHARDS = 'ShardCountDiffers'
