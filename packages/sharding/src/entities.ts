import type { ActorRef } from '@troupe/actor'
import type { Envelope } from './messages.ts'
import type { ShardId } from './shard-id.ts'

/** One entity that runs here. */
export interface Entity {
  readonly id: string
  readonly shard: ShardId
  readonly ref: ActorRef<unknown>
  /** The number of the idle check at which it last got a message. */
  usedAt: number
  /** There once it was told to end: what comes now waits for its successor. */
  ending: Ending | undefined
}

export interface Ending {
  readonly waiting: Envelope[]
  /** When it is stopped hard if it still runs. */
  readonly until: number
  isStopped: boolean
}

/**
 * The entities of one region: which run, which are ending, and what waits for the ones that end.
 * Running → ending → gone. An id has at most one entity at any time; the next one starts after the
 * end of the last.
 */
export class Entities {
  readonly #byId = new Map<string, Entity>()
  readonly #byPath = new Map<string, Entity>()
  readonly #byShard = new Map<ShardId, Set<Entity>>()
  readonly #ending = new Set<Entity>()
  #waitingCount = 0
  #checks = 0

  get size(): number {
    return this.#byId.size
  }

  /** Messages that wait for the next entity of an id. */
  get waitingCount(): number {
    return this.#waitingCount
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

  hasShard(shard: ShardId): boolean {
    return this.#byShard.has(shard)
  }

  started(id: string, shard: ShardId, ref: ActorRef<unknown>): Entity {
    const entity: Entity = { id, shard, ref, usedAt: this.#checks, ending: undefined }
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

  /** The entity was told to end, and is stopped hard at `until`. */
  ends(entity: Entity, until: number): void {
    entity.ending = { waiting: [], until, isStopped: false }
    this.#ending.add(entity)
  }

  /** Keeps a message for the entity after `entity`, which is ending. */
  wait(ending: Ending, envelope: Envelope): void {
    ending.waiting.push(envelope)
    this.#waitingCount++
  }

  /** Everything that waits; for a region that closes. */
  takeWaiting(): readonly Envelope[] {
    this.#waitingCount = 0
    return [...this.#ending].flatMap(({ ending }) => ending?.waiting.splice(0) ?? [])
  }

  /** The entity at `path` has ended; returns it with what waits for its successor. */
  ended(path: string): Entity | undefined {
    const entity = this.#byPath.get(path)
    if (entity === undefined) return undefined
    this.#byPath.delete(path)
    this.#byId.delete(entity.id)
    this.#ending.delete(entity)
    this.#waitingCount -= entity.ending?.waiting.length ?? 0
    const ofShard = this.#byShard.get(entity.shard)
    ofShard?.delete(entity)
    if (ofShard?.size === 0) this.#byShard.delete(entity.shard)
    return entity
  }

  /** Those that should have ended by now and were not stopped hard yet. */
  overdue(now: number): readonly Entity[] {
    return [...this.#ending].filter(
      ({ ending }) => ending !== undefined && !ending.isStopped && now >= ending.until,
    )
  }

  /**
   * Entities that got no message between the last `checks` calls. Called at a steady rate it finds
   * idle entities without a clock reading per message.
   */
  idleFor(checks: number): readonly Entity[] {
    this.#checks++
    const idle: Entity[] = []
    for (const entity of this.#byId.values()) {
      if (entity.ending === undefined && this.#checks - entity.usedAt > checks) idle.push(entity)
    }
    return idle
  }
}
