import type { ActorRef, ActorSystem, Askable, AskOptions } from '@troupe/actor'
import { PromiseRef, type SystemCore } from '@troupe/actor/spi'
import { checkEntityId } from './shard-id.ts'

/**
 * A handle to an entity by its id. The entity need not be running: a message starts it, wherever its
 * shard lives. Unlike an actor's ref it stays good for ever, and it cannot be watched. It belongs to
 * its node: in a message send `entityId`, and let the receiver make a ref of its own.
 */
export class EntityRef<in M> implements Askable<M> {
  readonly typeName: string
  readonly entityId: string
  readonly #system: ActorSystem
  readonly #route: (entityId: string, message: unknown) => void

  constructor(
    system: ActorSystem,
    typeName: string,
    entityId: string,
    route: (entityId: string, message: unknown) => void,
  ) {
    checkEntityId(entityId)
    this.#system = system
    this.typeName = typeName
    this.entityId = entityId
    this.#route = route
  }

  get path(): string {
    return `entity://${this.typeName}/${this.entityId}`
  }

  /**
   * At most once; in order per sender, also while the entity moves. Never throws: what cannot be
   * delivered becomes a dead letter with its reason.
   */
  tell(message: M): void {
    this.#route(this.entityId, message)
  }

  /** As `ActorRef.ask`. While the entity's shard has no home the question waits, and may time out. */
  ask<Reply>(create: (replyTo: ActorRef<Reply>) => M, options: AskOptions): Promise<Reply> {
    // An ask needs no more of its target than to tell it and to name it.
    const target = this as unknown as ActorRef<M>
    return PromiseRef.ask(this.#system as SystemCore, target, create, options)
  }

  equals(other: { readonly path: string }): boolean {
    return other.path === this.path
  }

  toString(): string {
    return this.path
  }
}
