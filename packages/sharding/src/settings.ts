import { ShardingError } from './errors.ts'

export interface ShardingSettings {
  /** How many shards a type has; the same on every node, and never changed while the cluster runs. */
  readonly shards: number
  /** In a new cluster no shard gets a home before so many nodes that host the type are Up and registered. */
  readonly hostsMin: number
  /** An entity without messages for this long is stopped, in milliseconds. 0: never. */
  readonly passivateAfterMs: number
  /**
   * Most messages a node keeps: for shards whose home is not known or moving, and for entities that
   * are just ending. Further ones are dropped (ShardBufferFull).
   */
  readonly bufferMax: number
  /** How often unanswered questions between regions and coordinator are asked again, in milliseconds. */
  readonly retryMs: number
  /** How often the coordinator looks whether shards should move to even out the load, in milliseconds. */
  readonly rebalanceMs: number
  /** Most shards that move at the same time to even out the load. A leaving node gives up all its shards at once. */
  readonly movesMax: number
  /**
   * How long each step of a move may take, in milliseconds: until all nodes hold back their messages,
   * then until the shard's entities have ended. Afterwards it goes on without nodes that are late, and
   * entities that are late are stopped hard. The same holds for an entity that is told to end alone.
   */
  readonly handOffTimeoutMs: number
  /** How long a node that leaves waits for its shards to move before it stops their entities, in milliseconds. */
  readonly leaveTimeoutMs: number
}

export const defaultShardingSettings: ShardingSettings = {
  shards: 100,
  hostsMin: 1,
  passivateAfterMs: 120_000,
  bufferMax: 100_000,
  retryMs: 1_000,
  rebalanceMs: 5_000,
  movesMax: 10,
  handOffTimeoutMs: 5_000,
  leaveTimeoutMs: 9_000,
}

/** Fills in defaults and refuses what cannot work. */
export function shardingSettings(overrides: Partial<ShardingSettings> = {}): ShardingSettings {
  const settings = { ...defaultShardingSettings, ...overrides }
  for (const [name, value] of Object.entries(settings)) {
    const isNone = name === 'passivateAfterMs' && value === 0
    const isWhole = !COUNTS.has(name) || Number.isSafeInteger(value)
    if (typeof value === 'number' && isWhole && (value > 0 || isNone)) continue
    const expected = COUNTS.has(name) ? 'a whole number > 0' : 'a number > 0'
    throw new ShardingError('INVALID_SETTING', `${name} must be ${expected}, got ${String(value)}`)
  }
  if (settings.shards > SHARDS_MAX) {
    throw new ShardingError(
      'INVALID_SETTING',
      `shards must be at most ${SHARDS_MAX}, got ${settings.shards}; ten per node are plenty`,
    )
  }
  return settings
}

const COUNTS: ReadonlySet<string> = new Set(['shards', 'hostsMin', 'bufferMax', 'movesMax'])
/** What a region reports when it registers has to fit into one message. */
export const SHARDS_MAX = 10_000
