import { describe, expect, it } from 'vitest'
import { TimeSeries } from './time-series.ts'

const HOUR = 3_600_000
const WEEK = 7 * 24 * HOUR
const START = Date.UTC(2011, 6, 1)

describe('TimeSeries', () => {
  const series = new TimeSeries(
    [
      { at: START + 3 * HOUR + 60_000, value: 3 },
      { at: START + 900_000, value: 1 },
      { at: START + 1_000_000, value: 99 },
      { at: START + 5 * HOUR, value: 5 },
    ],
    HOUR,
  )

  it('answers with the sample of the hour', () => {
    expect(series.at(START)).toBe(1)
    expect(series.at(START + 4 * HOUR - 1)).toBe(3)
    expect(series.at(START + 5 * HOUR)).toBe(5)
  })

  it('lets a sample last until the next one', () => {
    expect(series.at(START + 2 * HOUR)).toBe(1)
    expect(series.at(START + 100 * HOUR)).toBe(5)
  })

  it('repeats itself in whole weeks, forwards and backwards', () => {
    expect(series.at(START + WEEK + 3 * HOUR)).toBe(3)
    expect(series.at(START + 200 * WEEK + 3 * HOUR)).toBe(3)
    expect(series.at(START - WEEK)).toBe(1)
    expect(series.at(START - 1)).toBe(5)
  })

  it('keeps every sample of a recording that ends within a week', () => {
    const days = Array.from({ length: 10 }, (_, day) => ({
      at: START + day * 24 * HOUR,
      value: day,
    }))
    const long = new TimeSeries(days, HOUR)

    expect(days.map(({ at }) => long.at(at))).toEqual(days.map(({ value }) => value))
    expect(long.at(START + 2 * WEEK + 24 * HOUR)).toBe(1)
  })

  it('names its first midnight', () => {
    expect(series.firstMidnightMs).toBe(START)
    expect(new TimeSeries([{ at: START + HOUR, value: 1 }], HOUR).firstMidnightMs).toBe(
      START + 24 * HOUR,
    )
  })
})
