import { expect, it } from 'vitest'
import type { BidRequest, CampaignTerms } from './bid.ts'
import { bidOf } from './bid.ts'

const terms: CampaignTerms = {
  status: 'Active',
  maxCpmMicros: 5_000_000,
  categories: new Set(['sport']),
  blockedCategories: new Set(),
  siteAllowlist: new Set(['s']),
  startAtMs: 100,
  endAtMs: 200,
  canSpend: true,
  creatives: 1,
}
const request: BidRequest = { site: 's', category: 'sport', floorMicros: 5_000_000, now: 100 }

it('bids its maximum, also when the floor is exactly that', () => {
  expect(bidOf(terms, request)).toEqual({ type: 'Bid', cpmMicros: 5_000_000 })
})

it.each([
  ['Paused', { status: 'Paused' }, {}],
  ['Paused', { status: 'Ended' }, {}],
  ['SiteNotAllowed', {}, { site: 't' }],
  ['CategoryMismatch', {}, { category: 'news' }],
  ['CategoryBlocked', { blockedCategories: new Set(['sport']) }, {}],
  ['BelowFloor', {}, { floorMicros: 5_000_001 }],
  ['BudgetExhausted', { canSpend: false }, {}],
  ['NoCreatives', { creatives: 0 }, {}],
  ['OutsideFlight', {}, { now: 200 }],
  ['OutsideFlight', {}, { now: 99 }],
] as const)('says %s', (reason, termsChange, requestChange) => {
  expect(bidOf({ ...terms, ...termsChange }, { ...request, ...requestChange })).toEqual({
    type: 'NoBid',
    reason,
  })
})

it('gives the first reason of several, in the fixed order', () => {
  const all = { ...terms, canSpend: false, creatives: 0 }

  expect(bidOf(all, { ...request, site: 't', floorMicros: 9e6 })).toEqual({
    type: 'NoBid',
    reason: 'SiteNotAllowed',
  })
  expect(bidOf(all, request)).toEqual({ type: 'NoBid', reason: 'BudgetExhausted' })
})

it('means anything by an empty list', () => {
  const open = { ...terms, categories: new Set<string>(), siteAllowlist: new Set<string>() }

  expect(bidOf(open, { ...request, site: 't', category: 'news' }).type).toBe('Bid')
})
