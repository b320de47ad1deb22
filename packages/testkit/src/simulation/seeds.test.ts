import { describe, expect, it } from 'vitest'
import { seedsOf } from './seeds.ts'

describe('the seeds of a simulation', () => {
  it.each([
    ['as many as the test says', {}, [1, 2, 3]],
    ['the one that TROUPE_SEED names', { TROUPE_SEED: '17' }, [17]],
    ['as many as TROUPE_SEEDS says', { TROUPE_SEEDS: '2' }, [1, 2]],
    ['so many from one on', { TROUPE_SEED: '17', TROUPE_SEEDS: '2' }, [17, 18]],
    ['as many as the test says when a variable is empty', { TROUPE_SEED: '' }, [1, 2, 3]],
  ])('are %s', (_, env, seeds) => {
    expect(seedsOf(env, 3).seeds).toEqual(seeds)
  })

  it.each(['0', '-1', '1.5', 'many'])('cannot be %s', (text) => {
    expect(() => seedsOf({ TROUPE_SEED: text }, 3)).toThrow(
      `TROUPE_SEED must be a whole number from 1 on, got "${text}"`,
    )
  })

  it('are traced, or played twice, on demand', () => {
    expect(seedsOf({ TROUPE_TRACE: '1' }, 1).isTraced).toBe(true)
    expect(seedsOf({ TROUPE_TWICE: '1' }, 1).isTwice).toBe(true)
    expect(seedsOf({}, 1)).toEqual({ seeds: [1], isTraced: false, isTwice: false })
  })
})
