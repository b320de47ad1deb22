import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DotRanges } from './dot-ranges.ts'

describe('ranges of dots', () => {
  it('are one range when learnt in order, and close over a gap that is filled', () => {
    const dots = new DotRanges()
    for (const each of [1, 2, 3, 6, 5]) dots.add(each, each)

    expect(dots.ranges).toEqual([
      { from: 1, to: 3 },
      { from: 5, to: 6 },
    ])
    dots.add(4, 4)
    expect(dots.ranges).toEqual([{ from: 1, to: 6 }])
  })

  it('say what is left without some', () => {
    const dots = new DotRanges()
    dots.add(1, 10)
    dots.add(20, 20)

    expect(dots.except([1, 5, 6, 20])).toEqual([
      { from: 2, to: 4 },
      { from: 7, to: 10 },
    ])
  })

  it('behave like a set of numbers', () => {
    const range = fc.tuple(fc.integer({ min: 1, max: 30 }), fc.nat({ max: 5 }))
    fc.assert(
      fc.property(
        fc.array(range),
        fc.uniqueArray(fc.integer({ min: 1, max: 36 })),
        (added, without) => {
          const dots = new DotRanges()
          const model = new Set<number>()
          for (const [from, width] of added) {
            dots.add(from, from + width)
            for (let each = from; each <= from + width; each++) model.add(each)
          }
          for (let each = 1; each <= 40; each++) expect(dots.has(each)).toBe(model.has(each))
          expect(dots.max).toBe(Math.max(0, ...model))
          for (const [from, width] of added) expect(dots.covers(from, from + width)).toBe(true)
          for (const [index, each] of dots.ranges.entries()) {
            expect(each.from).toBeGreaterThan((dots.ranges[index - 1]?.to ?? -1) + 1)
          }
          const left = dots
            .except(without.sort((a, b) => a - b))
            .flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, i) => from + i))
          expect(left).toEqual(
            [...model].filter((each) => !without.includes(each)).sort((a, b) => a - b),
          )
        },
      ),
      { numRuns: 300, seed: 1 },
    )
  })
})
