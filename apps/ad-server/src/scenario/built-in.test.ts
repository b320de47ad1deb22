import { describe, expect, it } from 'vitest'
import { parseScenario } from '../scenario.ts'
import { builtInDrive } from './built-in.ts'

const drive = builtInDrive({ slotsPerDay: 86_400 })

describe('the built-in scenario', () => {
  it('is a good scenario', () => {
    expect(parseScenario(drive.scenario)).toEqual({ ok: true, scenario: drive.scenario })
  })

  it('names the source of its figures', () => {
    expect(drive.scenario.source).toContain('Numenta Anomaly Benchmark')
    expect(drive.scenario.source).toContain('Apache access log')
  })

  it('has an advertiser for every page, and competition on most', () => {
    const { campaigns, sites } = drive.scenario
    const pages = sites.flatMap((site) => site.pages)
    const bidders = pages.map(
      (page) =>
        campaigns.filter(
          ({ categories }) =>
            categories.length === 0 ||
            categories.some((category) => page.categoryScores[category] !== undefined),
        ).length,
    )

    expect(pages).toHaveLength(40)
    expect(Math.min(...bidders)).toBeGreaterThanOrEqual(3)
    expect(bidders.filter((count) => count >= 4).length).toBeGreaterThan(20)
  })

  it('has a creative of the size of each slot', () => {
    const slots = drive.scenario.sites.flatMap((site) => site.pages.flatMap((page) => page.slots))
    const sizes = new Set(slots.map(({ width, height }) => `${width}x${height}`))

    for (const { creatives } of drive.scenario.campaigns)
      expect(new Set(creatives.map(({ width, height }) => `${width}x${height}`))).toEqual(sizes)
  })

  it('offers more slots than all budgets together can pay', () => {
    const paid = drive.scenario.campaigns.map(
      ({ dailyBudgetMicros, maxCpmMicros }) => dailyBudgetMicros / (maxCpmMicros / 1_000),
    )

    expect(paid.reduce((sum, slots) => sum + slots, 0) / 86_400).toBeCloseTo(0.6, 2)
  })

  it('draws pages as often as they were viewed', () => {
    const { sites } = drive.scenario
    const views = sites.flatMap((site) => site.pages.map((page) => page.weight))
    const all = views.reduce((sum, weight) => sum + weight, 0)
    const drawn = new Map<string, number>()
    for (let i = 0; i < all; i++) {
      const { site, page } = drive.traffic.nextPage((i + 0.5) / all)
      const url = sites[site]?.pages[page]?.url ?? ''
      drawn.set(url, (drawn.get(url) ?? 0) + 1)
    }

    const expected = sites.flatMap((site) => site.pages.map(({ url, weight }) => [url, weight]))
    expect(Object.fromEntries(drawn)).toEqual(Object.fromEntries(expected))
  })

  it('has a volume and a click rate for every hour of the week, the week with the mean 1', () => {
    const { startMs, volumeAt, clickFactorAt } = drive.traffic
    const hours = Array.from({ length: 7 * 24 }, (_, hour) => startMs + hour * 3_600_000)
    const volumes = hours.map(volumeAt)
    const clicks = hours.map((at) => clickFactorAt('exchange-3', at))

    expect(new Date(startMs).toUTCString()).toContain('Mon, 02 Mar 2015 00:00:00')
    expect(volumes.reduce((sum, volume) => sum + volume, 0) / hours.length).toBeCloseTo(1, 2)
    expect(clicks.reduce((sum, factor) => sum + factor, 0) / hours.length).toBeCloseTo(1, 2)
    expect(volumes.every((volume) => volume > 0)).toBe(true)
    expect(volumes[5 * 24 + 12]).toBe(0.6)
  })
})
