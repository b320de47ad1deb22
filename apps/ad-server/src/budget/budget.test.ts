import { describe, expect, it } from 'vitest'
import { Budget, freshBudget } from './budget.ts'
import type { BudgetState, LeaseRequest } from './budget-protocol.ts'
import { defaultBudgetSettings } from './budget-protocol.ts'

const PRICE = 5_000
const { leaseTtlMs, beaconWindowMs } = defaultBudgetSettings
const nobodyLives = (): boolean => false

/** A dollar: 200 impressions at a CPM of 5 dollars. */
function budgetOf(budgetMicros: number = 1_000_000): Budget {
  return new Budget(freshBudget('shoes|spring', 'inc', budgetMicros, 100), 0)
}

function wish(more: Partial<LeaseRequest> = {}): LeaseRequest {
  const base = { nodeId: 'n1', requestId: 'n1#1', servingNodes: 1 }
  return { ...base, wantMicros: 100_000, leastMicros: PRICE, ...more }
}

/** The budget another process would go on with after this one crashed. */
function afterCrash(budget: Budget, now: number): Budget {
  return new Budget(structuredClone(budget.state()), now)
}

describe('reserving by message', () => {
  it('pays 200 impressions of a dollar at 5 dollars CPM and denies the 201st', () => {
    const budget = budgetOf()

    const replies = Array.from(
      { length: 201 },
      (_, i) => budget.tryReserve(`r${i}`, PRICE, i).reply.type,
    )

    expect(replies.slice(0, 200).every((type) => type === 'Reserved')).toBe(true)
    expect(replies[200]).toBe('InsufficientBudget')
    expect(budget.spentMicros).toBe(1_000_000)
  })

  it('takes nothing for an id it knows, and answers as before', () => {
    const budget = budgetOf()
    budget.tryReserve('r1', PRICE, 0)

    const again = budget.tryReserve('r1', PRICE, 10)

    expect(again).toEqual({
      reply: { type: 'Reserved', remainingMicros: 995_000 },
      write: 'None',
      events: [],
    })
    expect(budget.spentMicros).toBe(PRICE)
  })

  it('still knows the id after a crash', () => {
    const budget = budgetOf()
    budget.tryReserve('r1', PRICE, 0)

    const next = afterCrash(budget, 50)
    next.tryReserve('r1', PRICE, 60)

    expect(next.spentMicros).toBe(PRICE)
  })

  it('says once that the money is gone, and once that it is back', () => {
    const budget = budgetOf(2 * PRICE)
    const events = [
      budget.tryReserve('a', PRICE, 0),
      budget.tryReserve('b', PRICE, 0),
      budget.tryReserve('c', PRICE, 0),
      budget.rollDay(101),
    ].map((outcome) => outcome.events.map((event) => event.type))

    expect(events).toEqual([[], ['CampaignBudgetExhausted'], [], ['CampaignBudgetReset']])
  })

  it.each([0, -1, 0.5, NaN, Infinity])('refuses the amount %s as a bug of the caller', (amount) => {
    expect(() => budgetOf().tryReserve('r', amount, 0)).toThrow(RangeError)
  })
})

describe('recording what was shown', () => {
  it('charges an unknown id once, in either order', () => {
    const shownFirst = budgetOf()
    shownFirst.recordSpend({ requestId: 'r', amountMicros: PRICE, day: 100 }, 0)
    shownFirst.recordSpend({ requestId: 'r', amountMicros: PRICE, day: 100 }, 1)
    shownFirst.tryReserve('r', PRICE, 2)
    const reservedFirst = budgetOf()
    reservedFirst.tryReserve('r', PRICE, 0)
    reservedFirst.recordSpend({ requestId: 'r', amountMicros: PRICE, day: 100 }, 1)

    expect([shownFirst.spentMicros, reservedFirst.spentMicros]).toEqual([PRICE, PRICE])
  })

  it('never charges more than there is, and remembers what could not be collected', () => {
    const budget = budgetOf(7_000)
    budget.recordSpend({ requestId: 'a', amountMicros: PRICE, day: 100 }, 0)

    const { reply } = budget.recordSpend({ requestId: 'b', amountMicros: PRICE, day: 100 }, 0)

    expect(reply).toMatchObject({ chargedMicros: 2_000, spentTodayMicros: 7_000 })
    expect(budget.uncollectedMicros).toBe(3_000)
  })

  it('begins the next day with the first spending that belongs to it', () => {
    const budget = budgetOf()
    budget.tryReserve('a', PRICE, 0)

    budget.recordSpend({ requestId: 'b', amountMicros: PRICE, day: 101 }, 1)

    expect(budget.spentMicros).toBe(PRICE)
  })

  it('does not charge a day for the impressions of the day before', () => {
    const budget = budgetOf()
    budget.rollDay(101)

    const { reply } = budget.recordSpend({ requestId: 'late', amountMicros: PRICE, day: 100 }, 1)

    expect(reply.chargedMicros).toBe(0)
  })

  it('leaves an impression from a lease to the node that reports it', () => {
    const budget = budgetOf()
    const { reply } = budget.grantLease(wish(), 0)
    const leaseId = reply.type === 'LeaseGranted' ? reply.leaseId : ''

    budget.recordSpend({ requestId: `${leaseId}.1`, amountMicros: PRICE, day: 100 }, 1)

    expect([budget.spentMicros, budget.outstandingMicros]).toEqual([0, 100_000])
  })
})

