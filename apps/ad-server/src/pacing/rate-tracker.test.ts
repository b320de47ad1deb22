import { expect, it } from 'vitest'
import { RateTracker } from './rate-tracker.ts'

it('follows ten requests a second as 3.3, 5.31, 6.717 and 7.702', () => {
  const rate = new RateTracker()
  const seen: number[] = []
  for (let i = 0; i <= 40; i++) {
    rate.arrived(i * 100)
    if (i > 0 && i % 10 === 0) seen.push(Number(rate.ratePerSecond.toFixed(3)))
  }

  expect(seen).toEqual([3.3, 5.31, 6.717, 7.702])
})

it('counts a request of three slots three times', () => {
  const rate = new RateTracker()
  rate.arrived(0, 3)
  rate.arrived(1_000, 3)

  expect(rate.ratePerSecond).toBeCloseTo(0.3 * 6)
})

it('keeps its estimate while nothing comes, and goes on after the clock jumped back', () => {
  const rate = new RateTracker()
  rate.arrived(10_000)
  rate.arrived(11_000)
  const before = rate.ratePerSecond

  rate.arrived(500)
  expect(rate.ratePerSecond).toBe(before)
  rate.arrived(1_500)
  expect(rate.ratePerSecond).not.toBe(before)
})
