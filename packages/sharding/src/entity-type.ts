import type { Behavior } from '@troupe/actor'
import { checkName } from '@troupe/actor/spi'
import type { ShardId } from './shard-id.ts'

/** What an entity knows of itself when it starts. */
export interface EntityContext {
  readonly id: string
  readonly typeName: string
  readonly shard: ShardId
  /**
   * Rises each time the shard gets a home: a store that has seen a higher one refuses this owner.
   * A whole number below 2^53.
   */
  readonly epoch: number
  /**
   * Ends this entity after the messages it already has; later ones start it anew, none is lost. For
   * entities that know they are done: one that stops itself loses what is in its mailbox.
   */
  passivate(): void
}

/** A kind of entity: its name, the same on all nodes, and how one of them behaves. */
export interface EntityType<in M> {
  readonly name: string
  readonly behavior: (entity: EntityContext) => Behavior<M>
  /** The last message of an entity that has to end. Undefined: it is stopped after what it has. */
  readonly stopMessage: unknown
}

export interface EntityTypeOptions<M> {
  /**
   * Told to an entity that has to end, behind all other messages, because it is idle or its shard
   * moves; it answers by stopping. Late ones are stopped hard after `handOffTimeoutMs`.
   * Default: the entity is stopped once it has handled what it was told.
   */
  readonly stopMessage?: M
}

export const EntityType: {
  /** `behavior` runs each time an entity starts: at its first message, after a move, after passivation. */
  create<M>(
    name: string,
    behavior: (entity: EntityContext) => Behavior<M>,
    options?: EntityTypeOptions<M>,
  ): EntityType<M>
} = {
  create: (name, behavior, options = {}) => {
    checkName(name)
    return { name, behavior, stopMessage: options.stopMessage }
  },
}
