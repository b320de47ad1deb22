import { describe, expect, it } from 'vitest'
import { isWeekend, TrafficShape } from './traffic-shape.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** A Thursday. */
const THURSDAY = 0
const SATURDAY = 2 * DAY
const busyNoon = Array.from({ length: 24 }, (_, hour) => (hour === 12 ? 25 : 1))

describe('TrafficShape', () => {
  it('is flat and unknown at first', () => {
    const shape = new TrafficShape()

    expect(shape.isWarm).toBe(false)
    expect([0, 6, 12].map((hour) => shape.cdf(hour * HOUR))).toEqual([0, 0.25, 0.5])
    expect(shape.relativeVolume(5 * HOUR)).toBeCloseTo(1)
  })

  it('adds up hours, and runs straight within one', () => {
    const shape = new TrafficShape(busyNoon)

    expect(shape.cdf(12 * HOUR)).toBeCloseTo(12 / 48)
    expect(shape.cdf(12.5 * HOUR)).toBeCloseTo(24.5 / 48)
    expect(shape.cdf(13 * HOUR)).toBeCloseTo(37 / 48)
  })

  it('counts traffic across midnight', () => {
    const shape = new TrafficShape(busyNoon)

    expect(shape.mass(12 * HOUR, DAY + 12 * HOUR)).toBeCloseTo(1)
    expect(shape.mass(13 * HOUR, DAY + 12 * HOUR)).toBeCloseTo(23 / 48)
  })

  it('keeps weekends apart', () => {
    const shape = new TrafficShape(
      busyNoon,
      Array.from({ length: 24 }, () => 1),
    )

    expect(shape.cdf(SATURDAY + 13 * HOUR)).toBeCloseTo(13 / 24)
    expect([THURSDAY, DAY, SATURDAY, 3 * DAY, 4 * DAY].map(isWeekend)).toEqual([
      false,
      false,
      true,
      true,
      false,
    ])
  })

  it('is known after 23 changes of the hour', () => {
    const shape = new TrafficShape()
    for (let hour = 0; hour <= 22; hour++) shape.observe(hour * HOUR, 10)
    expect(shape.isWarm).toBe(false)

    shape.observe(23 * HOUR, 10)

    expect(shape.isWarm).toBe(true)
  })

  it('draws the first day roughly from the rates seen', () => {
    const shape = new TrafficShape()
    shape.observe(0, 10)
    for (let i = 0; i < 6; i++) shape.observe(5 * HOUR, 40)

    expect(shape.relativeVolume(5 * HOUR)).toBeGreaterThan(1.2)
  })

  it('learns a fifth of each finished day', () => {
    const shape = new TrafficShape(Array.from({ length: 24 }, () => 1))
    for (let i = 0; i < 24; i++) shape.observe(7 * HOUR, 10)
    shape.rollDay(0)

    expect(shape.cdf(8 * HOUR) - shape.cdf(7 * HOUR)).toBeCloseTo((0.8 + 0.2 * 24) / 24)
  })

  it('steers harder shortly before a great change only', () => {
    const shape = new TrafficShape(busyNoon)

    expect([11.5, 11.9, 9.9].map((hours) => shape.gainBoost(hours * HOUR))).toEqual([1, 2, 1])
  })
})
