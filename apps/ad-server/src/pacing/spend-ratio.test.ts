import { describe, expect, it } from 'vitest'
import type { CampaignSpend } from './spend-ratio.ts'
import { canSpend, fractionOf, poolOf, spendRatio } from './spend-ratio.ts'
import { TrafficShape } from './traffic-shape.ts'

const DAY = 86_400_000
const flat = new TrafficShape(Array.from({ length: 24 }, () => 1))
const spend = (more: Partial<CampaignSpend> = {}): CampaignSpend => ({
  campaignId: 'c',
  budgetMicros: 100_000_000,
  spentMicros: 0,
  pendingMicros: 0,
  cpmMicros: 5_000_000,
  dayStartMs: 0,
  dayEndMs: DAY,
  ...more,
})

describe('spendRatio', () => {
  it.each([
    ['nothing spent, nothing due', 0, 0, 100, 1],
    ['nothing spent though something is due', 0, 50, 100, 0],
    ['on plan', 50_000_000, 50_000_000, 100_000_000, 1],
    ['ahead', 75_000_000, 50_000_000, 100_000_000, 1.5],
    ['early: a hundredth of the budget is the least due', 500_000, 1, 100_000_000, 0.5],
    ['tiny budget: a cent is the least due', 20_000, 1, 50_000, 2],
  ])('%s', (_, spent, expected, budget, ratio) => {
    expect(spendRatio(spent, expected, budget)).toBeCloseTo(ratio)
  })
})

it('measures a day that crosses midnight in traffic', () => {
  const window = spend({ dayStartMs: DAY / 2, dayEndMs: DAY * 1.5 })

  expect([0, DAY, DAY * 2].map((now) => fractionOf(flat, window, now))).toEqual([0, 0.5, 1])
})

it('does not count on dust: a rest that pays no impression is nothing', () => {
  expect(canSpend(spend({ spentMicros: 99_994_999 }))).toBe(true)
  expect(canSpend(spend({ spentMicros: 99_995_000 }))).toBe(false)
  expect(canSpend(spend({ spentMicros: 99_990_000, pendingMicros: 5_000 }))).toBe(false)
})

describe('poolOf', () => {
  it('adds up who can still spend, and weighs prices by impressions', () => {
    const pool = poolOf(
      [
        spend({ spentMicros: 10_000_000, pendingMicros: 1_000_000 }),
        spend({
          campaignId: 'd',
          budgetMicros: 50_000_000,
          cpmMicros: 1_000_000,
          dayEndMs: DAY * 1.5,
        }),
        spend({ campaignId: 'spent', spentMicros: 100_000_000 }),
        spend({ campaignId: 'over', dayEndMs: DAY / 2 }),
      ],
      flat,
      DAY / 2,
    )

    expect(pool).toMatchObject({
      campaigns: 2,
      budgetMicros: 150_000_000,
      spentMicros: 11_000_000,
      endsAtMs: DAY * 1.5,
    })
    expect(pool?.averageCpmMicros).toBeCloseTo(150_000_000 / 70)
  })

  it('is nothing when nobody can spend', () => {
    expect(poolOf([spend({ spentMicros: 100_000_000 })], flat, 1)).toBeUndefined()
  })

  it('ends a day exactly at its end', () => {
    expect(poolOf([spend()], flat, DAY - 1)).toBeDefined()
    expect(poolOf([spend()], flat, DAY)).toBeUndefined()
  })
})
