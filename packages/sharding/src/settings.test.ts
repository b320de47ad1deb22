import { describe, expect, it } from 'vitest'
import { defaultShardingSettings, shardingSettings } from './settings.ts'

describe('the settings', () => {
  it('are the defaults where nothing else is said', () => {
    expect(shardingSettings({ shards: 7 })).toEqual({ ...defaultShardingSettings, shards: 7 })
    expect(defaultShardingSettings.shards).toBe(100)
  })

  it('may switch idle passivation off', () => {
    expect(shardingSettings({ passivateAfterMs: 0 }).passivateAfterMs).toBe(0)
  })

  it.each([
    { shards: 0 },
    { shards: 1.5 },
    { shards: 10_001 },
    { bufferMax: -1 },
    { passivateAfterMs: -1 },
    { retryMs: 0 },
    { retryMs: Number.NaN },
    { handOffTimeoutMs: '5' as never },
  ])('refuse %j, and say which and what they expect', (overrides) => {
    const [name = ''] = Object.keys(overrides)

    expect(() => shardingSettings(overrides)).toThrow(
      expect.objectContaining({
        code: 'INVALID_SETTING',
        message: expect.stringContaining(name) as string,
      }),
    )
  })
})
