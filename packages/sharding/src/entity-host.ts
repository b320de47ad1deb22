import { type ActorContext, type ActorRef, Behaviors } from '@troupe/actor'
import { internal, nameFor, stopAfterMailbox } from '@troupe/actor/spi'
import { Entities, type Entity } from './entities.ts'
import type { EntityType } from './entity-type.ts'
import type { Envelope } from './messages.ts'
import type { ShardId } from './shard-id.ts'

/** A request of an entity to its region. */
export interface Passivate {
  readonly type: 'Passivate'
  readonly entityId: string
  readonly ref: ActorRef<never>
}

/**
 * Starts and ends the entities of a region as its children.
 *
 * An entity that has to end gets what it was told before, then the stop message or its end; what comes
 * meanwhile waits for the next entity of that id. So passivation loses and reorders nothing. Only an
 * entity that is late, or one that stops by itself, loses its mailbox, to dead letters.
 */
export class EntityHost<M> {
  readonly #type: EntityType<M>
  readonly #context: ActorContext<Passivate>
  readonly #entities = new Entities()
  readonly #endTimeoutMs: number

  /** `endTimeoutMs`: how long an entity may take to end. */
  constructor(type: EntityType<M>, context: ActorContext<Passivate>, endTimeoutMs: number) {
    this.#type = type
    this.#context = context
    this.#endTimeoutMs = endTimeoutMs
  }

  get size(): number {
    return this.#entities.size
  }

  get waitingCount(): number {
    return this.#entities.waitingCount
  }

  hasShard(shard: ShardId): boolean {
    return this.#entities.hasShard(shard)
  }

  /** Delivers at once when the entity runs; false when that is for `deliver` to do, in the region's turn. */
  deliverIfRunning(entityId: string, message: unknown): boolean {
    const entity = this.#entities.get(entityId)
    if (entity === undefined || entity.ending !== undefined) return false
    if (internal(entity.ref).isTerminated) return false
    this.#entities.used(entity)
    entity.ref.tell(message)
    return true
  }

  /** True when a message for `entityId` would have to be kept until an ending entity has ended. */
  mustWait(entityId: string): boolean {
    const entity = this.#entities.get(entityId)
    return entity !== undefined && (entity.ending !== undefined || this.#hasStopped(entity))
  }

  /** Delivers to the entity, starting it if need be. `epoch`: of its shard. */
  deliver(envelope: Envelope, epoch: number): void {
    const entity = this.#entities.get(envelope.entityId) ?? this.#start(envelope, epoch)
    // It has stopped by itself, and we have not been told yet.
    if (entity.ending === undefined && this.#hasStopped(entity))
      this.#entities.ends(entity, Infinity)
    if (entity.ending !== undefined) {
      this.#entities.wait(entity.ending, envelope)
      return
    }
    this.#entities.used(entity)
    entity.ref.tell(envelope.message)
  }

  #hasStopped(entity: Entity): boolean {
    return internal(entity.ref).isTerminated
  }

  #start({ entityId, shard }: Envelope, epoch: number): Entity {
    const region = this.#context.self
    const type = this.#type
    const behavior = Behaviors.setup<M>((context) =>
      type.behavior({
        id: entityId,
        typeName: type.name,
        shard,
        epoch,
        passivate: () => region.tell({ type: 'Passivate', entityId, ref: context.self }),
      }),
    )
    const ref = this.#context.spawn(behavior, nameFor(entityId)) as ActorRef<unknown>
    this.#context.watch(ref)
    return this.#entities.started(entityId, shard, ref)
  }

  // ---- ending ----

  passivate({ entityId, ref }: Passivate): void {
    const entity = this.#entities.get(entityId)
    if (entity?.ref.equals(ref) === true) this.#end(entity)
  }

  /** Ends entities that got no message between the last `checks` calls. */
  endIdle(checks: number): void {
    for (const entity of this.#entities.idleFor(checks)) this.#end(entity)
  }

  endShard(shard: ShardId, isHard: boolean): void {
    for (const entity of this.#entities.ofShard(shard)) {
      this.#end(entity)
      if (isHard) this.#stop(entity)
    }
  }

  /** Stops entities that should have ended by now. */
  stopOverdue(): void {
    for (const entity of this.#entities.overdue(this.#now())) {
      this.#context.log.warn({ entity: entity.id }, 'entity did not end in time and is stopped')
      this.#stop(entity)
    }
  }

  /** Stops all entities, whatever they are doing, and returns what waited for their successors. */
  stopAll(): readonly Envelope[] {
    for (const entity of this.#entities.all()) {
      this.#end(entity)
      this.#stop(entity)
    }
    return this.#entities.takeWaiting()
  }

  #end(entity: Entity): void {
    if (entity.ending !== undefined) return
    this.#entities.ends(entity, this.#now() + this.#endTimeoutMs)
    const { stopMessage } = this.#type
    if (this.#hasStopped(entity)) return
    if (stopMessage === undefined) stopAfterMailbox(entity.ref)
    else entity.ref.tell(stopMessage)
  }

  #stop({ ref, ending }: Entity): void {
    if (ending === undefined || ending.isStopped) return
    ending.isStopped = true
    this.#context.stop(ref)
  }

  /** The actor `ref` has ended. Returns whose it was, and what waits for the next one. */
  ended(
    ref: ActorRef<never>,
  ): { readonly shard: ShardId; readonly waiting: readonly Envelope[] } | undefined {
    const entity = this.#entities.ended(ref.path)
    return entity && { shard: entity.shard, waiting: entity.ending?.waiting ?? [] }
  }

  #now(): number {
    return this.#context.system.platform.clock.monotonicMs()
  }
}
