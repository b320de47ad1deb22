import { expect, it } from 'vitest'
import { SeededRandom } from './random.ts'

it('repeats itself for the same seed and differs for the next', () => {
  const draws = [1, 1, 2].map((seed) => {
    const random = new SeededRandom(seed)
    return Array.from({ length: 4 }, () => random.next())
  })

  expect(draws[0]).toEqual(draws[1])
  expect(draws[0]).not.toEqual(draws[2])
})

it('draws evenly', () => {
  const random = new SeededRandom(9)
  const counts = [0, 0, 0, 0, 0, 0]
  for (let i = 0; i < 60_000; i++) {
    const at = random.below(6)
    counts[at] = (counts[at] ?? 0) + 1
  }

  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(400)
})
