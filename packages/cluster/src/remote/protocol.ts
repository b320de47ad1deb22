import type { Codec } from '@troupe/crdt/wire'

/**
 * A typed channel between the same service on two nodes: membership, heartbeats, replication.
 *
 * Services of the framework speak over protocols, never over refs: the sender is known from the
 * link, which has proven who it is, and what arrives has passed the protocol's schema.
 */
export interface Protocol<T> {
  /** Unique among protocols; part of what both nodes must agree on. */
  readonly name: string
  /** `control` for what must not wait behind messages of users. */
  readonly stream: StreamName
  /** The schema. `payload` carries messages of users inside messages of the framework. */
  codec(payload: Codec<unknown>): Codec<T>
  /** A message that could not be sent for this long is of no use any more. Default: it waits. */
  readonly expiresAfterMs?: number
  /**
   * The sender says it again by itself, so that one that gets lost is counted, but is no dead letter.
   * Default: false.
   */
  readonly isRepeated?: boolean
}

export type StreamName = 'control' | 'ordinary'
export const STREAM_NAMES: readonly StreamName[] = ['control', 'ordinary']

/** Largest frame that is taken from a link. Who sends a larger one breaks the protocol. */
export const FRAME_BYTES_MAX: number = 4 * 1_024 * 1_024
/** Largest frame of a peer that has not proven yet who it is. */
export const HANDSHAKE_FRAME_BYTES_MAX = 1_024
/** Frames a dialling peer sends before it has proven who it is: Hello and Proof. */
export const HANDSHAKE_FRAMES = 2
