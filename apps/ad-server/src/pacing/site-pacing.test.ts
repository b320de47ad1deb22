import { describe, expect, it } from 'vitest'
import type { ScenarioOrigin } from './scenario-clock.ts'
import { realTime, ScenarioClock } from './scenario-clock.ts'
import { SitePacing } from './site-pacing.ts'
import type { CampaignSpend } from './spend-ratio.ts'
import { TrafficShape } from './traffic-shape.ts'

const DAY = 86_400_000
const NOON = DAY / 2
const flatDay = Array.from({ length: 24 }, () => 1)

function gate(origin: ScenarioOrigin = realTime): SitePacing {
  return new SitePacing(new TrafficShape(flatDay), new ScenarioClock(origin))
}

function spend(more: Partial<CampaignSpend> = {}): CampaignSpend {
  const base = {
    campaignId: 'c',
    budgetMicros: 864_000_000,
    spentMicros: 432_000_000,
    pendingMicros: 0,
  }
  return { ...base, cpmMicros: 5_000_000, dayStartMs: 0, dayEndMs: DAY, ...more }
}

/** Sends `perSecond` requests a second until `seconds` are over, and returns the last throttle. */
function drive(
  pacing: SitePacing,
  perSecond: number,
  seconds: number,
  from: number = NOON,
): number {
  let throttle = 0
  for (let i = 0; i < perSecond * seconds; i++) {
    const now = from + (i * 1_000) / perSecond
    pacing.arrived(now)
    throttle = pacing.throttle(now)
  }
  return throttle
}

describe('SitePacing', () => {
  it('is open while nothing is known', () => {
    expect(drive(gate(), 50, 10)).toBe(0)
  })

  it('refuses about the surplus: two impressions a second are due, ten requests come', () => {
    const pacing = gate()
    pacing.publish(spend())

    expect(drive(pacing, 10, 20)).toBeCloseTo(0.8, 1)
  })

  it('divides the target among the nodes that serve', () => {
    const pacing = gate()
    pacing.servedBy(4)
    pacing.publish(spend())

    expect(drive(pacing, 10, 20)).toBeCloseTo(0.95, 1)
  })

  it('stops when every campaign has spent its day, and opens when the day is over', () => {
    const pacing = gate()
    pacing.publish(spend({ spentMicros: 864_000_000 }))

    expect(pacing.throttle(NOON)).toBe(1)
    expect(pacing.throttle(DAY)).toBe(0)
  })

  it('counts what was reserved here until the next publication includes it', () => {
    const pacing = gate()
    pacing.publish(spend())
    pacing.reserved('c', 431_999_000)
    expect(pacing.throttle(NOON)).toBe(1)

    pacing.publish(spend())

    expect(pacing.throttle(NOON)).toBeLessThan(1)
  })

  it('forgets a campaign that has no candidates any more', () => {
    const pacing = gate()
    pacing.publish(spend({ spentMicros: 864_000_000 }))
    pacing.forget('c')

    expect(pacing.throttle(NOON)).toBe(0)
  })

  it('plans for a day as short as the scenario makes it', () => {
    // A day takes 864 real seconds: a hundred times as many impressions a second are due.
    const pacing = gate({ realStartMs: 0, scenarioStartMs: NOON, speed: 100 })
    pacing.publish(spend())

    expect(drive(pacing, 10, 20, 0)).toBeLessThan(0.1)
    expect(drive(pacing, 1_000, 15, 20_000)).toBeCloseTo(0.8, 1)
  })

  it('spends the day’s budget and not much before its end', () => {
    // 864 impressions a day at most; requests come ten times as often as the money lasts.
    const pacing = gate()
    const budgetMicros = 4_320_000
    let spentMicros = 0
    let lastShownAt = 0
    let draw = 1
    for (let now = 0; now < DAY; now += 10_000) {
      if (now % 600_000 === 0) pacing.publish(spend({ budgetMicros, spentMicros }))
      pacing.arrived(now)
      draw = (Math.imul(draw, 1_664_525) + 1_013_904_223) >>> 0
      if (draw / 2 ** 32 < pacing.throttle(now) || spentMicros + 5_000 > budgetMicros) continue
      spentMicros += 5_000
      pacing.reserved('c', 5_000)
      lastShownAt = now
    }

    expect(spentMicros / budgetMicros).toBeGreaterThan(0.9)
    expect(lastShownAt / DAY).toBeGreaterThan(0.9)
  })
})
