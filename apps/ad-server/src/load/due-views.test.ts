import { describe, expect, it } from 'vitest'
import { DueViews } from './due-views.ts'

describe('DueViews', () => {
  it('keeps the rate, however the ticks fall', () => {
    const due = new DueViews(70, () => 1, 0)
    let views = 0
    for (let now = 0; now <= 10_000; now += now % 7 === 0 ? 3 : 4) views += due.take(now)

    expect(views).toBeGreaterThanOrEqual(699)
    expect(views).toBeLessThanOrEqual(700)
    expect(due.skipped).toBe(0)
  })

  it('follows the volume', () => {
    const due = new DueViews(1_000, (now) => (now <= 1_000 ? 0.5 : 2), 0)
    const viewsIn = (from: number, to: number) => {
      let views = 0
      for (let now = from + 10; now <= to; now += 10) views += due.take(now)
      return views
    }

    expect(viewsIn(0, 1_000)).toBe(500)
    expect(viewsIn(1_000, 2_000)).toBe(2_000)
  })

  it('counts what a long pause has kept it from sending, instead of a burst', () => {
    const due = new DueViews(1_000, () => 1, 0)

    expect(due.take(5_000)).toBe(100)
    expect(due.skipped).toBe(4_900)
    expect(due.take(5_010)).toBe(10)
  })

  it('sends nothing at a rate of 0', () => {
    expect(new DueViews(0, () => 1, 0).take(10_000)).toBe(0)
  })
})
