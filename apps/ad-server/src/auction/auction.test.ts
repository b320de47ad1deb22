import { describe, expect, it } from 'vitest'
import { logScore, powerScore } from '../sampling/score-formula.ts'
import type { Candidate } from '../serve-index/serve-view.ts'
import type { Floors } from './auction.ts'
import {
  clearingPrice,
  defaultAuctionSettings,
  floorMicrosOf,
  nearTheTop,
  runAuction,
  shortlist,
  topCategories,
} from './auction.ts'

function bid(creativeId: string, cpmMicros: number, more: Partial<Candidate> = {}): Candidate {
  return {
    creativeId,
    campaignId: `a|${creativeId}`,
    advertiserId: 'a',
    campaignEpoch: 0,
    assetUrl: '/a.svg',
    mime: 'image/svg+xml',
    width: 300,
    height: 250,
    category: 'sport',
    cpmMicros,
    floorMicros: 0,
    categoryScore: 0.5,
    classifiedAtMs: 0,
    landingUrl: '/l',
    ...more,
  }
}
const ids = (bids: readonly Candidate[]): string[] => bids.map(({ creativeId }) => creativeId)
const floors: Floors = {
  siteMicros: 500_000,
  byCategory: new Map([['sport', 800_000]]),
  bySlot: new Map([['top', 100_000]]),
}

describe('categories', () => {
  it('are the three a page fits best, in a fixed order', () => {
    const scores: [string, number][] = [
      ['b', 0.5],
      ['a', 0.5],
      ['low', 0.1],
      ['top', 0.9],
      ['none', -1],
    ]

    expect(topCategories(scores).map(({ category }) => category)).toEqual(['top', 'a', 'b'])
  })
})

describe('floors', () => {
  it.each([
    ['top', 'sport', 100_000],
    ['side', 'sport', 800_000],
    ['side', 'news', 500_000],
  ])('of slot %s and category %s is %d', (slot, category, floor) => {
    expect(floorMicrosOf(floors, slot, category)).toBe(floor)
  })

  it('keep a bid that equals them', () => {
    expect(ids(runAuction([bid('a', 800_000), bid('b', 799_999)], 'side', floors))).toEqual(['a'])
  })
})

describe('the filter by distance from the best', () => {
  it('keeps exactly 2.40 of 3 dollars at 20 %, where floating point would drop it', () => {
    expect(
      ids(nearTheTop([bid('a', 3_000_000), bid('b', 2_400_000), bid('c', 2_399_999)], 0.2)),
    ).toEqual(['a', 'b'])
  })

  it('drops what is below a fifth of the best by default', () => {
    const kept = runAuction(
      [bid('a', 10_000_000), bid('b', 2_000_000), bid('c', 1_999_999)],
      'top',
      floors,
    )

    expect(ids(kept)).toEqual(['a', 'b'])
  })
})

describe('the shortlist', () => {
  const bids = [
    bid('x1', 9e6, { campaignId: 'x' }),
    bid('x2', 8e6, { campaignId: 'x' }),
    bid('y', 3e6),
  ]

  it('puts the best of each campaign in front of everybody’s second', () => {
    expect(ids(shortlist(bids, defaultAuctionSettings))).toEqual(['x1', 'y', 'x2'])
  })

  it('keeps one of each campaign, or so many in all, when told to', () => {
    expect(ids(shortlist(bids, { ...defaultAuctionSettings, onePerCampaign: true }))).toEqual([
      'x1',
      'y',
    ])
    expect(ids(shortlist(bids, { ...defaultAuctionSettings, keepMax: 1 }))).toEqual(['x1'])
  })

  it('has each creative once, at its best price', () => {
    const kept = shortlist([bid('a', 1e6), bid('a', 2e6)], defaultAuctionSettings)

    expect(kept.map(({ cpmMicros }) => cpmMicros)).toEqual([2_000_000])
  })

  it('looks at the fifty best and no further', () => {
    const many = Array.from({ length: 60 }, (_, i) => bid(`c${i}`, 1_000_000 + i))

    expect(shortlist(many, defaultAuctionSettings)).toHaveLength(50)
  })
})

describe('the clearing price', () => {
  const input = {
    formula: powerScore(0.5),
    runnerUpMeanScore: 0.02,
    winnerMeanEngagement: 0.01,
    floorMicros: 500_000,
    bidMicros: 9_000_000,
  }

  it('is what the winner needs to stay ahead of the runner-up', () => {
    // (0.02 / 0.01) squared is 4 dollars: at 4 dollars the winner scores 0.01 * 2 = 0.02.
    expect(clearingPrice(input)).toBe(4_000_000)
  })

  it.each([
    ['no rival', { runnerUpMeanScore: 0 }, 500_000],
    ['no engagement', { winnerMeanEngagement: 0 }, 500_000],
    ['a price that does not count', { formula: powerScore(0) }, 500_000],
    ['a rival far below', { runnerUpMeanScore: 0.001 }, 500_000],
    [
      'a rival above the bid: a lucky draw must not raise the price',
      { runnerUpMeanScore: 5 },
      9_000_000,
    ],
    ['nonsense', { runnerUpMeanScore: NaN }, 500_000],
  ])('with %s stays within floor and bid', (_, change, price) => {
    expect(clearingPrice({ ...input, ...change })).toBe(price)
  })

  it('is the inverse of each formula', () => {
    for (const formula of [powerScore(0.3), powerScore(0.5), powerScore(0.7), logScore()])
      expect(formula.cpmMicrosAt(formula.weightOf(3_000_000))).toBeCloseTo(3_000_000, 3)
  })
})
