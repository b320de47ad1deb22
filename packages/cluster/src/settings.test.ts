import type { Logger } from '@troupe/actor'
import { describe, expect, it } from 'vitest'
import {
  type ClusterSettings,
  clusterSettings,
  defaultClusterSettings,
  localClusterSettings,
} from './settings.ts'

const codeOf = (overrides: Partial<ClusterSettings>): string | undefined => {
  try {
    clusterSettings(overrides)
    return undefined
  } catch (error) {
    return (error as { readonly code: string }).code
  }
}

describe('settings', () => {
  it('are those of production unless said otherwise', () => {
    expect(clusterSettings()).toEqual(defaultClusterSettings)
    expect(clusterSettings({ port: 7000 }).port).toBe(7000)
  })

  it('for one machine are accepted as they are, and are quicker', () => {
    const local = clusterSettings(localClusterSettings())

    expect(local.acceptablePauseMs + local.stableAfterMs).toBeLessThan(6_000)
    expect(local.gossipIntervalMs).toBeLessThan(defaultClusterSettings.gossipIntervalMs)
  })

  it.each<[string, Partial<ClusterSettings>]>([
    ['INVALID_SETTING', { gossipIntervalMs: 0 }],
    ['INVALID_SETTING', { stableAfterMs: NaN }],
    ['INVALID_SETTING', { acceptablePauseMs: 100 }],
    ['INVALID_SETTING', { messageBytesMax: 4 * 1_024 * 1_024 }],
    ['INVALID_ADDRESS', { seeds: ['127.0.0.1'] }],
    ['WEAK_SECRET', { secret: 'too short' }],
    ['INVALID_SETTING', { host: '0.0.0.0', secret: 'a secret of sixteen' }],
    ['INVALID_SETTING', { advertisedHost: 'no host' }],
    ['INSECURE_BIND', { host: '0.0.0.0' }],
    ['INSECURE_BIND', { host: '10.0.0.1' }],
    ['INSECURE_BIND', { host: '::' }],
    ['INSECURE_BIND', { host: '127.evil.example' }],
  ])('that cannot work or are unsafe are refused: %s', (code, overrides) => {
    expect(codeOf(overrides)).toBe(code)
  })

  it.each<Partial<ClusterSettings>>([
    { host: 'localhost' },
    { host: '::1' },
    { host: '127.0.1.1' },
    { host: '0.0.0.0', advertisedHost: 'node-1', secret: 'a secret of sixteen' },
    { host: '0.0.0.0', advertisedHost: 'node-1', insecure: true },
  ])('that are safe or were chosen knowingly are accepted: %j', (overrides) => {
    expect(codeOf(overrides)).toBeUndefined()
  })

  it('that leave the door open are logged at every start', () => {
    const phrases: string[] = []
    const log = { warn: (_: object, phrase: string) => void phrases.push(phrase) }

    const open = { host: '10.0.0.1', insecure: true }
    const locked = { host: '10.0.0.1', secret: 'a secret of sixteen' }

    clusterSettings(open, log as unknown as Logger)
    clusterSettings(locked, log as unknown as Logger)

    expect(phrases).toEqual(['cluster links are open to anybody who reaches this host'])
  })
})
