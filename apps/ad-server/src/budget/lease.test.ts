import { describe, expect, it } from 'vitest'
import type { LeaseEffect } from './lease.ts'
import { defaultLeaseSettings, Leases } from './lease.ts'

const PRICE = 5_000
const TTL = 30_000
const settings = defaultLeaseSettings

function asked(effects: readonly LeaseEffect[]): string {
  const request = effects.find((effect) => effect.type === 'RequestLease')
  return request?.type === 'RequestLease' ? request.requestId : ''
}

/** A node with a block of `impressions`, granted at time 0. */
function purseWith(impressions: number): Leases {
  const leases = new Leases('n1')
  leases.prepare('c', PRICE, 0)
  const requestId = asked(leases.tick(0))
  leases.granted(
    'c',
    { requestId, leaseId: 'L1', grantedMicros: impressions * PRICE, ttlMs: TTL },
    10,
  )
  return leases
}

describe('asking for blocks', () => {
  it('asks for twenty impressions when a campaign gets candidates', () => {
    const leases = new Leases('n1')
    leases.prepare('c', PRICE, 0)

    expect(leases.isWaiting('c')).toBe(true)
    expect(leases.tick(0)).toEqual([
      {
        type: 'RequestLease',
        campaignId: 'c',
        requestId: 'n1#1',
        wantMicros: 100_000,
        leastMicros: 1,
      },
    ])
  })

  it('repeats the same request until it is answered', () => {
    const leases = new Leases('n1')
    leases.prepare('c', PRICE, 0)
    const first = leases.tick(0)

    expect(leases.tick(settings.repeatAfterMs - 1)).toEqual([])
    expect(leases.tick(settings.repeatAfterMs)).toEqual(first)
  })

  it('asks for the next block when half of the first is spent', () => {
    const leases = purseWith(4)
    leases.spend('c', PRICE, 20)
    leases.spend('c', PRICE, 20)
    expect([leases.isDue, asked(leases.tick(20))]).toEqual([false, ''])

    leases.spend('c', PRICE, 20)

    expect(leases.isDue).toBe(true)
    expect(asked(leases.tick(20))).toBe('n1#2')
  })

  it('leaves a campaign without money alone for a while', () => {
    const leases = new Leases('n1')
    leases.spend('c', PRICE, 0)
    leases.refused('c', asked(leases.tick(0)), 5)
    leases.spend('c', PRICE, 6)

    expect(leases.isDue).toBe(false)
    expect(leases.isWaiting('c')).toBe(false)
    expect(leases.tick(5 + settings.retryAfterMs - 1)).toEqual([])
    expect(asked(leases.tick(5 + settings.retryAfterMs))).toBe('n1#2')
  })

  it('asks for twice as much when a block lasts less than five seconds', () => {
    const leases = purseWith(4)
    for (let i = 0; i < 3; i++) leases.spend('c', PRICE, 20)
    const requestId = asked(leases.tick(20))
    leases.granted('c', { requestId, leaseId: 'L2', grantedMicros: 4 * PRICE, ttlMs: TTL }, 30)
    for (let i = 0; i < 4; i++) leases.spend('c', PRICE, 40)

    expect(leases.tick(40)).toContainEqual(expect.objectContaining({ wantMicros: 200_000 }))
  })
})

describe('spending', () => {
  it('takes from the block at once, and names each impression by lease and count', () => {
    const leases = purseWith(2)

    expect(leases.spend('c', PRICE, 20)).toBe('L1.1')
    expect(leases.spend('c', PRICE, 20)).toBe('L1.2')
    expect(leases.spend('c', PRICE, 20)).toBeUndefined()
    expect(leases.leftMicros('c')).toBe(0)
  })

  it('stops before the campaign believes the lease is over', () => {
    const leases = purseWith(4)

    expect(leases.spend('c', PRICE, TTL - settings.marginMs - 1)).toBe('L1.1')
    expect(leases.spend('c', PRICE, TTL - settings.marginMs)).toBeUndefined()
  })

  it('counts the time of a lease from when it was first asked for, not from the answer', () => {
    const leases = new Leases('n1')
    leases.prepare('c', PRICE, 0)
    const requestId = asked(leases.tick(0))
    leases.granted('c', { requestId, leaseId: 'L1', grantedMicros: 100_000, ttlMs: TTL }, 28_999)

    expect(leases.spend('c', PRICE, 28_999)).toBe('L1.1')
    expect(leases.spend('c', PRICE, 29_000)).toBeUndefined()
  })

  it('is one block however often its grant is delivered', () => {
    const leases = purseWith(2)
    leases.granted(
      'c',
      { requestId: 'n1#1', leaseId: 'L1', grantedMicros: 2 * PRICE, ttlMs: TTL },
      11,
    )

    expect(leases.leftMicros('c')).toBe(2 * PRICE)
  })
})

describe('giving back', () => {
  it('returns a block nobody waits for any more', () => {
    const leases = new Leases('n1')
    leases.prepare('c', PRICE, 0)
    const requestId = asked(leases.tick(0))
    leases.recall('c', 1)

    expect(
      leases.granted('c', { requestId, leaseId: 'L1', grantedMicros: 100_000, ttlMs: TTL }, 2),
    ).toEqual([
      { type: 'ReportLease', campaignId: 'c', leaseId: 'L1', spentMicros: 0, isFinal: true },
    ])
    expect(leases.spend('c', PRICE, 3)).toBeUndefined()
  })

  it('returns everything before the node leaves, with what was spent', () => {
    const leases = purseWith(4)
    leases.spend('c', PRICE, 20)

    expect(leases.returnAll(30)).toEqual([
      { type: 'ReportLease', campaignId: 'c', leaseId: 'L1', spentMicros: PRICE, isFinal: true },
    ])
    expect(leases.spend('c', PRICE, 31)).toBeUndefined()
  })

  it('repeats a final report until it is settled', () => {
    const leases = purseWith(4)
    const report = leases.recall('c', 20)

    expect(leases.tick(20 + settings.repeatAfterMs)).toEqual(report)
    expect(leases.abroad).toBe(1)
    leases.settled('c', 'L1')
    expect(leases.abroad).toBe(0)
    expect(leases.tick(20 + 5 * settings.repeatAfterMs)).toEqual([])
  })

  it('reports spending while the block is open', () => {
    const leases = purseWith(10)
    leases.spend('c', PRICE, 20)

    expect(leases.tick(10 + settings.reportIntervalMs)).toEqual([
      { type: 'ReportLease', campaignId: 'c', leaseId: 'L1', spentMicros: PRICE, isFinal: false },
    ])
    expect(leases.tick(10 + 2 * settings.reportIntervalMs)).toEqual([])
  })

  it('returns the rest when nobody spends', () => {
    const leases = purseWith(10)

    const effects = leases.tick(settings.idleMs)

    expect(effects).toEqual([
      { type: 'ReportLease', campaignId: 'c', leaseId: 'L1', spentMicros: 0, isFinal: true },
    ])
  })

  it('returns a rest too small for one impression and asks anew', () => {
    const leases = purseWith(1)
    leases.spend('c', 2_000, 20)
    expect(leases.spend('c', PRICE, 21)).toBeUndefined()

    const effects = leases.tick(22)

    expect(effects.map((effect) => effect.type)).toEqual(['ReportLease', 'RequestLease'])
  })
})

it('asks for nothing more once it has returned everything', () => {
  const leases = purseWith(4)
  leases.returnAll(20)
  leases.spend('c', PRICE, 21)

  expect(asked(leases.tick(22))).toBe('')
})
