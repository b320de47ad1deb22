import { ReplicatorError } from './errors.ts'

export interface ReplicatorSettings {
  /** How often to compare digests with one random node, in milliseconds. Repairs what deltas missed. */
  readonly gossipIntervalMs: number
  /** Most bytes of state in one message; larger values travel in several. */
  readonly messageBytesMax: number
  /** Most keys whose digests go into one message. */
  readonly statusKeysMax: number
  /** How long removals are remembered, in milliseconds: longer than any node may be away. */
  readonly tombstoneMs: number
}

export const defaultReplicatorSettings: ReplicatorSettings = {
  gossipIntervalMs: 2_000,
  messageBytesMax: 60 * 1_024,
  statusKeysMax: 1_000,
  tombstoneMs: 86_400_000,
}

/** Fills in defaults and refuses what cannot work. */
export function replicatorSettings(
  overrides: Partial<ReplicatorSettings> = {},
): ReplicatorSettings {
  const settings = { ...defaultReplicatorSettings, ...overrides }
  for (const [name, value] of Object.entries(settings)) {
    if (!(typeof value === 'number' && value > 0)) {
      throw new ReplicatorError('INVALID_SETTING', `${name} must be > 0, got ${String(value)}`)
    }
  }
  return settings
}
