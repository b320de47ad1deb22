import type { ActorRef, AskOptions } from './actor-ref.ts'
import type { ActorSystem } from './actor-system.ts'
import type { Behavior } from './behavior.ts'
import type { Logger } from './logger.ts'
import type { StashBuffer } from './stash.ts'
import type { TimerScheduler } from './timers.ts'

export interface SpawnOptions {
  /** Most messages waiting at once; a further one becomes a dead letter (MailboxFull). Default: no limit. */
  readonly mailboxCapacity?: number
  /** How long an async handler may keep its promise open, in milliseconds. Default: the system's setting. */
  readonly handlerTimeoutMs?: number
}

/**
 * An actor's view of itself and its surroundings. Belongs to the actor: it may be used while one of
 * its handlers runs (for async handlers: until their promise settles), and throws OUTSIDE_OF_TURN
 * otherwise. Timers, stash, logger and the like cost nothing until they are used.
 */
export interface ActorContext<in M> {
  readonly self: ActorRef<M>
  readonly system: ActorSystem
  /** Logs with the actor's path. */
  readonly log: Logger

  /**
   * Starts a child. Its name must be unique among the children, those still stopping included (NAME_TAKEN);
   * without a name it gets one (`$a`, `$b`, …).
   */
  spawn<C>(behavior: Behavior<C>, name?: string, options?: SpawnOptions): ActorRef<C>
  /** Stops a child after its current message. Other actors cannot be stopped from outside (NOT_A_CHILD). */
  stop(child: ActorRef<never>): void
  /** The children, those still stopping included. */
  readonly children: readonly ActorRef<never>[]
  child(name: string): ActorRef<never> | undefined

  /** Asks for one `Terminated` (or `ChildFailed`) when `ref` stops; at once if it already has. */
  watch(ref: ActorRef<never>): void
  /** The same with a message of our own protocol instead of the signal. */
  watchWith(ref: ActorRef<never>, message: M): void
  /** Afterwards nothing of `ref` is heard, even if its end was already in the mailbox. */
  unwatch(ref: ActorRef<never>): void

  /** This actor's timers; all of them stop with it and when it restarts. */
  readonly timers: TimerScheduler<M>
  /** The stash of this actor, made at the first call with room for `capacity` messages. */
  stash(capacity: number): StashBuffer<M>

  /**
   * An address for foreign replies: `adapt` turns each into a message of ours, in our own turn.
   * Make one per foreign protocol and keep it; it lives as long as the actor.
   */
  messageAdapter<R>(adapt: (reply: R) => M): ActorRef<R>
  /**
   * Asks another actor. `onReply` turns the reply, `onError` the failure (ASK_TIMED_OUT, …), into a
   * message of ours, in our own turn.
   */
  ask<T, Reply>(
    target: Askable<T>,
    create: (replyTo: ActorRef<Reply>) => T,
    options: AskOptions,
    onReply: (reply: Reply) => M,
    onError: (error: unknown) => M,
  ): undefined
  /** Sends ourselves the outcome of a promise; `onValue` or `onError` runs in our own turn. */
  pipeToSelf<T>(promise: Promise<T>, onValue: (value: T) => M, onError: (error: unknown) => M): void
  /** Sends `message` to `target` after `delayMs`, whatever becomes of this actor meanwhile. */
  scheduleOnce<T>(delayMs: number, target: ActorRef<T>, message: T): void
}

/** What can be asked: refs of actors and of entities alike. */
export interface Askable<in T> {
  ask<Reply>(create: (replyTo: ActorRef<Reply>) => T, options: AskOptions): Promise<Reply>
}
