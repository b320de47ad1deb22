import type { Crdt, CrdtType } from '@troupe/crdt'
import { ReplicatorError } from './errors.ts'

export interface ReplicatorSettings {
  /** How often to compare digests with one random node, in milliseconds. Repairs what deltas missed. */
  readonly gossipIntervalMs: number
  /** What was sent and not acknowledged for this long is sent again, in milliseconds; doubles while nothing comes back. */
  readonly resendMs: number
  /** Most bytes of state in one message; larger values travel in several. */
  readonly messageBytesMax: number
  /** Most bytes on their way to one node; what does not fit waits for acknowledgements. */
  readonly windowBytes: number
  /** Most keys whose digests go into one message. */
  readonly statusKeysMax: number
  /** How long removals are remembered, in milliseconds: longer than any node may be away. */
  readonly tombstoneMs: number
  /** Types of values beyond those this package brings, so that replicas of them are taken from others. */
  readonly types: readonly CrdtType<Crdt>[]
}

export const defaultReplicatorSettings: ReplicatorSettings = {
  gossipIntervalMs: 2_000,
  resendMs: 500,
  messageBytesMax: 60 * 1_024,
  windowBytes: 1_024 * 1_024,
  statusKeysMax: 1_000,
  tombstoneMs: 86_400_000,
  types: [],
}

/** Fills in defaults and refuses what cannot work. */
export function replicatorSettings(
  overrides: Partial<ReplicatorSettings> = {},
): ReplicatorSettings {
  const settings = { ...defaultReplicatorSettings, ...overrides }
  const { types: _types, ...numbers } = settings
  for (const [name, value] of Object.entries(numbers)) {
    if (!(value > 0)) {
      throw new ReplicatorError('INVALID_SETTING', `${name} must be > 0, got ${value}`)
    }
  }
  if (settings.messageBytesMax > MESSAGE_BYTES_LIMIT) {
    throw new ReplicatorError(
      'INVALID_SETTING',
      `messageBytesMax must be at most ${MESSAGE_BYTES_LIMIT}, or a frame could not hold it; got ${settings.messageBytesMax}`,
    )
  }
  if (settings.windowBytes < settings.messageBytesMax) {
    throw new ReplicatorError('INVALID_SETTING', 'windowBytes must be at least messageBytesMax')
  }
  if (settings.tombstoneMs <= settings.gossipIntervalMs) {
    throw new ReplicatorError(
      'INVALID_SETTING',
      'tombstoneMs must be greater than gossipIntervalMs',
    )
  }
  return settings
}

/** A message larger than this is never sent: the frame around it would break the link. */
export const MESSAGE_BYTES_LIMIT: number = 1_024 * 1_024
