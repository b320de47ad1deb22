import { describe, expect, it } from 'vitest'
import { SeededRandom } from '../random.ts'
import { KillPlan } from './kill-plan.ts'

const NAMES = ['node-1', 'node-2', 'node-3']

/** Every 5 s, and not before 2 s of calm. */
const planAt = (now: number) => new KillPlan(new SeededRandom(1), now, 5_000, 2_000)

describe('KillPlan', () => {
  it('names a node every few seconds', () => {
    const plan = planAt(0)
    const killedAt: number[] = []
    for (let now = 0; now <= 16_000; now += 100) {
      const victim = plan.next(NAMES, true, now)
      if (victim === undefined) continue
      expect(NAMES).toContain(victim)
      killedAt.push(now)
    }

    expect(killedAt).toEqual([5_000, 10_000, 15_000])
    expect(plan.kills).toBe(3)
  })

  it('waits until the last one is back, and has been for a while', () => {
    const plan = planAt(0)

    expect(plan.next(NAMES, false, 60_000)).toBeUndefined()
    expect(plan.next(NAMES, true, 60_100)).toBeUndefined()
    expect(plan.next(NAMES, true, 62_000)).toBeUndefined()
    expect(plan.next(NAMES, false, 62_050)).toBeUndefined()
    expect(plan.next(NAMES, true, 62_100)).toBeUndefined()
    expect(plan.next(NAMES, true, 64_099)).toBeUndefined()
    expect(NAMES).toContain(plan.next(NAMES, true, 64_100))
    expect(plan.next(NAMES, true, 64_200)).toBeUndefined()
  })

  it('spares nobody in the long run', () => {
    const plan = new KillPlan(new SeededRandom(1), 0, 1, 0)
    const named = new Set(Array.from({ length: 50 }, (_, i) => plan.next(NAMES, true, i + 1)))

    expect(named).toEqual(new Set(NAMES))
  })
})
