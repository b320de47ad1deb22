import { describe, expect, it } from 'vitest'
import type { BucketEdit, Buckets } from './serve-index.ts'
import {
  bucketOf,
  mapKey,
  namespaceOf,
  parseMapKey,
  planAppend,
  planPut,
  planRefreshTtl,
  planRemove,
  planSweep,
  planUpdateCpm,
  refreshTtlMs,
  siteOf,
  VersionClock,
} from './serve-index.ts'
import type { Candidate, ServeView } from './serve-view.ts'

function candidate(creativeId: string, more: Partial<Candidate> = {}): Candidate {
  return {
    creativeId,
    campaignId: 'shoes|spring',
    advertiserId: 'shoes',
    campaignEpoch: 1,
    assetUrl: '/a.svg',
    mime: 'image/svg+xml',
    width: 300,
    height: 250,
    category: 'sport',
    cpmMicros: 2_000_000,
    floorMicros: 500_000,
    categoryScore: 0.5,
    classifiedAtMs: 0,
    landingUrl: '/l',
    ...more,
  }
}

function view(creativeId: string, more: Partial<ServeView> = {}): ServeView {
  return { ...candidate(creativeId), expiresAtMs: 1_000, version: 5, ...more }
}

function bucketsOf(...views: readonly ServeView[]): Map<number, Map<string, ServeView>> {
  const buckets = new Map<number, Map<string, ServeView>>()
  for (const each of views) {
    const bucket = bucketOf(each.creativeId)
    const entries = buckets.get(bucket) ?? new Map<string, ServeView>()
    buckets.set(bucket, entries.set(each.creativeId, each))
  }
  return buckets
}

/** What the slot holds after the edits, by creative. */
function after(buckets: Buckets, edits: readonly BucketEdit[]): Map<string, ServeView> {
  const views = new Map<string, ServeView>()
  for (const entries of buckets.values())
    for (const each of entries.values()) views.set(each.creativeId, each)
  for (const { drops, upserts } of edits) {
    for (const creativeId of drops) views.delete(creativeId)
    for (const each of upserts) views.set(each.creativeId, each)
  }
  return views
}

const options = { now: 100, ttlMs: 500, version: 9 }

describe('keys', () => {
  it('names a bucket of a slot', () => {
    expect(mapKey(namespaceOf('site-123', 'slot-banner-top'), 7)).toBe(
      'site-123|slot-banner-top|bucket-7',
    )
    expect(parseMapKey('site-123|slot-banner-top|bucket-7')).toEqual({
      namespace: 'site-123|slot-banner-top',
      bucket: 7,
    })
    expect(siteOf('site-123|slot-banner-top')).toBe('site-123')
  })

  it.each([
    'site|slot|bucket-32',
    'site|slot|bucket-',
    'site|bucket-3',
    'site|slot|bucket-1x',
    'campaigns',
    '',
  ])('takes %j for none of its keys', (key) => {
    expect(parseMapKey(key)).toBeUndefined()
  })

  it('spreads ten creatives over eight to ten buckets', () => {
    const buckets = new Set(Array.from({ length: 10 }, (_, i) => bucketOf(`creative-${i + 1}`)))

    expect(buckets.size).toBe(10)
  })

  it('fills all buckets evenly with ids in sequence', () => {
    const counts = new Map<number, number>()
    for (let i = 0; i < 3_200; i++) {
      const bucket = bucketOf(`creative-${i}`)
      counts.set(bucket, (counts.get(bucket) ?? 0) + 1)
    }

    expect(counts.size).toBe(32)
    expect(Math.max(...counts.values())).toBeLessThan(150)
  })
})

