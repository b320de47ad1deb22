import { describe, expect, it } from 'vitest'
import { FlatIndex } from './flat-index.ts'
import { bucketOf, mapKey } from './serve-index.ts'
import type { ServeView } from './serve-view.ts'

function view(creativeId: string, expiresAtMs: number = 1_000): ServeView {
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
    floorMicros: 0,
    categoryScore: 0.5,
    classifiedAtMs: 0,
    landingUrl: '/l',
    expiresAtMs,
    version: 1,
  }
}

function keyOf(creativeId: string, namespace: string = 's|top'): string {
  return mapKey(namespace, bucketOf(creativeId))
}

function indexWith(...views: readonly ServeView[]): FlatIndex {
  const index = new FlatIndex()
  for (const each of views) index.apply(keyOf(each.creativeId), [each], [])
  return index
}

function idsIn(index: FlatIndex, now: number = 0): string[] {
  return index.read('s', 'top', now).map((each) => each.creativeId)
}

describe('FlatIndex', () => {
  it('gathers the buckets of a slot under one key', () => {
    const index = indexWith(view('creative-1'), view('creative-2'))

    expect(idsIn(index)).toEqual(['creative-1', 'creative-2'])
    expect([index.size, index.slots]).toEqual([2, 1])
  })

  it('replaces a view by the newer one of the same creative', () => {
    const index = indexWith(view('a'), { ...view('a'), cpmMicros: 3_000_000 })

    expect(index.read('s', 'top', 0)).toMatchObject([{ cpmMicros: 3_000_000 }])
  })

  it('shows nothing at or after its expiry, swept or not', () => {
    const index = indexWith(view('a', 100), view('b', 200))

    expect([idsIn(index, 99), idsIn(index, 100), idsIn(index, 200)]).toEqual([
      ['a', 'b'],
      ['b'],
      [],
    ])
    expect([index.size, index.slots]).toEqual([0, 0])
  })

  it('notices a view that was made to expire earlier', () => {
    const index = indexWith(view('a', 1_000))
    index.apply(keyOf('a'), [view('a', 50)], [])

    expect(idsIn(index, 50)).toEqual([])
  })

  it('forgets a slot with its last view', () => {
    const index = indexWith(view('a'))
    index.apply(keyOf('a'), [], ['a', 'unknown'])

    expect([index.size, index.slots]).toEqual([0, 0])
  })

  it('takes the whole content of one bucket and leaves the other buckets', () => {
    const index = indexWith(view('creative-1'), view('creative-2'))
    index.replace(keyOf('creative-1'), [])

    expect(idsIn(index)).toEqual(['creative-2'])
  })

  it('keeps the slots of sites apart', () => {
    const index = indexWith(view('a'))
    index.apply(keyOf('a', 's|bottom'), [view('a')], [])
    index.apply(keyOf('a', 's2|top'), [view('a')], [])

    expect([...index.namespacesOf('s')]).toEqual(['s|top', 's|bottom'])
  })

  it('knows which campaigns have views on a site', () => {
    const index = indexWith(view('a'), view('b', 50))
    index.apply(keyOf('c'), [{ ...view('c'), campaignId: 'hats|fall' }], [])
    expect([...index.campaignsOf('s')]).toEqual([
      ['shoes|spring', 2],
      ['hats|fall', 1],
    ])

    index.read('s', 'top', 50)
    index.apply(keyOf('a'), [{ ...view('a'), campaignId: 'hats|fall' }], [])
    expect([...index.campaignsOf('s')]).toEqual([['hats|fall', 2]])
    index.apply(keyOf('a'), [], ['a'])
    index.apply(keyOf('c'), [], ['c'])

    expect(index.campaignsOf('s').size).toBe(0)
  })

  it('leaves keys of others alone', () => {
    const index = new FlatIndex()

    expect(index.apply('campaigns', [view('a')], [])).toBe(false)
    expect(index.replace('campaigns', [view('a')])).toBe(false)
    expect(index.size).toBe(0)
  })
})
