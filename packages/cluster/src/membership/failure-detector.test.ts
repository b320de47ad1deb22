import { describe, expect, it } from 'vitest'
import { FailureDetector } from './failure-detector.ts'

const SETTINGS = { phiThreshold: 8, acceptablePauseMs: 3_000, heartbeatIntervalMs: 1_000 }

/** A detector that has heard `count` heartbeats, one a second, the last at `count` seconds. */
function steady(count = 100, settings = SETTINGS): FailureDetector {
  const detector = new FailureDetector(settings, 0)
  for (let i = 1; i <= count; i++) detector.heartbeat(i * 1_000)
  return detector
}

/** How long a silence has to be before it counts. */
function reactsAfter(detector: FailureDetector, from: number): number {
  let now = from
  while (detector.isAvailable(now)) now += 10
  return now - from
}

describe('a failure detector', () => {
  it('trusts a peer that keeps its rhythm, for an hour', () => {
    const detector = new FailureDetector(SETTINGS, 0)

    for (let now = 1_000; now <= 3_600_000; now += 1_000) {
      expect(detector.isAvailable(now)).toBe(true)
      detector.heartbeat(now)
    }
  })

  it('suspects a silent one after about the usual interval and the acceptable pause', () => {
    const silence = reactsAfter(steady(), 100_000)

    expect(silence).toBeGreaterThan(4_000)
    expect(silence).toBeLessThan(5_500)
  })

  it('suspects one that has never said anything', () => {
    const silence = reactsAfter(new FailureDetector(SETTINGS, 0), 0)

    expect(silence).toBeGreaterThan(4_000)
    expect(silence).toBeLessThan(7_000)
  })

  it('trusts it again with its next heartbeat', () => {
    const detector = steady()
    expect(detector.isAvailable(110_000)).toBe(false)

    detector.heartbeat(110_000)

    expect(detector.isAvailable(110_001)).toBe(true)
  })

  it('does not learn from the pause that ended a suspicion', () => {
    const detector = steady()
    const before = reactsAfter(detector, 100_000)

    for (let now = 200_000; now < 1_000_000; now += 100_000) detector.heartbeat(now)

    expect(reactsAfter(detector, 900_000)).toBe(before)
  })

  it('is slower to suspect a peer whose rhythm varies', () => {
    const detector = new FailureDetector(SETTINGS, 0)
    let now = 0
    for (let i = 0; i < 100; i++) detector.heartbeat((now += i % 2 === 0 ? 200 : 2_800))

    expect(reactsAfter(detector, now)).toBeGreaterThan(reactsAfter(steady(), 100_000) + 2_000)
  })

  it('grows more certain with every moment of silence', () => {
    const detector = steady()
    const phis = [100_500, 101_500, 104_000, 104_500, 105_000].map((now) => detector.phi(now))

    expect(phis).toEqual([...phis].sort((a, b) => a - b))
    expect(phis[0]).toBeLessThan(0.1)
    expect(phis.at(-1)).toBeGreaterThan(8)
  })

  it('keeps the last thousand intervals only', () => {
    const detector = steady(500)
    let now = 500_000
    for (let i = 0; i < 1_000; i++) detector.heartbeat((now += 100))

    expect(reactsAfter(detector, now)).toBeLessThan(4_000)
  })

  it('takes a pause of our own off the silence, but not more than there was', () => {
    const detector = steady()
    expect(detector.isAvailable(106_000)).toBe(false)

    detector.excuse(4_000, 106_000)

    expect(detector.isAvailable(106_000)).toBe(true)
    expect(reactsAfter(detector, 106_000)).toBeLessThan(3_500)
    detector.excuse(60_000, 106_000)
    expect(reactsAfter(detector, 106_000)).toBeLessThan(5_500)
  })
})
