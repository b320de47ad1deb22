import type { ActorRef } from '@troupe/actor'
import type { ClusterEvent, UniqueAddress } from '@troupe/cluster'
import type { Passivate } from './entity-host.ts'
import type { Route } from './envelope-router.ts'
import type { CoordinatorMessage } from './messages.ts'
import type { ShardId } from './shard-id.ts'

/** What others may tell the region of their node. */
export type RegionCommand =
  | Passivate
  /** Hand over all shards, and stop what is left after the timeout; answered when none is left. */
  | { readonly type: 'HandOverAll'; readonly replyTo: ActorRef<'Done'> }

/** All that a region hears. */
export type RegionActorMessage =
  | RegionCommand
  | Route
  | { readonly type: 'Drained'; readonly by: UniqueAddress; readonly shard: ShardId }
  | { readonly type: 'NotHere'; readonly node: UniqueAddress; readonly shard: ShardId }
  | {
      readonly type: 'FromCoordinator'
      readonly from: UniqueAddress
      readonly message: CoordinatorMessage
    }
  | { readonly type: 'Cluster'; readonly event: ClusterEvent }
  | { readonly type: 'RetryTick' }
  | { readonly type: 'IdleTick' }
  /** This node has been in the minority for so long that the others may soon go on without it. */
  | { readonly type: 'Isolated' }
  | { readonly type: 'HandOverTimeout' }
