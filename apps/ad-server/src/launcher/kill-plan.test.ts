import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../random.ts'
import { KillPlan } from './kill-plan.ts'

const NAMES = ['node-1', 'node-2', 'node-3']

describe('KillPlan', () => {
  it('names a node every few seconds', () => {
    const plan = new KillPlan(new SeededRandom(1), 0, 5_000)

    expect(plan.next(NAMES, true, 4_999)).toBeUndefined()
    expect(NAMES).toContain(plan.next(NAMES, true, 5_000))
    expect(plan.next(NAMES, true, 9_999)).toBeUndefined()
    expect(NAMES).toContain(plan.next(NAMES, true, 10_000))
    expect(plan.kills).toBe(2)
  })

  it('waits until the last one is back', () => {
    const plan = new KillPlan(new SeededRandom(1), 0, 5_000)

    expect(plan.next(NAMES, false, 60_000)).toBeUndefined()
    expect(NAMES).toContain(plan.next(NAMES, true, 60_100))
    expect(plan.next(NAMES, true, 60_200)).toBeUndefined()
  })

  it('spares nobody in the long run', () => {
    const plan = new KillPlan(new SeededRandom(1), 0, 1)
    const named = new Set(Array.from({ length: 50 }, (_, i) => plan.next(NAMES, true, i + 1)))

    expect(named).toEqual(new Set(NAMES))
  })
})
