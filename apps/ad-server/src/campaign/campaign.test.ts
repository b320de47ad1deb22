import { describe, expect, it } from 'vitest'
import type { ScenarioCampaign } from '../scenario.ts'
import { BLOCKED_MAX, Campaign, freshCampaign } from './campaign.ts'
import type { CampaignCommand } from './campaign-protocol.ts'

const DAY = 86_400_000
const NOON = 20_000 * DAY + DAY / 2

function configOf(more: Partial<ScenarioCampaign> = {}): ScenarioCampaign {
  const creative = {
    assetUrl: '/a.svg',
    mime: 'image/svg+xml',
    width: 300,
    height: 250,
    landingUrl: '/l',
    clickRate: 0,
  }
  return {
    campaignId: 'spring',
    advertiserId: 'shoes',
    status: 'Active',
    maxCpmMicros: 5_000_000,
    dailyBudgetMicros: 1_000_000,
    categories: ['sport', 'news'],
    siteAllowlist: [],
    creatives: [
      { ...creative, creativeId: 'c1' },
      { ...creative, creativeId: 'c2', width: 728, height: 90 },
    ],
    ...more,
  }
}

function campaignOf(config: ScenarioCampaign = configOf()): Campaign {
  return new Campaign(config, freshCampaign(config, 1, 'inc', 20_000), 0)
}

type BidRequest = Extract<CampaignCommand, { type: 'CampaignBidRequest' }>

function question(more: Partial<BidRequest> = {}): BidRequest {
  const replyTo = {
    path: 'nobody',
    tell: () => {},
    ask: () => Promise.reject(new Error()),
    equals: () => false,
  }
  return {
    type: 'CampaignBidRequest',
    site: 's',
    categories: ['sport', 'cars'],
    floorMicros: 500_000,
    sizes: ['300x250'],
    replyTo,
    ...more,
  }
}

describe('bidding', () => {
  it('answers for each category, with the creatives that fit', () => {
    expect(campaignOf().bid(question(), NOON)).toMatchObject({
      campaignId: 'shoes|spring',
      epoch: 1,
      bids: [{ category: 'sport', cpmMicros: 5_000_000 }],
      rejections: [{ category: 'cars', reason: 'CategoryMismatch' }],
      creatives: [{ creativeId: 'c1' }],
    })
  })

  it('has nothing to show in other sizes, or when its creatives are taken out', () => {
    const campaign = campaignOf()
    const reasonFor = (sizes: readonly string[]): string | undefined =>
      campaign.bid(question({ sizes }), NOON).rejections[0]?.reason

    expect(reasonFor(['1x1'])).toBe('NoCreatives')
    campaign.unassign(['c1'])
    expect(reasonFor(['300x250'])).toBe('NoCreatives')
    campaign.assign(['c1'])
    expect(reasonFor(['300x250'])).toBe('CategoryMismatch')
  })

  it('bids what the hour says', () => {
    const cpmMicrosByHour = Array.from({ length: 24 }, (_, hour) => 1_000_000 + hour)
    const campaign = campaignOf(configOf({ cpmMicrosByHour }))

    expect(
      [0, 12, 23].map((hour) => campaign.cpmMicrosAt(20_000 * DAY + hour * 3_600_000)),
    ).toEqual([1_000_000, 1_000_012, 1_000_023])
  })

  it('stops when the money is gone, and counts on the new day’s before the budget has rolled', () => {
    const campaign = campaignOf(configOf({ dailyBudgetMicros: 5_000 }))
    campaign.budget.tryReserve('r', 5_000, 0)

    expect(campaign.bid(question(), NOON).bids).toEqual([])
    expect(campaign.bid(question(), NOON + DAY).bids).toHaveLength(1)
  })

  it('goes on while other nodes hold money that may come back', () => {
    const campaign = campaignOf(configOf({ dailyBudgetMicros: 5_000 }))
    campaign.budget.grantLease(
      { nodeId: 'n', requestId: 'q', wantMicros: 5_000, leastMicros: 5_000, servingNodes: 1 },
      0,
    )

    expect(campaign.bid(question(), NOON).bids).toHaveLength(1)
  })
})

describe('the epoch', () => {
  it('rises exactly when an active campaign stops being active', () => {
    const campaign = campaignOf()
    const epochs = (['Active', 'Paused', 'Paused', 'Ended', 'Active', 'Deleted'] as const).map(
      (status) => {
        campaign.updateStatus(status)
        return campaign.epoch
      },
    )

    expect(epochs).toEqual([1, 2, 2, 2, 2, 3])
  })
})

describe('the configuration', () => {
  it('is taken once: what was changed by hand since stays', () => {
    const campaign = campaignOf()
    campaign.updateStatus('Paused')

    expect(campaign.configure(configOf(), 1)).toBe(false)
    expect(campaign.spendInfo().status).toBe('Paused')
    expect(campaign.configure(configOf({ dailyBudgetMicros: 2_000_000 }), 2)).toBe(true)
    expect(campaign.spendInfo()).toMatchObject({ status: 'Active', budgetMicros: 2_000_000 })
  })

  it('cannot take back money that is spent', () => {
    const campaign = campaignOf()
    campaign.budget.tryReserve('r', 400_000, 0)
    campaign.configure(configOf({ dailyBudgetMicros: 100_000 }), 2)

    expect(campaign.spendInfo().budgetMicros).toBe(400_000)
  })
})

describe('taking creatives out', () => {
  it('ignores creatives of others', () => {
    const campaign = campaignOf()
    campaign.unassign(['c1', 'of somebody else'])

    expect(campaign.record(NOON, 1)).toMatchObject({ blockedCreatives: ['c1'], creatives: 1 })
  })

  it('is refused beyond what fits into a record, and then nothing is done', () => {
    const [first] = configOf().creatives
    const creatives = Array.from({ length: BLOCKED_MAX + 1 }, (_, i) => ({
      ...first,
      creativeId: `c${i}`,
    }))
    const campaign = campaignOf(configOf({ creatives: creatives as ScenarioCampaign['creatives'] }))

    expect(campaign.unassign(creatives.map(({ creativeId }) => creativeId))).toBe(false)
    expect(campaign.record(NOON, 1).blockedCreatives).toEqual([])
  })
})

it('is the same after its state was stored and read again', () => {
  const campaign = campaignOf()
  campaign.updateStatus('Paused')
  campaign.unassign(['c2'])
  campaign.budget.tryReserve('r', 5_000, 0)

  const again = new Campaign(configOf(), structuredClone(campaign.state(7)), 10)

  expect(again.state(7)).toEqual(campaign.state(7))
  expect(again.record(NOON, 8)).toEqual(campaign.record(NOON, 8))
})

it('publishes the window of its day', () => {
  expect(campaignOf().record(NOON, 3)).toMatchObject({
    day: 20_000,
    dayStartMs: 20_000 * DAY,
    dayEndMs: 20_001 * DAY,
    revision: 3,
  })
})
