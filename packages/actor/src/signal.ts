import type { ActorRef } from './actor-ref.ts'

/** What the runtime tells an actor about itself and those it watches. Signals are handled apart from messages. */
export type Signal = PostStop | PreRestart | Terminated | ChildFailed | MessageAdaptionFailure

/** The last signal of an actor, after all its children have terminated. */
export type PostStop = { readonly type: 'PostStop' }

/** Sent to the behavior that failed, before a fresh one takes its place. */
export type PreRestart = { readonly type: 'PreRestart' }

/**
 * A watched actor has stopped, or its node was removed from the cluster. Comes after every message
 * the actor sent before. An actor that watches and does not handle this signal stops (death pact).
 */
export type Terminated = { readonly type: 'Terminated'; readonly ref: ActorRef<never> }

/** A watched child has stopped because it failed. Who leaves it unhandled is offered a `Terminated` instead. */
export type ChildFailed = {
  readonly type: 'ChildFailed'
  readonly ref: ActorRef<never>
  readonly cause: unknown
}

/** The function of a message adapter threw. Unhandled, it counts as a failure of the actor. */
export type MessageAdaptionFailure = {
  readonly type: 'MessageAdaptionFailure'
  readonly cause: unknown
}
