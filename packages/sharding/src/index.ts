export {
  ClusterSharding,
  type ShardRegionState,
  type Shards,
  type StartOptions,
} from './cluster-sharding.ts'
export { EntityRef } from './entity-ref.ts'
export { type EntityContext, EntityType, type EntityTypeOptions } from './entity-type.ts'
export { ShardingError, type ShardingErrorCode } from './errors.ts'
export { defaultShardingSettings, type ShardingSettings } from './settings.ts'
export { type ShardId, shardOf } from './shard-id.ts'
