import type { UniqueAddress } from '@troupe/cluster'
import type { ShardId } from './shard-id.ts'

/** What one node knows of a type, and has of it: for dashboards and tests. */
export interface ShardRegionState {
  /** Entities running on this node. */
  readonly entities: number
  /** Shards this node hosts. */
  readonly shards: readonly ShardId[]
  /** Messages that wait here: for a shard to get a home, for an entity to end. */
  readonly keptMessages: number
  /** The node that decides where shards live. */
  readonly coordinator: UniqueAddress | undefined
  /** Whether the coordinator has taken this node's registration. */
  readonly isRegistered: boolean
}
