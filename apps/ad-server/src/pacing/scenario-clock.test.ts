import { expect, it } from 'vitest'
import { realTime, ScenarioClock } from './scenario-clock.ts'

it('runs as much faster as its speed says, from a common origin', () => {
  const clock = new ScenarioClock({ realStartMs: 1_000, scenarioStartMs: 500_000, speed: 60 })

  expect([clock.at(1_000), clock.at(2_000), clock.at(0)]).toEqual([500_000, 560_000, 440_000])
  expect(clock.daySeconds).toBe(1_440)
})

it('shortens durations, but not below what was asked for', () => {
  const clock = new ScenarioClock({ ...realTime, speed: 600 })

  expect(clock.realDurationOf(300_000)).toBe(500)
  expect(clock.realDurationOf(300_000, 1_000)).toBe(1_000)
})

it('is real time without a speed', () => {
  expect(new ScenarioClock(realTime).at(1_234_567_890)).toBe(1_234_567_890)
})
