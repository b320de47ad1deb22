import type { ActorRef } from '@troupe/actor'
import type { Crdt } from '@troupe/crdt'
import type { ReadConsistency, WriteConsistency } from './consistency.ts'
import type { AnyKey, Key } from './key.ts'
import type { DeleteReply, GetReply, SubscribeReply, UpdateReply } from './replies.ts'

/**
 * What the replicator's actor understands. Make commands with `Replicate`, which ties the types of
 * key, function and reply address together.
 */
export type ReplicatorCommand =
  | {
      readonly type: 'Update'
      readonly key: AnyKey
      readonly modify: (value: never) => unknown
      readonly consistency: WriteConsistency
      readonly replyTo: ActorRef<never>
    }
  | {
      readonly type: 'Get'
      readonly key: AnyKey
      readonly consistency: ReadConsistency
      readonly replyTo: ActorRef<never>
    }
  | {
      readonly type: 'Delete'
      readonly key: AnyKey
      readonly consistency: WriteConsistency
      readonly replyTo: ActorRef<never>
    }
  | {
      readonly type: 'Subscribe'
      readonly key: AnyKey
      readonly subscriber: ActorRef<never>
    }
  | {
      readonly type: 'Unsubscribe'
      readonly key: AnyKey
      readonly subscriber: ActorRef<never>
    }

/** The commands of `DistributedData.replicator`, for actors. */
export const Replicate: {
  /** Changes the value with `modify`, in the replicator's turn. */
  update<T extends Crdt, View>(
    key: Key<T, View>,
    modify: (value: T) => unknown,
    consistency: WriteConsistency,
    replyTo: ActorRef<UpdateReply<T, View>>,
  ): ReplicatorCommand
  get<T extends Crdt, View>(
    key: Key<T, View>,
    consistency: ReadConsistency,
    replyTo: ActorRef<GetReply<T, View>>,
  ): ReplicatorCommand
  delete<T extends Crdt, View>(
    key: Key<T, View>,
    consistency: WriteConsistency,
    replyTo: ActorRef<DeleteReply<T, View>>,
  ): ReplicatorCommand
  /** Sends `subscriber` what is there at once, and from then on what changes, until it stops. */
  subscribe<T extends Crdt, View>(
    key: Key<T, View>,
    subscriber: ActorRef<SubscribeReply<T, View>>,
  ): ReplicatorCommand
  unsubscribe<T extends Crdt, View>(
    key: Key<T, View>,
    subscriber: ActorRef<SubscribeReply<T, View>>,
  ): ReplicatorCommand
} = {
  update: (key, modify, consistency, replyTo) => ({
    type: 'Update',
    key,
    modify: modify as (value: never) => unknown,
    consistency,
    replyTo: replyTo as ActorRef<never>,
  }),
  get: (key, consistency, replyTo) => ({
    type: 'Get',
    key,
    consistency,
    replyTo: replyTo as ActorRef<never>,
  }),
  delete: (key, consistency, replyTo) => ({
    type: 'Delete',
    key,
    consistency,
    replyTo: replyTo as ActorRef<never>,
  }),
  subscribe: (key, subscriber) => ({
    type: 'Subscribe',
    key,
    subscriber: subscriber as ActorRef<never>,
  }),
  unsubscribe: (key, subscriber) => ({
    type: 'Unsubscribe',
    key,
    subscriber: subscriber as ActorRef<never>,
  }),
}