describe('leases', () => {
  function granted(
    budget: Budget,
    request: LeaseRequest,
    now: number = 0,
  ): { leaseId: string; micros: number } {
    const { reply } = budget.grantLease(request, now)
    if (reply.type !== 'LeaseGranted') throw new Error(reply.reason)
    return { leaseId: reply.leaseId, micros: reply.grantedMicros }
  }

  it('records a block as outstanding before it is granted', () => {
    const budget = budgetOf()

    const outcome = budget.grantLease(wish(), 0)

    expect(outcome.write).toBe('BeforeReply')
    expect(budget.state().leases).toMatchObject([{ nodeId: 'n1', grantedMicros: 100_000 }])
    expect(budget.freeMicros).toBe(900_000)
  })

  it('grants the same block to the same request, also after a crash', () => {
    const budget = budgetOf()
    const first = granted(budget, wish())

    expect(granted(budget, wish())).toEqual(first)
    expect(granted(afterCrash(budget, 5), wish())).toEqual(first)
  })

  it('never grants more than the budget, whoever asks how often', () => {
    const budget = budgetOf(250_000)
    let sum = 0
    for (let i = 0; i < 10; i++) {
      const { reply } = budget.grantLease(wish({ requestId: `n1#${i}` }), i)
      if (reply.type === 'LeaseGranted') sum += reply.grantedMicros
    }

    expect(sum).toBe(250_000)
  })

  it('shares the rest among the nodes, but an impression is the least', () => {
    const budget = budgetOf(12_000)
    const blocks = ['n1', 'n2', 'n3'].map((nodeId) => {
      const { reply } = budget.grantLease(wish({ nodeId, requestId: nodeId, servingNodes: 3 }), 0)
      return reply.type === 'LeaseGranted' ? reply.grantedMicros : reply.reason
    })

    expect(blocks).toEqual([5_000, 5_000, 'BudgetExhausted'])
  })

  it('counts of repeated and reordered reports only what is new', () => {
    const budget = budgetOf()
    const { leaseId } = granted(budget, wish())

    for (const spentMicros of [10_000, 30_000, 20_000, 30_000])
      budget.settleLease({ leaseId, spentMicros, isFinal: false })

    expect([budget.spentMicros, budget.outstandingMicros]).toEqual([30_000, 70_000])
  })

  it('takes back what a node returns, and keeps the lease closed', () => {
    const budget = budgetOf()
    const { leaseId } = granted(budget, wish())

    budget.settleLease({ leaseId, spentMicros: 40_000, isFinal: true })
    budget.settleLease({ leaseId, spentMicros: 90_000, isFinal: true })

    expect([budget.spentMicros, budget.outstandingMicros]).toEqual([40_000, 0])
  })

  it('never books more than the block, whatever a node says', () => {
    const budget = budgetOf()
    const { leaseId } = granted(budget, wish())

    budget.settleLease({ leaseId, spentMicros: 999_999, isFinal: true })

    expect(budget.spentMicros).toBe(100_000)
  })

  it('keeps the rights of a node that lives, however late', () => {
    const budget = budgetOf()
    granted(budget, wish())

    const { reply } = budget.recoverLeases(10 * (leaseTtlMs + beaconWindowMs), () => true)

    expect(reply.leases).toBe(0)
  })

  it('recovers the rights of a dead node once lease and tokens are over, less what beacons prove', () => {
    const budget = budgetOf()
    const { leaseId } = granted(budget, wish())
    for (const k of [1, 2, 2])
      budget.recordSpend({ requestId: `${leaseId}.${k}`, amountMicros: PRICE, day: 100 }, 1)
    const end = leaseTtlMs + beaconWindowMs

    expect(budget.recoverLeases(end - 1, nobodyLives).reply.leases).toBe(0)
    expect(budget.recoverLeases(end, nobodyLives).reply).toMatchObject({
      leases: 1,
      recoveredMicros: 90_000,
    })
    expect([budget.spentMicros, budget.outstandingMicros]).toEqual([2 * PRICE, 0])
  })

  it('gives leases their full time again after a crash: nobody knows how much of it is over', () => {
    const budget = budgetOf()
    granted(budget, wish())
    const next = afterCrash(budget, 1_000_000)

    expect(
      next.recoverLeases(1_000_000 + leaseTtlMs + beaconWindowMs - 1, nobodyLives).reply.leases,
    ).toBe(0)
    expect(
      next.recoverLeases(1_000_000 + leaseTtlMs + beaconWindowMs, nobodyLives).reply.leases,
    ).toBe(1)
  })

  it('holds yesterday’s rights against today’s budget', () => {
    const budget = budgetOf(120_000)
    granted(budget, wish())

    budget.rollDay(101)

    expect(budget.freeMicros).toBe(20_000)
  })
})

