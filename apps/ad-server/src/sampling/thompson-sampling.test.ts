import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../random.ts'
import type { CreativeCounts, ServeView } from '../serve-index/serve-view.ts'
import { powerScore } from './score-formula.ts'
import { defaultSamplingSettings, meanRate, ThompsonSampling } from './thompson-sampling.ts'

function view(
  creativeId: string,
  cpmMicros: number = 1_000_000,
  more: Partial<ServeView> = {},
): ServeView {
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
    expiresAtMs: 1,
    version: 1,
    ...more,
  }
}

function countsOf(
  counts: Readonly<Record<string, readonly [impressions: number, clicks: number]>>,
): {
  countsOf(creativeId: string): CreativeCounts
} {
  return {
    countsOf: (creativeId) => {
      const [impressions, clicks] = counts[creativeId] ?? [0, 0]
      return { impressions, clicks }
    },
  }
}

/** How often each position wins in `rounds` draws. */
function wins(
  views: readonly ServeView[],
  counts: Parameters<typeof countsOf>[0],
  rounds: number,
): number[] {
  const sampling = new ThompsonSampling(new SeededRandom(17))
  const won = views.map(() => 0)
  for (let i = 0; i < rounds; i++) {
    sampling.draw(views, countsOf(counts), 0)
    const best = sampling.best()
    won[best] = (won[best] ?? 0) + 1
  }
  return won
}

describe('ThompsonSampling', () => {
  it('shows a known earner nearly always', () => {
    const [good = 0, bad = 0] = wins(
      [view('good'), view('bad')],
      { good: [10_000, 200], bad: [10_000, 50] },
      1_000,
    )

    expect(good).toBe(1_000)
    expect(bad).toBe(0)
  })

  it('tries what is little known now and then', () => {
    const [known = 0, fresh = 0] = wins(
      [view('known'), view('fresh')],
      { known: [10_000, 600], fresh: [10, 0] },
      1_000,
    )

    expect(fresh).toBeGreaterThan(100)
    expect(known).toBeGreaterThan(100)
  })

  it('weighs the price by its root', () => {
    const [cheap = 0, dear = 0] = wins(
      [view('cheap', 1_000_000), view('dear', 9_000_000)],
      { cheap: [50_000, 1_000], dear: [50_000, 500] },
      500,
    )

    expect(dear).toBe(500)
    expect(cheap).toBe(0)
  })

  it('guesses around the category score while nothing is known', () => {
    const sampling = new ThompsonSampling(new SeededRandom(1))
    const views = [
      view('hit', 1_000_000, { categoryScore: 0.9 }),
      view('miss', 1_000_000, { categoryScore: 0.2 }),
    ]
    for (let i = 0; i < 200; i++) {
      sampling.draw(views, countsOf({}), 0)
      expect(sampling.best()).toBe(0)
    }
    expect(sampling.meanEngagement(0)).toBe(0.9)
  })

  it('starts from the auction’s counts where the node has none of its own', () => {
    const sampling = new ThompsonSampling(new SeededRandom(1))
    sampling.draw(
      [view('a', 1_000_000, { ctrStats: { impressions: 98, clicks: 1 } })],
      countsOf({}),
      0,
    )

    expect(sampling.meanEngagement(0)).toBe(0.02)
  })

  it('goes through all candidates once, best first', () => {
    const sampling = new ThompsonSampling(new SeededRandom(1))
    const views = Array.from({ length: 100 }, (_, i) => view(`c${i}`))
    sampling.draw(views, countsOf({}), 0)
    const seen = new Set<number>()
    for (let best = sampling.best(); best >= 0; best = sampling.best()) {
      seen.add(best)
      sampling.exclude(best)
    }

    expect(seen.size).toBe(100)
  })

  it('lets nobody set a price who cannot pay', () => {
    const sampling = new ThompsonSampling(new SeededRandom(1))
    sampling.draw([view('a')], countsOf({ a: [98, 1] }), 0)
    expect(sampling.meanScore(0)).toBeCloseTo(0.02)

    sampling.exclude(0)

    expect(sampling.meanScore(0)).toBe(0)
    expect(sampling.best()).toBe(-1)
  })

  it('forgets the candidates of the call before', () => {
    const sampling = new ThompsonSampling(new SeededRandom(1))
    sampling.draw([view('a'), view('b', 900_000_000)], countsOf({}), 0)
    sampling.draw([view('c')], countsOf({}), 0)

    expect(sampling.best()).toBe(0)
    sampling.draw([], countsOf({}), 0)
    expect(sampling.best()).toBe(-1)
  })

  it('gives newcomers a bonus that fades, when told to', () => {
    const settings = { ...defaultSamplingSettings, newcomerBonus: 0.5, formula: powerScore(0) }
    const sampling = new ThompsonSampling(new SeededRandom(1), settings)
    sampling.draw([view('new'), view('old')], countsOf({ new: [25, 0], old: [50, 10] }), 0)

    expect(sampling.best()).toBe(0)
  })
})

it('expects of few impressions less than they show', () => {
  expect(meanRate({ impressions: 98, clicks: 1 }, 0.9)).toBe(0.02)
  expect(meanRate({ impressions: 0, clicks: 0 }, 0.9)).toBe(0.9)
  expect(meanRate({ impressions: 1, clicks: 5 }, 0.9)).toBeLessThan(1)
})
