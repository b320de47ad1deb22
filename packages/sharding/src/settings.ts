import { ShardingError } from './errors.ts'

export interface ShardingSettings {
  /** How many shards a type has; the same on every node, and never changed while the cluster runs. */
  readonly shards: number
  /** An entity without messages for this long is stopped, in milliseconds. 0: never. */
  readonly passivateAfterMs: number
  /** Most messages a node keeps for shards whose home is not known or moving; further ones are dropped. */
  readonly bufferMax: number
  /** How often unanswered questions between regions and coordinator are asked again, in milliseconds. */
  readonly retryMs: number
  /** How often the coordinator looks whether shards should move, in milliseconds. */
  readonly rebalanceMs: number
  /** How long the entities of a moving shard may take to stop before they are given up, in milliseconds. */
  readonly handOffTimeoutMs: number
  /** Most shards that move at the same time. */
  readonly movesMax: number
}

export const defaultShardingSettings: ShardingSettings = {
  shards: 100,
  passivateAfterMs: 120_000,
  bufferMax: 100_000,
  retryMs: 1_000,
  rebalanceMs: 10_000,
  handOffTimeoutMs: 60_000,
  movesMax: 10,
}

/** Fills in defaults and refuses what cannot work. */
export function shardingSettings(overrides: Partial<ShardingSettings> = {}): ShardingSettings {
  const settings = { ...defaultShardingSettings, ...overrides }
  for (const [name, value] of Object.entries(settings)) {
    if (typeof value === 'number' && (value > 0 || (name === 'passivateAfterMs' && value === 0))) continue
    throw new ShardingError('INVALID_SETTING', `${name} must be > 0, got ${String(value)}`)
  }
  return settings
}
