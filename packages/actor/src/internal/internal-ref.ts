import type { ActorRef } from '../actor-ref.ts'
import type { SystemMessage } from './system-message.ts'

/**
 * What every ref of ours can do beyond what users see. Refs come in kinds (a cell, the address of an
 * ask, a message adapter, a remote ref), and the runtime treats them all alike through this.
 */
export interface InternalRef extends ActorRef<unknown> {
  /** Equal for refs to the same incarnation: the ref itself when local, a text when remote. */
  readonly identity: unknown
  readonly isLocal: boolean
  /** True once the actor is known to have stopped; never true before. */
  readonly isTerminated: boolean
  /** Hands over a message of the runtime itself; these overtake messages of users. */
  tellSystem(message: SystemMessage): void
}

/** A ref of this process, which other nodes can be told about. */
export interface LocalRef extends InternalRef {
  readonly isLocal: true
  /** 0 for refs that are not actors. */
  readonly uid: number
  /** Makes sure that other nodes can reach it under its path. Most refs never leave the process. */
  publish(): void
  /** True once it was told to others: what never left the process cannot be reached from outside. */
  readonly isPublished: boolean
}

/** The inner side of a ref. A system used as a ref stands for its guardian. */
export function internal(ref: ActorRef<never>): InternalRef {
  return (
    (ref as { readonly guardianRef?: InternalRef }).guardianRef ?? (ref as unknown as InternalRef)
  )
}
