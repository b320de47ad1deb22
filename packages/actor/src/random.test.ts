import { describe, expect, it } from 'vitest'
import { Xoshiro128 } from './random.ts'

const seeded = (...seed: number[]) =>
  new Xoshiro128(Uint32Array.from(seed), (count) => new Uint8Array(count).fill(7))

describe('xoshiro128**', () => {
  it('draws what the authors’ reference implementation draws', () => {
    const random = seeded(1, 2, 3, 4)

    const draws = [1, 2, 3, 4].map(() => random.next() * 2 ** 32)

    expect(draws).toEqual([11_520, 0, 5_927_040, 70_819_200])
  })

  it('repeats itself for the same seed and not for another', () => {
    const draws = (...seed: number[]): number[] => {
      const random = seeded(...seed)
      return Array.from({ length: 20 }, () => random.next())
    }

    expect(draws(1, 2, 3, 4)).toEqual(draws(1, 2, 3, 4))
    expect(draws(1, 2, 3, 4)).not.toEqual(draws(1, 2, 3, 5))
  })

  it('draws evenly below a bound', () => {
    const random = seeded(9, 8, 7, 6)
    const counts = [0, 0, 0, 0, 0, 0]
    for (let i = 0; i < 60_000; i++) counts[random.below(6)]!++

    for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400)
  })
})
