import type { Crdt } from '@troupe/crdt'
import type { Key } from './key.ts'

/** Why a write or a read did not get the answers it asked for. */
export type ShortfallReason =
  /** Not in time. */
  | 'Timeout'
  /** There are not enough members, or too many of them cannot. */
  | 'NotEnoughReplicas'

export interface UpdateSuccess<T extends Crdt, View> {
  readonly type: 'UpdateSuccess'
  readonly key: Key<T, View>
}
/**
 * Unknown, not failed: the write is applied here, still spreads, and may be on enough nodes already.
 * Nothing is rolled back.
 */
export interface UpdateTimeout<T extends Crdt, View> {
  readonly type: 'UpdateTimeout'
  readonly key: Key<T, View>
  readonly reason: ShortfallReason
}
/** The function given to the update threw, or the key has another type. What it changed before stays. */
export interface ModifyFailure<T extends Crdt, View> {
  readonly type: 'ModifyFailure'
  readonly key: Key<T, View>
  readonly cause: unknown
}
/** The key was deleted, and cannot be used again. */
export interface DataDeleted<T extends Crdt, View> {
  readonly type: 'DataDeleted'
  readonly key: Key<T, View>
}
export type UpdateReply<T extends Crdt, View> =
  | UpdateSuccess<T, View>
  | UpdateTimeout<T, View>
  | ModifyFailure<T, View>
  | DataDeleted<T, View>

/** `value` is the replica itself, not a copy: it goes on changing. */
export interface GetSuccess<T extends Crdt, View> {
  readonly type: 'GetSuccess'
  readonly key: Key<T, View>
  readonly value: View
}
/** Nobody who was asked has ever heard of the key. */
export interface NotFound<T extends Crdt, View> {
  readonly type: 'NotFound'
  readonly key: Key<T, View>
}
export interface GetFailure<T extends Crdt, View> {
  readonly type: 'GetFailure'
  readonly key: Key<T, View>
  readonly reason: ShortfallReason | 'KeyHasOtherType'
}
export type GetReply<T extends Crdt, View> =
  | GetSuccess<T, View>
  | NotFound<T, View>
  | GetFailure<T, View>
  | DataDeleted<T, View>

export interface DeleteSuccess<T extends Crdt, View> {
  readonly type: 'DeleteSuccess'
  readonly key: Key<T, View>
}
/**
 * Unknown, not failed: the deletion is done here and still spreads. Except for a key that has another
 * type: it is left alone.
 */
export interface ReplicationDeleteFailure<T extends Crdt, View> {
  readonly type: 'ReplicationDeleteFailure'
  readonly key: Key<T, View>
  readonly reason: ShortfallReason | 'KeyHasOtherType'
}
export type DeleteReply<T extends Crdt, View> =
  | DeleteSuccess<T, View>
  | ReplicationDeleteFailure<T, View>
  | DataDeleted<T, View>

/** What a subscriber hears. `value` is the replica itself; `changed` names the entries that changed. */
export type SubscribeReply<T extends Crdt, View> =
  | {
      readonly type: 'Changed'
      readonly key: Key<T, View>
      readonly value: View
      readonly changed: Iterable<unknown>
    }
  | { readonly type: 'Deleted'; readonly key: Key<T, View> }
