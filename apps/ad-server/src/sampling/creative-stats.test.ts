import { describe, expect, it } from 'vitest'
import { CreativeStats, minuteOf } from './creative-stats.ts'

const MINUTE = 60_000

function counts(stats: CreativeStats, now: number, creativeId: string = 'a'): [number, number] {
  const { impressions, clicks } = stats.countsOf(creativeId, now)
  return [impressions, clicks]
}

describe('CreativeStats', () => {
  it('adds up the last sixty minutes and forgets the minute before them', () => {
    const stats = new CreativeStats()
    stats.impression('a', 0)
    stats.impression('a', 30 * MINUTE)

    expect(counts(stats, 59 * MINUTE)).toEqual([2, 0])
    expect(counts(stats, 60 * MINUTE)).toEqual([1, 0])
    expect(counts(stats, 90 * MINUTE)).toEqual([0, 0])
  })

  it('books a late click in its own minute', () => {
    const stats = new CreativeStats()
    stats.impression('a', 0)
    stats.click('a', 50 * MINUTE)

    expect(counts(stats, 70 * MINUTE)).toEqual([0, 1])
  })

  it('adds what the other nodes counted, replacing what they said before', () => {
    const stats = new CreativeStats()
    stats.impression('a', 0)
    stats.replaceOthers('a', 0, { impressions: 10, clicks: 2 }, 0)
    stats.replaceOthers('a', 0, { impressions: 12, clicks: 2 }, 0)

    expect(counts(stats, 0)).toEqual([13, 2])
  })

  it('ignores minutes that are over, and clocks that are far ahead', () => {
    const stats = new CreativeStats()
    stats.impression('a', 100 * MINUTE)
    for (const minute of [40, 103, 5_000])
      stats.replaceOthers('a', minute, { impressions: 99, clicks: 99 }, 100 * MINUTE)

    expect(counts(stats, 100 * MINUTE)).toEqual([1, 0])
  })

  it('starts anew when the clock jumped back by hours', () => {
    const stats = new CreativeStats()
    stats.impression('a', 500 * MINUTE)
    stats.impression('a', 10 * MINUTE)

    expect(counts(stats, 10 * MINUTE)).toEqual([1, 0])
  })

  it('tells the others each changed minute once, as a total', () => {
    const stats = new CreativeStats()
    stats.impression('a', 0)
    stats.impression('a', 10)
    stats.replaceOthers('a', 0, { impressions: 7, clicks: 7 }, 10)

    expect(stats.takeChanges()).toEqual([{ creativeId: 'a', minute: 0, impressions: 2, clicks: 0 }])
    expect(stats.takeChanges()).toEqual([])
  })

  it('drops creatives nobody has shown for an hour', () => {
    const stats = new CreativeStats()
    stats.impression('a', 0)
    stats.impression('b', 30 * MINUTE)
    stats.purge(70 * MINUTE)

    expect(stats.size).toBe(1)
  })

  it('knows nothing of a creative it never met', () => {
    expect(counts(new CreativeStats(), 0)).toEqual([0, 0])
  })
})

it('counts minutes since 1970', () => {
  expect([0, 59_999, 60_000].map(minuteOf)).toEqual([0, 0, 1])
})
