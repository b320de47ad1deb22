import type { ActorRef } from '@troupe/actor'

/** About what applications send: a tag, an id, a few numbers. 90 bytes as JSON. */
export interface Reading {
  readonly type: 'Reading'
  readonly sensor: string
  readonly at: number
  readonly value: number
  readonly isFinal: boolean
  /** Who wants to know how many have arrived; in every message that is answered. */
  readonly replyTo?: ActorRef<Progress>
}

export interface Progress {
  readonly type: 'Progress'
  readonly count: number
  readonly sum: number
}

/** The receiver says how far it is every so many messages, and the sender keeps four times as many under way. */
export const PROGRESS_EVERY = 5_000
export const IN_FLIGHT_MAX: number = 4 * PROGRESS_EVERY
