import { describe, expect, it } from 'vitest'
import type { PacingInput } from './pacing.ts'
import { baseThrottle, defaultPacingSettings, PacingController } from './pacing.ts'

/** A site in the middle of its day, on plan, with as many requests as it can pay. */
const steady: PacingInput = {
  budgetMicros: 86_400_000_000,
  spentMicros: 43_200_000_000,
  spendRatio: 1,
  averageCpmMicros: 5_000_000,
  ratePerSecond: 200,
  shapeMultiplier: 1,
  hasShape: false,
  elapsedSeconds: 43_200,
  remainingSeconds: 43_200,
  servingNodes: 1,
  gainBoost: 1,
}

/** A controller past its grace, at time 1,000. */
function running(): PacingController {
  const controller = new PacingController()
  for (let i = 1; i <= 10; i++) controller.throttle(steady, i * 100)
  return controller
}

describe('the base throttle', () => {
  it.each([
    ['as many requests as impressions', {}, 0],
    ['twice as many', { ratePerSecond: 400 }, 0.5],
    ['fewer', { ratePerSecond: 50 }, 0],
    ['twice as many while traffic doubles', { ratePerSecond: 400, shapeMultiplier: 2 }, 0],
    ['all of them on each of two nodes', { servingNodes: 2 }, 0.5],
    ['no budget: no target, no opinion', { budgetMicros: 0 }, 0],
  ])('%s', (_, change, throttle) => {
    expect(baseThrottle({ ...steady, ...change }, 86_400)).toBeCloseTo(throttle)
  })
})

describe('the hard stop', () => {
  it.each([
    ['without budget', { budgetMicros: 0 }],
    ['when the day is over', { remainingSeconds: 0 }],
    ['when all is spent', { spentMicros: steady.budgetMicros }],
  ])('refuses everything %s', (_, change) => {
    expect(running().throttle({ ...steady, ...change }, 1_100)).toBe(1)
  })

  it('is the only thing that refuses everything', () => {
    const controller = running()
    let most = 0
    for (let i = 0; i < 500; i++)
      most = Math.max(
        most,
        controller.throttle({ ...steady, spendRatio: 100, ratePerSecond: 1e9 }, 1_100 + i * 100),
      )

    expect(most).toBe(0.99)
  })
})

describe('the grace', () => {
  it('refuses only the surplus in the first seconds and requests', () => {
    const controller = new PacingController()
    const input = { ...steady, ratePerSecond: 400, spendRatio: 5 }

    expect(controller.throttle({ ...input, elapsedSeconds: 3 }, 0)).toBeCloseTo(0.5)
    for (let i = 1; i < 10; i++) expect(controller.throttle(input, i)).toBeCloseTo(0.5)
    expect(controller.throttle(input, 100)).toBeGreaterThan(0.9)
  })

  it('never refuses everything', () => {
    expect(new PacingController().throttle({ ...steady, ratePerSecond: 1e9 }, 0)).toBe(0.99)
  })
})

describe('the controller', () => {
  it('lets through what is due while on plan', () => {
    expect(running().throttle(steady, 1_100)).toBeCloseTo(0)
  })

  it('opens when behind and brakes when ahead, twice as hard', () => {
    const surplus = { ...steady, ratePerSecond: 400 }
    const behind = 0.5 - running().throttle({ ...surplus, spendRatio: 0.8 }, 1_100)
    const ahead = running().throttle({ ...surplus, spendRatio: 1.2 }, 1_100) - 0.5

    expect(behind).toBeGreaterThan(0)
    expect(ahead).toBeCloseTo(2 * behind)
  })

  it('corrects harder the longer it is wrong', () => {
    const controller = running()
    const surplus = { ...steady, ratePerSecond: 400, spendRatio: 0.9 }
    const first = controller.throttle(surplus, 1_100)
    for (let i = 0; i < 20; i++) controller.throttle(surplus, 1_200 + i * 100)

    expect(controller.throttle(surplus, 3_300)).toBeLessThan(first - 0.05)
  })

  it('forgets what it summed up over a long gap', () => {
    const [steadily, paused] = [running(), running()]
    const ahead = { ...steady, ratePerSecond: 400, spendRatio: 1.3 }
    for (let i = 0; i < 100; i++) {
      steadily.throttle(ahead, 1_100 + i * 100)
      paused.throttle(ahead, 1_100 + i * 100)
    }

    const before = steadily.throttle({ ...ahead, spendRatio: 1 }, 11_100)
    paused.throttle({ ...ahead, spendRatio: 1 }, 60_000)
    const after = paused.throttle({ ...ahead, spendRatio: 1 }, 60_100)

    expect(after).toBeLessThan(before - 0.1)
  })

  it('holds a fixed probability for tests of a site', () => {
    const controller = new PacingController({ ...defaultPacingSettings, fixedThrottle: 0.25 })

    expect(controller.throttle({ ...steady, budgetMicros: 0 }, 0)).toBe(0.25)
  })
})

describe('tuning', () => {
  it('brakes harder when spending stays ahead, up to five times', () => {
    const controller = running()
    for (let i = 0; i < 2_000; i++)
      controller.throttle({ ...steady, spendRatio: 1.2 }, 1_100 + i * 100)

    expect(controller.tuning.overPaceFactor).toBe(5)
  })

  it('lets go a little while on plan', () => {
    const controller = running()
    for (let i = 0; i < 200; i++) controller.throttle(steady, 1_100 + i * 100)

    expect(controller.tuning.overPaceFactor).toBe(1.5)
    expect(controller.tuning.smoothing).toBe(0.5)
  })

  it('smooths more when the ratio jumps about', () => {
    const controller = running()
    for (let i = 0; i < 400; i++)
      controller.throttle({ ...steady, spendRatio: i % 2 === 0 ? 0.2 : 1.8 }, 1_100 + i * 100)

    expect(controller.tuning.smoothing).toBeLessThan(0.2)
  })
})

describe('a new day', () => {
  it('brakes harder after a day that ended early', () => {
    const controller = new PacingController()
    controller.rollOver(0.5)

    expect(controller.tuning.overPaceFactor).toBe(3)
  })

  it('goes back towards two after a day that lasted', () => {
    const controller = new PacingController()
    controller.rollOver(0.9)
    controller.rollOver(0.04)

    expect(controller.tuning.overPaceFactor).toBeCloseTo(3.8 * 0.95)
  })

  it('starts with a grace again', () => {
    const controller = running()
    controller.rollOver()

    expect(
      controller.throttle({ ...steady, spendRatio: 9, ratePerSecond: 400 }, 1_100),
    ).toBeCloseTo(0.5)
  })
})
