import { describe, expect, it } from 'vitest'
import { parseScenario } from './scenario.ts'

const creative = {
  creativeId: 'shoes-1',
  assetUrl: '/assets/shoes-1.svg',
  mime: 'image/svg+xml',
  width: 300,
  height: 250,
  landingUrl: 'https://shoes.example/spring',
  clickRate: 0.006,
}
const campaign = {
  campaignId: 'spring',
  advertiserId: 'shoes',
  status: 'Active',
  maxCpmMicros: 5_000_000,
  dailyBudgetMicros: 100_000_000,
  categories: ['sport'],
  siteAllowlist: [],
  creatives: [creative],
}
const page = {
  url: '/news/1',
  weight: 3,
  categoryScores: { sport: 0.8, news: 0.4 },
  slots: [{ slotId: 'top', width: 300, height: 250 }],
}
const scenario = {
  name: 'small',
  source: 'made up',
  campaigns: [campaign],
  sites: [{ siteId: 'site-1', floorCpmMicros: 500_000, pages: [page] }],
}

function faultsOf(input: unknown): readonly string[] {
  const parsed = parseScenario(input)
  return parsed.ok ? [] : parsed.faults.map(({ path, reason }) => `${path} ${reason}`)
}

describe('parseScenario', () => {
  it('takes a good scenario field by field', () => {
    expect(parseScenario(scenario)).toEqual({ ok: true, scenario })
  })

  it('takes the optional figures', () => {
    const hours = Array.from({ length: 24 }, (_, hour) => 1_000 + hour)
    const slot = { slotId: 'top', width: 300, height: 250, floorCpmMicros: 700_000 }
    const full = {
      ...scenario,
      campaigns: [{ ...campaign, cpmMicrosByHour: hours }],
      sites: [{ ...scenario.sites[0], pages: [{ ...page, slots: [slot] }] }],
      trafficByHour: hours,
    }

    expect(parseScenario(full)).toEqual({ ok: true, scenario: full })
  })

  it.each([
    ['a list', []],
    ['nothing', undefined],
    ['a text', 'scenario'],
  ])('says that %s is not an object', (_, input) => {
    expect(faultsOf(input)[0]).toBe('scenario is not an object')
  })

  it.each([
    ['a price of zero', { maxCpmMicros: 0 }, 'campaigns[0].maxCpmMicros is not a price'],
    [
      'a fraction of a micro',
      { dailyBudgetMicros: 0.5 },
      'campaigns[0].dailyBudgetMicros is not whole',
    ],
    ['a bar in an id', { campaignId: 'a|b' }, 'campaigns[0].campaignId contains a bar'],
    [
      'a status nobody knows',
      { status: 'Running' },
      'campaigns[0].status is not one of Active, Paused',
    ],
    ['23 hours', { cpmMicrosByHour: [1] }, 'campaigns[0].cpmMicrosByHour is not 24'],
    ['a misspelt field', { maxCpm: 1 }, 'campaigns[0].maxCpm is not a known field'],
    ['a number among ids', { categories: [7] }, 'campaigns[0].categories[0] is not a text'],
  ])('names the place of %s', (_, change, fault) => {
    const faults = faultsOf({ ...scenario, campaigns: [{ ...campaign, ...change }] })

    expect(faults).toEqual([expect.stringContaining(fault)])
  })

  it('finds every fault in one pass', () => {
    const broken = { ...creative, width: 0, landingUrl: 'javascript:alert(1)', clickRate: 2 }

    expect(faultsOf({ ...scenario, campaigns: [{ ...campaign, creatives: [broken] }] })).toEqual([
      expect.stringContaining('campaigns[0].creatives[0].width'),
      expect.stringContaining('campaigns[0].creatives[0].landingUrl'),
      expect.stringContaining('campaigns[0].creatives[0].clickRate'),
    ])
  })

  it('refuses two campaigns, creatives, sites, pages or slots of one name', () => {
    const site = { ...scenario.sites[0], pages: [page, page] }

    expect(faultsOf({ ...scenario, campaigns: [campaign, campaign], sites: [site, site] })).toEqual(
      [
        'sites[0].pages name /news/1 twice',
        'sites[0].slots of all pages name top twice',
        'sites[1].pages name /news/1 twice',
        'sites[1].slots of all pages name top twice',
        'campaigns name shoes|spring twice',
        'sites name site-1 twice',
        'creatives of all campaigns name shoes-1 twice',
      ],
    )
  })

  it('does not take fields from a prototype', () => {
    const faults = faultsOf({ ...scenario, campaigns: [Object.create(campaign)] })

    expect(faults).toContain('campaigns[0].campaignId is not a text')
  })
})
