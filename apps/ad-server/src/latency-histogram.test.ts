import { describe, expect, it } from 'vitest'
import { LatencyHistogram } from './latency-histogram.ts'

describe('LatencyHistogram', () => {
  it('finds quantiles within a twentieth', () => {
    const histogram = new LatencyHistogram()
    for (let i = 1; i <= 1_000; i++) histogram.record(i / 100)

    expect(histogram.total).toBe(1_000)
    expect(Math.abs(histogram.quantile(0.5) / 5 - 1)).toBeLessThan(0.05)
    expect(Math.abs(histogram.quantile(0.99) / 9.9 - 1)).toBeLessThan(0.05)
    expect(Math.abs(histogram.quantile(1) / 10 - 1)).toBeLessThan(0.05)
  })

  it('adds up exactly what several processes counted', () => {
    const [left, right, both] = [
      new LatencyHistogram(),
      new LatencyHistogram(),
      new LatencyHistogram(),
    ]
    for (const ms of [0.01, 0.5, 7]) {
      left.record(ms)
      both.record(ms)
    }
    for (const ms of [0.5, 900]) {
      right.record(ms)
      both.record(ms)
    }

    expect(left.merge(right.snapshot())).toBe(true)
    expect(left.snapshot()).toEqual(both.snapshot())
  })

  it('keeps what is out of range in the outermost buckets', () => {
    const histogram = new LatencyHistogram()
    histogram.record(0)
    histogram.record(-1)
    histogram.record(NaN)
    histogram.record(1e9)

    expect(histogram.snapshot()).toEqual([
      [0, 3],
      [429, 1],
    ])
  })

  it('refuses a snapshot with a bucket it does not have, and stays as it was', () => {
    const histogram = new LatencyHistogram()

    expect(
      histogram.merge([
        [3, 1],
        [430, 1],
      ]),
    ).toBe(false)
    expect(histogram.merge([[1.5, 1]])).toBe(false)
    expect(histogram.total).toBe(0)
  })

  it('tells what was counted since an earlier snapshot', () => {
    const histogram = new LatencyHistogram()
    histogram.record(1)
    const before = histogram.snapshot()
    histogram.record(100)

    const since = histogram.since(before)

    expect(since.total).toBe(1)
    expect(Math.abs(since.quantile(0.5) / 100 - 1)).toBeLessThan(0.05)
  })

  it('answers 0 while nothing was counted', () => {
    expect(new LatencyHistogram().quantile(0.99)).toBe(0)
  })
})
