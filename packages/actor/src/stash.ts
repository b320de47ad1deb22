import type { Behavior } from './behavior.ts'
import { ActorError } from './errors.ts'

/**
 * Messages put aside until the actor is ready for them. Bounded: putting one into a full stash
 * throws STASH_OVERFLOW. What is still stashed when the actor stops becomes a dead letter; when it
 * restarts, the fresh behavior gets it first, as if it had never been put aside.
 */
export interface StashBuffer<in M> {
  readonly size: number
  readonly capacity: number
  readonly isEmpty: boolean
  readonly isFull: boolean
  stash(message: M): void
  /**
   * Puts all messages stashed so far, in order, in front of the mailbox, and returns `next` to be
   * returned from the handler: they are what it handles first. Messages stashed meanwhile wait for
   * the next call; none is lost when a handler throws or waits.
   */
  unstashAll<N>(next: Behavior<N>): Behavior<N>
  /** Empties the stash; its messages become dead letters (StashCleared). */
  clear(): void
}

/** The stash of one cell. */
export class CellStash implements StashBuffer<unknown> {
  readonly capacity: number
  readonly #putBack: (messages: readonly unknown[]) => void
  readonly #checkTurn: (call: string) => void
  readonly #drop: (message: unknown) => void
  #messages: unknown[] = []

  /** `checkTurn` throws when the actor's turn is over. */
  constructor(
    capacity: number,
    putBack: (messages: readonly unknown[]) => void,
    checkTurn: (call: string) => void,
    drop: (message: unknown) => void,
  ) {
    if (!Number.isSafeInteger(capacity) || capacity < 1) {
      throw new RangeError(`a stash's capacity must be a whole number >= 1, got ${capacity}`)
    }
    this.capacity = capacity
    this.#putBack = putBack
    this.#checkTurn = checkTurn
    this.#drop = drop
  }

  get size(): number {
    return this.#messages.length
  }

  get isEmpty(): boolean {
    return this.#messages.length === 0
  }

  get isFull(): boolean {
    return this.#messages.length >= this.capacity
  }

  stash(message: unknown): void {
    this.#checkTurn('stash')
    if (this.isFull) {
      throw new ActorError(
        'STASH_OVERFLOW',
        `the stash holds ${this.capacity} messages and is full; unstash earlier or give it more capacity`,
      )
    }
    this.#messages.push(message)
  }

  unstashAll<N>(next: Behavior<N>): Behavior<N> {
    this.#checkTurn('unstashAll')
    this.#putBack(this.drain())
    return next
  }

  clear(): void {
    this.#checkTurn('clear')
    for (const message of this.drain()) this.#drop(message)
  }

  /** Everything that is in it; afterwards it is empty. */
  drain(): readonly unknown[] {
    const messages = this.#messages
    this.#messages = []
    return messages
  }
}
