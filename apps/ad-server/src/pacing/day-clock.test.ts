import { describe, expect, it } from 'vitest'
import { DAY_MS, DayClock, isWithin } from './day-clock.ts'

const at = (text: string): number => Date.parse(text)

describe('DayClock', () => {
  it.each([
    ['UTC', '2026-03-01T23:59:59.999Z', '2026-03-01'],
    ['UTC', '2026-03-02T00:00:00.000Z', '2026-03-02'],
    ['America/New_York', '2026-03-02T03:00:00.000Z', '2026-03-01'],
    ['Asia/Kolkata', '2026-03-01T18:30:00.000Z', '2026-03-02'],
  ])('in %s, %s belongs to %s', (zone, moment, day) => {
    expect(new DayClock(zone).dayOf(at(moment))).toBe(at(`${day}T00:00:00Z`) / DAY_MS)
  })

  it.each([
    ['a day of 24 hours', '2026-03-01T12:00:00Z', 24],
    ['the day clocks go forward', '2026-03-08T12:00:00Z', 23],
    ['the day clocks go back', '2026-11-01T12:00:00Z', 25],
  ])('knows %s in New York', (_, noon, hours) => {
    const { startMs, endMs } = new DayClock('America/New_York').windowOf(at(noon))

    expect((endMs - startMs) / 3_600_000).toBe(hours)
  })

  it('refuses a time zone that does not exist', () => {
    expect(() => new DayClock('Mars/Olympus')).toThrow(RangeError)
  })
})

it('is within a window from its start to just before its end', () => {
  expect([9, 10, 19, 20].map((now) => isWithin(now, 10, 20))).toEqual([false, true, true, false])
  expect(isWithin(5)).toBe(true)
})
