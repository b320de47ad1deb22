import type { Behavior } from '@troupe/actor'
import { checkName } from '@troupe/actor/spi'
import type { ShardId } from './shard-id.ts'

/** What an entity knows of itself when it starts. */
export interface EntityContext {
  readonly entityId: string
  readonly shard: ShardId
  /** Rises each time the shard gets a new home: a store that has seen a higher one refuses this owner. */
  readonly epoch: number
  /**
   * Ends this entity after the messages it already has; later ones start it anew. For entities that
   * know they are done; idle ones are ended by themselves.
   */
  passivate(): void
}

/** A kind of entity: its name, the same on all nodes, and how one of them behaves. */
export interface EntityType<in M> {
  readonly name: string
  readonly behavior: (entity: EntityContext) => Behavior<M>
}

export const EntityType: {
  /** `behavior` runs each time an entity starts: at its first message, after a move, after passivation. */
  create<M>(name: string, behavior: (entity: EntityContext) => Behavior<M>): EntityType<M>
} = {
  create: (name, behavior) => {
    checkName(name)
    return { name, behavior }
  },
}