describe('the budget itself', () => {
  it('is not lowered below what is spent and abroad', () => {
    const budget = budgetOf()
    budget.tryReserve('a', PRICE, 0)
    budget.grantLease(wish(), 0)

    expect(budget.setBudget(104_999).reply).toEqual({
      type: 'BudgetRejected',
      leastMicros: 105_000,
    })
    expect(budget.setBudget(105_000).reply).toEqual({
      type: 'BudgetChanged',
      budgetMicros: 105_000,
    })
  })

  it('is not begun again after a beacon that comes days late', () => {
    const budget = budgetOf(PRICE)
    budget.rollDay(105)
    budget.tryReserve('a', PRICE, 0)

    budget.recordSpend({ requestId: 'late', amountMicros: PRICE, day: 101 }, 1)
    budget.rollDay(105)

    expect(budget.tryReserve('b', PRICE, 2).reply.type).toBe('InsufficientBudget')
    expect(budget.spentMicros).toBe(PRICE)
  })

  it('counts midnights again after a clock was days ahead for a while', () => {
    const budget = budgetOf()
    budget.rollDay(140)
    budget.tryReserve('a', PRICE, 0)
    budget.rollDay(100)

    expect(budget.rollDay(101).reply.isNew).toBe(true)
    expect(budget.spentMicros).toBe(0)
  })

  it('refuses to go on from a state that breaks its promise', () => {
    const broken: BudgetState = { ...freshBudget('c', 'i', 10, 1), spentMicros: 11 }

    expect(() => new Budget(broken, 0)).toThrow(/broken invariant/)
  })

  it('holds spent + outstanding <= budget through any course of events', () => {
    let seed = 7
    const below = (bound: number): number => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
      return Math.floor((seed / 2 ** 32) * bound)
    }
    let budget = budgetOf(300_000)
    const leases: string[] = []
    for (let step = 0; step < 20_000; step++) {
      const now = step * 97
      const amountMicros = 1 + below(9_000)
      switch (below(8)) {
        case 0:
          budget.tryReserve(`r${below(400)}`, amountMicros, now)
          break
        case 1:
          budget.recordSpend(
            { requestId: `r${below(400)}`, amountMicros, day: 100 + Math.floor(step / 4_000) },
            now,
          )
          break
        case 2: {
          const request = wish({
            nodeId: `n${below(3)}`,
            requestId: `q${below(300)}`,
            servingNodes: 3,
          })
          const { reply } = budget.grantLease(request, now)
          if (reply.type === 'LeaseGranted') leases.push(reply.leaseId)
          break
        }
        case 3:
        case 4: {
          const leaseId = leases[below(leases.length)] ?? 'none'
          budget.settleLease({ leaseId, spentMicros: below(120_000), isFinal: below(3) === 0 })
          break
        }
        case 5:
          budget.recoverLeases(now, (nodeId) => nodeId !== 'n2')
          break
        case 6:
          budget.setBudget(below(600_000))
          break
        default:
          if (below(20) === 0) budget = afterCrash(budget, now)
      }
      expect(budget.spentMicros + budget.outstandingMicros).toBeLessThanOrEqual(budget.budgetMicros)
      expect(budget.outstandingMicros).toBeGreaterThanOrEqual(0)
    }
    expect(leases.length).toBeGreaterThan(100)
  })
})
