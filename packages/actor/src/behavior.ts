import type { ActorContext } from './actor-context.ts'
import { asBehavior, type ErrorClass, type Kind, kindOf } from './internal/behavior-kind.ts'
import type { Signal } from './signal.ts'
import type { SupervisorStrategy } from './supervision.ts'

declare const accepts: unique symbol

/**
 * What an actor does with its next message. Opaque: made by `Behaviors`, run by the runtime. A
 * behavior that understands more may stand in for one that understands fewer, so an actor with
 * private messages fits its public protocol without a cast.
 */
export interface Behavior<in M> {
  readonly [accepts]?: (message: M) => void
}

/** What a handler returns: the behavior for the next message, at once or when its work is done. */
export type Next<M> = Behavior<M> | Promise<Behavior<M>>

export type OnMessage<M> = (message: M, context: ActorContext<M>) => Next<M>
export type OnSignal<M> = (signal: Signal, context: ActorContext<M>) => Behavior<M>

/** A behavior that still waits for its strategy. */
export interface Supervise<in M> {
  /**
   * Applies `strategy` when the behavior throws an error of `errorClass` (default: anything).
   * Wrapped several times, the innermost match decides.
   */
  onFailure(strategy: SupervisorStrategy, errorClass?: ErrorClass): Behavior<M>
}

/** Everything behaviors are made of. */
export const Behaviors: {
  /** Handles each message with `onMessage`, and signals with `onSignal` if given. */
  receive<M>(onMessage: OnMessage<M>, onSignal?: OnSignal<NoInfer<M>>): Behavior<M>
  /** Handles signals only; messages are unhandled. */
  receiveSignal<M>(onSignal: OnSignal<M>): Behavior<M>
  /** Runs `factory` when the actor starts, and again each time it is restarted. */
  setup<M>(factory: (context: ActorContext<M>) => Behavior<M>): Behavior<M>
  /** Supervises `behavior`: what to do when it fails follows in `onFailure`. */
  supervise<M>(behavior: Behavior<M>): Supervise<M>
  /** Keep the current behavior. */
  readonly same: Behavior<unknown>
  /** Keep the current behavior, and report that it did not know what to do with the message. */
  readonly unhandled: Behavior<unknown>
  /** Stop: children first, then `PostStop`. Messages still waiting become dead letters. */
  readonly stopped: Behavior<unknown>
  /** Stay alive, understand nothing. */
  readonly empty: Behavior<unknown>
  /** Swallow every message. */
  readonly ignore: Behavior<unknown>
} = {
  receive: (onMessage, onSignal) =>
    asBehavior({ tag: 'receive', onMessage, onSignal } as unknown as Kind),
  receiveSignal: (onSignal) =>
    asBehavior({
      tag: 'receive',
      onMessage: () => Behaviors.unhandled,
      onSignal,
    } as unknown as Kind),
  setup: (factory) => asBehavior({ tag: 'setup', factory } as unknown as Kind),
  supervise: (behavior) => ({
    onFailure: (strategy, errorClass) =>
      asBehavior({ tag: 'supervised', inner: kindOf(behavior), strategy, errorClass }),
  }),
  same: asBehavior({ tag: 'same' }),
  unhandled: asBehavior({ tag: 'unhandled' }),
  stopped: asBehavior({ tag: 'stopped' }),
  empty: asBehavior({
    tag: 'receive',
    onMessage: () => Behaviors.unhandled,
    onSignal: undefined,
  }),
  ignore: asBehavior({ tag: 'receive', onMessage: () => Behaviors.same, onSignal: undefined }),
}
