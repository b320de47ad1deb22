import type { ActorRef } from '@troupe/actor'
import type { Envelope } from './region.ts'
import type { ShardId } from './shard-id.ts'

/** One entity that runs here. */
export interface Entity {
  readonly id: string
  readonly shard: ShardId
  readonly ref: ActorRef<unknown>
  /** The number of the idle check at which it last got a message. */
  usedAt: number
  /** It was told to stop; what comes now waits for its successor. */
  waiting: Envelope[] | undefined
}

/**
 * The entities of one region: which run, which are stopping, and what waits for the ones that stop.
 * An id has at most one entity at any time; the next one starts after the end of the last.
 */
export class Entities {
  readonly #byId = new Map<string, Entity>()
  readonly #byPath = new Map<string, Entity>()
  readonly #byShard = new Map<ShardId, Set<Entity>>()
  #checks = 0

  get size(): number {
    return this.#byId.size
  }

  get(id: string): Entity | undefined {
    return this.#byId.get(id)
  }

  all(): Iterable<Entity> {
    return this.#byId.values()
  }

  ofShard(shard: ShardId): readonly Entity[] {
    return [...(this.#byShard.get(shard) ?? [])]
  }

  started(id: string, shard: ShardId, ref: ActorRef<unknown>): Entity {
    const entity: Entity = { id, shard, ref, usedAt: this.#checks, waiting: undefined }
    this.#byId.set(id, entity)
    this.#byPath.set(ref.path, entity)
    let ofShard = this.#byShard.get(shard)
    if (ofShard === undefined) this.#byShard.set(shard, (ofShard = new Set()))
    ofShard.add(entity)
    return entity
  }

  used(entity: Entity): void {
    entity.usedAt = this.#checks
  }

  /** The entity at `path` has ended; returns it with what waits for its successor. */
  ended(path: string): Entity | undefined {
    const entity = this.#byPath.get(path)
    if (entity === undefined) return undefined
    this.#byPath.delete(path)
    this.#byId.delete(entity.id)
    const ofShard = this.#byShard.get(entity.shard)
    ofShard?.delete(entity)
    if (ofShard?.size === 0) this.#byShard.delete(entity.shard)
    return entity
  }

  /**
   * Entities that got no message between the last `checks` calls. Called at a steady rate it finds
   * idle entities without a clock reading per message.
   */
  idleFor(checks: number): readonly Entity[] {
    this.#checks++
    const idle: Entity[] = []
    for (const entity of this.#byId.values()) {
      if (entity.waiting === undefined && this.#checks - entity.usedAt > checks) idle.push(entity)
    }
    return idle
  }
}
