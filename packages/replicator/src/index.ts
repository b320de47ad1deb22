export { Replicate, type ReplicatorCommand } from './commands.ts'
export {
  type ReadConsistency,
  readAll,
  readFrom,
  readLocal,
  readMajority,
  type WriteConsistency,
  writeAll,
  writeLocal,
  writeMajority,
  writeTo,
} from './consistency.ts'
export { type Change, DistributedData, type ListenerOptions } from './distributed-data.ts'
export { ReplicatorError, type ReplicatorErrorCode } from './errors.ts'
export {
  type AnyKey,
  GCounterKey,
  type Key,
  keyOf,
  LWWMapKey,
  LWWRegisterKey,
  ORSetKey,
} from './key.ts'
export { type ReplicatorMetrics } from './metrics.ts'
export type {
  DataDeleted,
  DeleteReply,
  DeleteSuccess,
  GetFailure,
  GetReply,
  GetSuccess,
  ModifyFailure,
  NotFound,
  ReplicationDeleteFailure,
  ShortfallReason,
  SubscribeReply,
  UpdateReply,
  UpdateSuccess,
  UpdateTimeout,
} from './replies.ts'
export { defaultReplicatorSettings, type ReplicatorSettings } from './settings.ts'
export { type Threshold, type WaitOptions } from './threshold-read.ts'
