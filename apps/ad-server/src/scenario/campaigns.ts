import type { ScenarioCampaign, ScenarioCreative } from '../scenario.ts'
import { CATEGORY } from './page-categories.ts'
import { SLOT_SIZES } from './sites.ts'

/** What the figures of one exchange say about its advertiser. */
export interface AdvertiserFigures {
  readonly advertiserId: string
  /** Bids for 1,000 impressions by hour of the day: 24, in micro-dollars. */
  readonly cpmMicrosByHour: readonly number[]
  /** Mean of all bids, of other days too: the budget follows from it and is the same every day. */
  readonly meanCpmMicros: number
  /** Mean share of impressions that are clicked. */
  readonly clickRate: number
}

export interface Demand {
  /** Slots that are offered on one day of the scenario. */
  readonly slotsPerDay: number
}

/**
 * Two campaigns for each advertiser: one wants readers of certain pages, the other everybody's.
 *
 * The budgets together pay for about `FILL` of the day's slots, in parts that grow with the
 * advertisers' bids: so there is something to pace, and nobody's money lasts for ever.
 */
export function campaignsOf(
  advertisers: readonly AdvertiserFigures[],
  demand: Demand,
): readonly ScenarioCampaign[] {
  const bids = advertisers.reduce((sum, advertiser) => sum + advertiser.meanCpmMicros, 0)
  return advertisers.flatMap((advertiser, i) => {
    const slots = FILL * demand.slotsPerDay * (advertiser.meanCpmMicros / bids)
    const products = [PRODUCTS[(2 * i) % PRODUCTS.length], PRODUCTS[(2 * i + 1) % PRODUCTS.length]]
    return products.flatMap((product) => {
      if (product === undefined) return []
      const suffix = 2 * i >= PRODUCTS.length ? `-${Math.floor((2 * i) / PRODUCTS.length) + 1}` : ''
      const campaignId = `${product.name}${suffix}`
      const slotsMicros = (slots / products.length) * (advertiser.meanCpmMicros / 1_000)
      return [campaignOf(campaignId, product, advertiser, Math.round(slotsMicros))]
    })
  })
}

function campaignOf(
  campaignId: string,
  product: Product,
  advertiser: AdvertiserFigures,
  dailyBudgetMicros: number,
): ScenarioCampaign {
  return {
    campaignId,
    advertiserId: advertiser.advertiserId,
    status: 'Active',
    maxCpmMicros: Math.round(advertiser.meanCpmMicros),
    cpmMicrosByHour: advertiser.cpmMicrosByHour,
    dailyBudgetMicros,
    categories: product.categories,
    siteAllowlist: [],
    creatives: SLOT_SIZES.flatMap((size) =>
      VARIANTS.map(({ name, appeal }): ScenarioCreative => ({
        creativeId: `${campaignId}-${size.name}-${name}`,
        assetUrl: `/creatives/${campaignId}-${size.name}-${name}.svg`,
        mime: 'image/svg+xml',
        width: size.width,
        height: size.height,
        landingUrl: `https://${campaignId}.example/`,
        clickRate: Math.min(1, advertiser.clickRate * appeal),
      })),
    ),
  }
}

interface Product {
  readonly name: string
  readonly categories: readonly string[]
}

/** Invented goods; the first of each pair has its readers, the second takes any. */
const PRODUCTS: readonly Product[] = [
  { name: 'mesh-router', categories: [CATEGORY.networking, CATEGORY.security, CATEGORY.support] },
  { name: 'desk-lamp', categories: [] },
  {
    name: 'log-search',
    categories: [CATEGORY.dataStorage, CATEGORY.cloud, CATEGORY.webDevelopment],
  },
  { name: 'coffee-club', categories: [] },
  {
    name: 'split-keyboard',
    categories: [CATEGORY.programming, CATEGORY.software, CATEGORY.operatingSystems],
  },
  { name: 'night-train', categories: [] },
]

/** Two creatives of each size, so that there is something to learn: people click one more often. */
const VARIANTS = [
  { name: 'plain', appeal: 0.6 },
  { name: 'bold', appeal: 1.4 },
] as const

/** Share of the slots that all budgets together could pay at the advertisers' full bids. */
const FILL = 0.6
