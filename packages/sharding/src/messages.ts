import type { UniqueAddress } from '@troupe/cluster'
import type { ShardId } from './shard-id.ts'

/** Where a shard lives. The epoch rises with every move: an owner with a lower one is an old owner. */
export interface ShardHome {
  readonly node: UniqueAddress
  readonly epoch: number
}

/** A message for an entity. */
export interface Envelope {
  readonly shard: ShardId
  readonly entityId: string
  readonly message: unknown
}

/** What a region says of itself. */
export interface Registration {
  /** How many shards it believes the type to have. */
  readonly shards: number
  /** What it hosts, and in which epoch. */
  readonly hosted: ReadonlyMap<ShardId, number>
  /** False when the node only sends to entities. */
  readonly isHosting: boolean
  readonly isLeaving: boolean
}

/** What a region tells the coordinator. The sender is known from the link. */
export type RegionMessage =
  | ({ readonly type: 'Register' } & Registration)
  | { readonly type: 'AskHome'; readonly shard: ShardId }
  /** Nothing of node `by` is under way any more to the shard, which lives here. */
  | { readonly type: 'Drained'; readonly shard: ShardId; readonly by: UniqueAddress }
  /** The entities of the shard have ended, and will not start here again in that epoch. */
  | { readonly type: 'ShardStopped'; readonly shard: ShardId; readonly epoch: number }
  | { readonly type: 'Leaving' }

/** What the coordinator tells a region. */
export type CoordinatorMessage =
  | { readonly type: 'RegisterAck' }
  /** We do not agree on the number of shards; the coordinator's is `shards`. */
  | { readonly type: 'Refused'; readonly shards: number }
  | { readonly type: 'Home'; readonly shard: ShardId; readonly home: ShardHome }
  | { readonly type: 'HostShard'; readonly shard: ShardId; readonly epoch: number }
  /** Forget where the shard lives, keep its messages from now on, and tell its home that no more will come. */
  | { readonly type: 'BeginHandOff'; readonly shard: ShardId; readonly home: ShardHome }
  /** Stop all entities of the shard, and say so. */
  | { readonly type: 'HandOff'; readonly shard: ShardId; readonly epoch: number }
  /** It is known that the region leaves: from here on it gets no more shards. */
  | { readonly type: 'LeavingAck' }
  /** To a region that leaves: all others leave too, so there is nothing to wait for. */
  | { readonly type: 'NobodyTakesOver' }

export type CoordinatorEffect =
  | { readonly type: 'Send'; readonly to: UniqueAddress; readonly message: CoordinatorMessage }
  /** Store this on a majority, then call `persisted` with the same shard and home. */
  | {
      readonly type: 'Persist'
      readonly shard: ShardId
      readonly home: ShardHome | undefined
      readonly epoch: number
    }
  | { readonly type: 'Log'; readonly phrase: string; readonly fields: object }

/** What the region machine has its driver do. */
export type RegionEffect =
  | { readonly type: 'ToCoordinator'; readonly message: RegionMessage }
  /** To the region of another node, behind everything that was forwarded to it before. */
  | { readonly type: 'TellDrained'; readonly to: UniqueAddress; readonly shard: ShardId }
  /** To the region of another node, which sent us messages of a shard that lives elsewhere. */
  | { readonly type: 'TellNotHere'; readonly to: UniqueAddress; readonly shard: ShardId }
  | { readonly type: 'Deliver'; readonly envelope: Envelope }
  | { readonly type: 'Forward'; readonly to: UniqueAddress; readonly envelope: Envelope }
  /**
   * Stop all entities of the shard, then call `shardStopped`. `isHard`: at once, not after what they
   * have in their mailboxes.
   */
  | { readonly type: 'StopEntities'; readonly shard: ShardId; readonly isHard: boolean }

/** Between regions: messages for entities, and what has to keep its place among them. */
export type RegionTraffic =
  | ({ readonly type: 'Envelope' } & Envelope)
  /** Behind the last envelope for a shard that moves. */
  | { readonly type: 'Drained'; readonly shard: ShardId }
  /** The shard does not live here: ask the coordinator again. */
  | { readonly type: 'NotHere'; readonly shard: ShardId }
