import { expect, it } from 'vitest'
import type { ServeView } from './serve-view.ts'
import type { ViewFilter } from './view-filter.ts'
import { landingDomainOf, matches } from './view-filter.ts'

const view: ServeView = {
  creativeId: 'shoes-1',
  campaignId: 'shoes|spring',
  advertiserId: 'shoes',
  campaignEpoch: 0,
  assetUrl: '/a.svg',
  mime: 'image/svg+xml',
  width: 300,
  height: 250,
  category: 'sport',
  cpmMicros: 2_000_000,
  floorMicros: 0,
  categoryScore: 0.5,
  classifiedAtMs: 0,
  landingUrl: 'https://Shop.Shoes.example/spring',
  adProductCategory: 'apparel',
  expiresAtMs: 1,
  version: 1,
}

const filters: readonly (readonly [boolean, ViewFilter])[] = [
  [true, { type: 'All' }],
  [true, { type: 'Creative', creativeId: 'shoes-1' }],
  [false, { type: 'Creative', creativeId: 'shoes-10' }],
  [true, { type: 'Campaign', campaignId: 'shoes|spring' }],
  [false, { type: 'Campaign', campaignId: 'shoes|spring', keep: ['shoes-1'] }],
  [true, { type: 'Campaign', campaignId: 'shoes|spring', keep: ['shoes-2'] }],
  [true, { type: 'Advertiser', advertiserId: 'shoes' }],
  [false, { type: 'Advertiser', advertiserId: 'shoe' }],
  [false, { type: 'AllExcept', creativeIds: new Set(['shoes-1']) }],
  [true, { type: 'AllExcept', creativeIds: new Set() }],
  [false, { type: 'BelowFloor', floorMicros: 2_000_000 }],
  [true, { type: 'BelowFloor', floorMicros: 2_000_001 }],
  [true, { type: 'Domains', domains: ['shoes.example'] }],
  [false, { type: 'Domains', domains: ['oes.example'] }],
  [true, { type: 'AdProductCategories', categories: new Set(['apparel']) }],
]

it.each(filters)('answers %s to %j', (expected, filter) => {
  expect(matches(view, filter)).toBe(expected)
})

it('knows no domain of a path on the same site', () => {
  expect(landingDomainOf({ ...view, landingUrl: '/landing' })).toBe('')
})
