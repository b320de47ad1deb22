/**
 * A handle to an actor: the only way to reach it. It can be sent in messages, also to other nodes.
 * `ActorRef<never>` is "some actor", good for watching. A ref names one incarnation: when the actor
 * stops and another one starts under the same name, old refs do not reach the new actor.
 */
export interface ActorRef<in M> {
  /** Where the actor is: `/user/bank/account-1`; with the node's address in front when it lives elsewhere. */
  readonly path: string

  /**
   * Enqueues `message` and returns at once. At most once; in order per sender and receiver. Never
   * throws: what cannot be delivered becomes a dead letter with its reason.
   */
  tell(message: M): void

  /**
   * Sends the message that `create` makes around a one-time reply address, and resolves with the
   * reply. Rejects with ASK_TIMED_OUT after `timeoutMs` (> 0, always explicit), at once with
   * TARGET_TERMINATED when the actor is known to be gone. Inside actors prefer `context.ask`.
   */
  ask<Reply>(create: (replyTo: ActorRef<Reply>) => M, options: AskOptions): Promise<Reply>

  /** True when both refs name the same incarnation of the same actor. */
  equals(other: ActorRef<never>): boolean
}

export interface AskOptions {
  /** How long to wait for the reply, in milliseconds, > 0. */
  readonly timeoutMs: number
}
