import { describe, expect, it } from 'vitest'
import type { CampaignBidResponse } from '../campaign/campaign-protocol.ts'
import type { ScenarioSite } from '../scenario.ts'
import type { ClassifiedPage } from './site-book.ts'
import { SiteBook } from './site-book.ts'

const HOUR = 3_600_000

function page(url: string, more: Partial<ClassifiedPage> = {}): ClassifiedPage {
  return {
    url,
    categoryScores: { sport: 0.9, news: 0.5, cars: 0.3, food: 0.1 },
    slots: [{ slotId: `${url}-top`, width: 300, height: 250 }],
    classifiedAtMs: 0,
    ...more,
  }
}

function response(
  campaignId: string,
  cpmMicros: number,
  more: Partial<CampaignBidResponse> = {},
): CampaignBidResponse {
  return {
    type: 'CampaignBidResponse',
    campaignId,
    advertiserId: 'adv',
    epoch: 3,
    bids: [{ category: 'news', cpmMicros }],
    rejections: [],
    creatives: [
      {
        creativeId: `${campaignId}-1`,
        assetUrl: '/a.svg',
        mime: 'image/svg+xml',
        width: 300,
        height: 250,
        landingUrl: '/l',
      },
    ],
    ...more,
  }
}

const bookWith = (...pages: readonly ClassifiedPage[]): SiteBook => {
  const book = new SiteBook('s', 500_000)
  for (const each of pages) book.classified(each)
  return book
}

describe('what is asked', () => {
  it('are the three best categories of all pages, their sizes and the lowest floor', () => {
    const slots = [{ slotId: 'x', width: 728, height: 90, floorCpmMicros: 100_000 }]

    expect(
      bookWith(page('/1'), page('/2', { slots })).questionFor(['/1', '/2', '/unknown']),
    ).toEqual({
      categories: ['sport', 'news', 'cars'],
      sizes: ['300x250', '728x90'],
      floorMicros: 100_000,
    })
  })

  it('is nothing for pages nobody knows', () => {
    expect(bookWith().questionFor(['/1'])).toBeUndefined()
  })
})

describe('the auction of a slot', () => {
  it('makes candidates with all that serving needs', () => {
    const [result] = bookWith(page('/1', { classifiedAtMs: 77 })).auction(
      ['/1'],
      [response('a', 2_000_000)],
    )

    expect(result).toEqual({
      url: '/1',
      site: 's',
      slot: '/1-top',
      candidates: [
        {
          creativeId: 'a-1',
          campaignId: 'a',
          advertiserId: 'adv',
          campaignEpoch: 3,
          assetUrl: '/a.svg',
          mime: 'image/svg+xml',
          width: 300,
          height: 250,
          category: 'news',
          cpmMicros: 2_000_000,
          floorMicros: 500_000,
          categoryScore: 0.5,
          classifiedAtMs: 77,
          landingUrl: '/l',
        },
      ],
    })
  })

  it('leaves out creatives of another size, bids below the floor, and categories the page does not have', () => {
    const [creative] = response('x', 1).creatives
    const results = bookWith(page('/1')).auction(
      ['/1'],
      [
        response('wide', 2_000_000, {
          creatives: creative === undefined ? [] : [{ ...creative, width: 728 }],
        }),
        response('cheap', 499_999),
        response('food', 9_000_000, { bids: [{ category: 'food', cpmMicros: 9_000_000 }] }),
      ],
    )

    expect(results[0]?.candidates).toEqual([])
  })

  it('takes the category that fits the page best among those a campaign bid for', () => {
    const bids = [
      { category: 'cars', cpmMicros: 9_000_000 },
      { category: 'sport', cpmMicros: 2_000_000 },
    ]
    const [result] = bookWith(page('/1')).auction(['/1'], [response('a', 0, { bids })])

    expect(result?.candidates).toMatchObject([
      { category: 'sport', cpmMicros: 2_000_000, categoryScore: 0.9 },
    ])
  })

  it('respects floors of categories and of the site as they change', () => {
    const book = bookWith(page('/1'))
    const floorNow = (): number | undefined =>
      book.auction(['/1'], [response('a', 9_000_000)])[0]?.candidates[0]?.floorMicros

    book.updateFloor(800_000)
    expect(floorNow()).toBe(800_000)
    book.updateCategoryFloors({ news: 1_200_000 })
    expect(floorNow()).toBe(1_200_000)
  })
})

describe('freshness', () => {
  it('counts pages classified less than 48 hours ago', () => {
    const book = bookWith(page('/1'), page('/2', { classifiedAtMs: HOUR }))

    expect(book.freshPages(48 * HOUR - 1)).toEqual(['/1', '/2'])
    expect(book.freshPages(48 * HOUR)).toEqual(['/2'])
    expect(book.dropStale(48 * HOUR)).toEqual(['/1-top'])
    expect(book.pages).toBe(1)
  })

  it('forgets the page classified longest ago beyond ten thousand', () => {
    const book = bookWith()
    for (let i = 0; i <= 10_000; i++) book.classified(page(`/${i}`))
    book.classified(page('/1'))

    expect(book.pages).toBe(10_000)
    expect(book.questionFor(['/0'])).toBeUndefined()
  })
})

describe('the scenario’s pages', () => {
  const site: ScenarioSite = {
    siteId: 's',
    floorCpmMicros: 600_000,
    pages: [
      {
        url: '/1',
        weight: 1,
        categoryScores: { sport: 1 },
        slots: [{ slotId: 'a', width: 1, height: 1 }],
      },
    ],
  }

  it('do not undo a floor that was changed by hand', () => {
    const book = bookWith()
    book.restore(site, 0)
    expect(book.questionFor(['/1'])?.floorMicros).toBe(600_000)
    book.updateFloor(900_000)
    book.restore(site, 24 * HOUR)
    expect(book.questionFor(['/1'])?.floorMicros).toBe(900_000)

    book.restore({ ...site }, 24 * HOUR)

    expect(book.questionFor(['/1'])?.floorMicros).toBe(600_000)
  })

  it('are taken once, and again when half of their freshness is over or they have changed', () => {
    const book = bookWith()

    expect(book.restore(site, 0)).toEqual(['/1'])
    expect(book.restore(site, 24 * HOUR - 1)).toEqual([])
    expect(book.restore(site, 24 * HOUR)).toEqual(['/1'])
    const [first] = site.pages
    const changed = {
      ...site,
      pages: first === undefined ? [] : [{ ...first, categoryScores: { news: 1 } }],
    }
    expect(book.restore(changed, 24 * HOUR)).toEqual(['/1'])
  })
})
