import type { ActorRef, ActorSystem, Extension } from '@troupe/actor'
import { Cluster } from '@troupe/cluster'
import { DistributedData } from '@troupe/replicator'
import { coordinatorActor } from './coordinator-actor.ts'
import { EntityRef } from './entity-ref.ts'
import type { EntityType } from './entity-type.ts'
import { ShardingError } from './errors.ts'
import { ShardingLinks } from './links.ts'
import { shardingProtocols } from './protocol.ts'
import { ShardRegion } from './region-actor.ts'
import type { RegionCommand } from './region-command.ts'
import { type ShardingSettings, shardingSettings } from './settings.ts'
import type { ShardRegionState } from './shard-region-state.ts'

export interface StartOptions {
  readonly settings?: Partial<ShardingSettings>
  /** Entities live on nodes with this role only; others just send to them. Default: on every node. */
  readonly role?: string
}

/** The entities of one type, as seen from this node. */
export interface Shards<in M> {
  readonly typeName: string
  /** A handle to the entity `entityId`; nothing is started before it gets a message. */
  entityRef(entityId: string): EntityRef<M>
  /** What this node knows and has: for dashboards and tests. */
  readonly state: ShardRegionState
}

/** Entities by id, each running on one node of the cluster at a time. One per system. */
export class ClusterSharding {
  readonly #cluster: Cluster
  readonly #started = new Map<
    string,
    { readonly type: EntityType<never>; readonly shards: Shards<never> }
  >()

  private constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  static get(system: ActorSystem): ClusterSharding {
    return system.extension(shardingExtension)
  }

  /** For the extension: the sharding of a system whose cluster has been started. */
  static create(system: ActorSystem): ClusterSharding {
    return new ClusterSharding(Cluster.get(system))
  }

  /**
   * Takes part in hosting (or, without the role, in sending to) the entities of `type`. Every node
   * that does either calls it with the same settings. Starting a type twice returns the first start.
   */
  start<M>(type: EntityType<M>, options: StartOptions = {}): Shards<M> {
    const known = this.#started.get(type.name)
    if (known !== undefined) {
      if (known.type === type) return known.shards as Shards<M>
      throw new ShardingError(
        'ENTITY_TYPE_STARTED_OTHERWISE',
        `another entity type is started under the name ${type.name}; give one of the two another name`,
      )
    }
    const shards = this.#startRegion(type, options)
    this.#started.set(type.name, { type, shards })
    return shards
  }

  /** The entity `entityId` of a type that was started on this node before. */
  entityRef<M>(type: EntityType<M>, entityId: string): EntityRef<M> {
    const started = this.#started.get(type.name)
    if (started !== undefined) return (started.shards as Shards<M>).entityRef(entityId)
    throw new ShardingError(
      'ENTITY_TYPE_NOT_STARTED',
      `entity type ${type.name} is not started on this node; call ClusterSharding.get(system).start(type) first`,
    )
  }

  #startRegion<M>(type: EntityType<M>, { role, settings: overrides }: StartOptions): Shards<M> {
    const cluster = this.#cluster
    const { system } = cluster
    const settings = shardingSettings(overrides)
    const isHosting = role === undefined || cluster.settings.roles.includes(role)
    const links = new ShardingLinks(
      cluster,
      type.name,
      shardingProtocols(type.name, settings.shards),
    )
    // Also a node that hosts nothing keeps what the coordinator stores: every member counts in a majority.
    const data = DistributedData.get(system)
    if (isHosting) {
      system.systemActorOf(
        coordinatorActor({ typeName: type.name, cluster, data, links, settings, role }),
        `sharding-coordinator-${type.name}`,
      )
    }
    const region = new ShardRegion<M>({ type, cluster, links, settings, role, isHosting })
    const actor = region.start()
    if (isHosting) leaveInOrder(system, type.name, actor, settings.leaveTimeoutMs)
    return {
      typeName: type.name,
      entityRef: (entityId) =>
        new EntityRef(system, type.name, entityId, (id, message) => region.route(id, message)),
      get state() {
        return region.state
      },
    }
  }
}

/** Has a node that goes down in order move its shards away, before it leaves the cluster. */
function leaveInOrder(
  system: ActorSystem,
  typeName: string,
  region: ActorRef<RegionCommand>,
  leaveTimeoutMs: number,
): void {
  const timeoutMs = leaveTimeoutMs + STOP_MS
  const { coordinatedShutdown } = system
  coordinatedShutdown.phaseTimeout(PHASE, timeoutMs)
  coordinatedShutdown.addTask(PHASE, `hand over ${typeName}`, async () => {
    await region.ask<'Done'>((replyTo) => ({ type: 'HandOverAll', replyTo }), { timeoutMs })
  })
}

const shardingExtension: Extension<ClusterSharding> = {
  name: 'sharding',
  create: (system) => ClusterSharding.create(system),
}

const PHASE = 'cluster-sharding-shutdown-region'
/** What entities get to stop in once the time to hand over is up. */
const STOP_MS = 1_000
