import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../random.ts'
import { BetaSampler } from './beta-sampler.ts'

const DRAWS = 60_000

function momentsOf(draw: () => number): {
  mean: number
  variance: number
  least: number
  most: number
} {
  let [sum, squares, least, most] = [0, 0, Infinity, -Infinity]
  for (let i = 0; i < DRAWS; i++) {
    const x = draw()
    sum += x
    squares += x * x
    least = Math.min(least, x)
    most = Math.max(most, x)
  }
  const mean = sum / DRAWS
  return { mean, variance: squares / DRAWS - mean * mean, least, most }
}

describe('BetaSampler', () => {
  it.each([
    [1, 1],
    [3, 40],
    [12, 900],
    [60, 4_000],
    [0.5, 0.5],
  ])('draws Beta(%d, %d) with its mean and variance', (a, b) => {
    const sampler = new BetaSampler(new SeededRandom(11))

    const { mean, variance, least, most } = momentsOf(() => sampler.beta(a, b))

    const expectedVariance = (a * b) / ((a + b) ** 2 * (a + b + 1))
    expect(Math.abs(mean - a / (a + b))).toBeLessThan(5 * Math.sqrt(expectedVariance / DRAWS))
    expect(variance / expectedVariance).toBeCloseTo(1, 1)
    expect(least >= 0 && most <= 1).toBe(true)
  })

  it('draws normal numbers, tails included', () => {
    const sampler = new BetaSampler(new SeededRandom(5))
    let [beyond2, beyond344] = [0, 0]
    const { mean, variance } = momentsOf(() => {
      const x = sampler.normal()
      if (Math.abs(x) > 2) beyond2++
      if (Math.abs(x) > 3.442619855899) beyond344++
      return x
    })

    expect(mean).toBeCloseTo(0, 1)
    expect(variance).toBeCloseTo(1, 1)
    expect(beyond2 / DRAWS).toBeCloseTo(0.0455, 2)
    expect(beyond344).toBeGreaterThan(10)
    expect(beyond344).toBeLessThan(80)
  })

  it('draws the same for the same seed', () => {
    const draws = [1, 2].map(() => {
      const sampler = new BetaSampler(new SeededRandom(3))
      return Array.from({ length: 5 }, () => sampler.beta(2, 3))
    })

    expect(draws[0]).toEqual(draws[1])
  })
})
