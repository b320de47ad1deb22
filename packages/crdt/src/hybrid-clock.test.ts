import { describe, expect, it } from 'vitest'
import { CrdtError } from './errors.ts'
import { compareStamps, COUNTER_MAX, HybridClock } from './hybrid-clock.ts'

function fixture(start = 1_000_000) {
  let now = start
  const clock = new HybridClock('a', { wallMs: () => now })
  return { clock, at: (wallMs: number) => void (now = wallMs) }
}

describe('a hybrid clock', () => {
  it('follows wall time and counts within a millisecond', () => {
    const { clock, at } = fixture()

    expect(clock.stamp()).toEqual({ wallMs: 1_000_000, counter: 0, replica: 'a' })
    expect(clock.stamp()).toMatchObject({ wallMs: 1_000_000, counter: 1 })
    at(1_000_000.9)
    expect(clock.stamp()).toMatchObject({ wallMs: 1_000_000, counter: 2 })
    at(1_000_001)
    expect(clock.stamp()).toMatchObject({ wallMs: 1_000_001, counter: 0 })
  })

  it('never goes back when the wall clock does', () => {
    const { clock, at } = fixture()
    const before = clock.stamp()
    at(1)

    expect(compareStamps(clock.stamp(), before)).toBeGreaterThan(0)
  })

  it('gives stamps later than all it has observed', () => {
    const { clock } = fixture()
    const seen = { wallMs: 1_000_500, counter: 7, replica: 'z' }

    expect(clock.observe(seen)).toBe(true)
    expect(compareStamps(clock.stamp(), seen)).toBeGreaterThan(0)
  })

  it('refuses and counts stamps more than a minute ahead, and is not moved by them', () => {
    const { clock, at } = fixture()

    expect(clock.observe({ wallMs: 1_060_001, counter: 0, replica: 'b' })).toBe(false)
    expect(clock.refused).toBe(1)
    expect(clock.stamp()).toMatchObject({ wallMs: 1_000_000 })
    expect(clock.observe({ wallMs: 1_060_000, counter: 0, replica: 'b' })).toBe(true)
    at(1_000_001)
    expect(clock.observe({ wallMs: 1_060_001, counter: 0, replica: 'b' })).toBe(true)
    expect(clock.refused).toBe(1)
  })

  it('moves on to the next millisecond when one has no stamps left', () => {
    const { clock } = fixture()
    clock.observe({ wallMs: 1_000_000, counter: COUNTER_MAX, replica: 'b' })

    expect(clock.stamp()).toEqual({ wallMs: 1_000_001, counter: 0, replica: 'a' })
  })

  it.each([Number.NaN, -5, Infinity])('refuses a wall clock that says %d', (wallMs) => {
    const clock = new HybridClock('a', { wallMs: () => wallMs })

    expect(() => clock.stamp()).toThrow(CrdtError)
  })

  it('orders stamps by time, counter and replica', () => {
    const stamp = { wallMs: 5, counter: 5, replica: 'b' }

    expect(compareStamps(stamp, { ...stamp })).toBe(0)
    for (const later of [
      { wallMs: 6, counter: 0, replica: 'a' },
      { wallMs: 5, counter: 6, replica: 'a' },
      { wallMs: 5, counter: 5, replica: 'c' },
    ]) {
      expect(compareStamps(stamp, later)).toBeLessThan(0)
      expect(compareStamps(later, stamp)).toBeGreaterThan(0)
    }
  })
})