describe('Put', () => {
  it('replaces what the slot showed', () => {
    const current = bucketsOf(view('a'), view('b'))

    const views = after(
      current,
      planPut(current, [candidate('b', { cpmMicros: 3_000_000 }), candidate('c')], options),
    )

    expect([...views.keys()].sort()).toEqual(['b', 'c'])
    expect(views.get('b')).toMatchObject({ cpmMicros: 3_000_000, expiresAtMs: 600, version: 9 })
  })

  it('changes nothing when the auction found nothing', () => {
    const current = bucketsOf(view('a'))

    expect(planPut(current, [], options)).toEqual([])
  })

  it('keeps orphans that are named', () => {
    const current = bucketsOf(view('a'), view('b'))
    const edits = planPut(current, [candidate('c')], {
      ...options,
      keepCreativeIds: new Set(['a']),
    })

    expect([...after(current, edits).keys()].sort()).toEqual(['a', 'c'])
  })

  it('does not bring back what a takedown has overtaken', () => {
    const current = bucketsOf(view('a', { campaignEpoch: 2 }))

    const views = after(
      current,
      planPut(current, [candidate('a', { campaignEpoch: 1, cpmMicros: 9_000_000 })], options),
    )

    expect(views.get('a')?.cpmMicros).toBe(2_000_000)
  })

  it('does not write again what it only confirms, until half of its life is over', () => {
    const fresh = bucketsOf(view('a', { expiresAtMs: 351 }))
    const aging = bucketsOf(view('a', { expiresAtMs: 350 }))

    expect(planPut(fresh, [candidate('a')], options)).toEqual([])
    expect(planPut(aging, [candidate('a')], options)[0]?.upserts).toMatchObject([
      { expiresAtMs: 600 },
    ])
    for (const change of [
      { cpmMicros: 3_000_000 },
      { floorMicros: 1 },
      { campaignEpoch: 2 },
      { classifiedAtMs: 9 },
    ])
      expect(planPut(fresh, [candidate('a', change)], options)[0]?.upserts).toMatchObject([change])
  })

  it('can be planned bucket by bucket, with the same result', () => {
    const current = bucketsOf(view('creative-1'), view('creative-9'))
    const candidates = [candidate('creative-1', { cpmMicros: 3_000_000 }), candidate('creative-2')]
    const whole = planPut(current, candidates, options)

    const parts = Array.from({ length: 32 }, (_, bucket) => {
      const entries = current.get(bucket) ?? new Map<string, ServeView>()
      return planPut(new Map([[bucket, entries]]), candidates, { ...options, bucket })
    })

    expect(parts.flat()).toEqual(whole.toSorted((a, b) => a.bucket - b.bucket))
  })

  it('touches only buckets that change', () => {
    const edits = planPut(new Map(), [candidate('creative-1'), candidate('creative-2')], options)

    expect(edits.map(({ bucket }) => bucket)).toEqual([
      bucketOf('creative-1'),
      bucketOf('creative-2'),
    ])
  })
})

describe('Append and UpdateCpm and RefreshTTL', () => {
  it('adds one creative and leaves the others', () => {
    const current = bucketsOf(view('a'))

    expect([...after(current, planAppend(current, candidate('b'), options)).keys()]).toEqual([
      'a',
      'b',
    ])
  })

  it('writes new prices only where they are new, and does not make entries younger', () => {
    const current = bucketsOf(view('a'), view('b', { campaignId: 'other|x' }))
    const edits = planUpdateCpm(current, new Map([['shoes|spring', 3_000_000]]))

    expect(edits).toHaveLength(1)
    expect(edits[0]?.upserts).toEqual([view('a', { cpmMicros: 3_000_000 })])
    expect(planUpdateCpm(current, new Map([['shoes|spring', 2_000_000]]))).toEqual([])
    expect(planUpdateCpm(current, new Map())).toEqual([])
  })

  it('lets entries live longer, but does not wake the dead', () => {
    const current = bucketsOf(view('a'), view('b', { expiresAtMs: 100 }))
    const edits = planRefreshTtl(current, { type: 'All' }, 2_000, 100)

    expect(edits.flatMap(({ upserts }) => upserts)).toEqual([view('a', { expiresAtMs: 2_100 })])
  })

  it('refreshes for a tenth longer than a day', () => {
    expect([refreshTtlMs(86_400), refreshTtlMs(600)]).toEqual([95_040_000, 660_000])
  })
})

describe('removal', () => {
  it('takes what matches and what it has seen', () => {
    const current = bucketsOf(view('a'), view('b', { campaignId: 'other|x' }))
    const edits = planRemove(current, { type: 'Campaign', campaignId: 'shoes|spring' }, 5)

    expect([...after(current, edits).keys()]).toEqual(['b'])
  })

  it('spares a creative that was put again after the removal was decided', () => {
    const current = bucketsOf(view('a', { version: 6 }))

    expect(planRemove(current, { type: 'All' }, 5)).toEqual([])
  })
})

describe('Sweep', () => {
  it('takes what has expired, exactly at its time', () => {
    const current = bucketsOf(view('a', { expiresAtMs: 100 }), view('b', { expiresAtMs: 101 }))

    expect([...after(current, planSweep(current, 100)).keys()]).toEqual(['b'])
  })

  it('takes 500 of 501 expired entries of a bucket, and the last one in the next run', () => {
    const entries = new Map(
      Array.from({ length: 501 }, (_, i) => [`c${i}`, view(`c${i}`, { expiresAtMs: 1 })]),
    )
    const first = planSweep(new Map([[3, entries]]), 100)
    for (const creativeId of first[0]?.drops ?? []) entries.delete(creativeId)

    expect(first[0]?.drops).toHaveLength(500)
    expect(planSweep(new Map([[3, entries]]), 100)[0]?.drops).toHaveLength(1)
  })
})

describe('VersionClock', () => {
  it('follows the clock, and counts on when that stands still or goes back', () => {
    const versions = new VersionClock()

    expect([versions.next(100), versions.next(100), versions.next(50), versions.next(200)]).toEqual(
      [100, 101, 102, 200],
    )
  })

  it('counts above every version it has seen', () => {
    const versions = new VersionClock()
    versions.observe(5_000)
    versions.observe(10)

    expect(versions.next(100)).toBe(5_001)
  })
})
