import { expect, it } from 'vitest'
import { staggerMs } from './stagger.ts'

it('starts site-123 after 128 seconds of five minutes', () => {
  expect(staggerMs('site-123', 300_000)).toBe(128_000)
})

it('spreads sites over the whole period', () => {
  const delays = new Set(Array.from({ length: 3_000 }, (_, i) => staggerMs(`site-${i}`, 300_000)))

  expect(delays.size).toBeGreaterThan(250)
  expect(Math.max(...delays)).toBeLessThan(300_000)
})

it('does not delay what runs every second or more often', () => {
  expect([staggerMs('site-123', 1_000), staggerMs('site-123', 10)]).toEqual([0, 0])
})
