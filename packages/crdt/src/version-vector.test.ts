import { describe, expect, it } from 'vitest'
import { VersionVector } from './version-vector.ts'

const of = (steps: Record<string, number>) => VersionVector.of(new Map(Object.entries(steps)))

describe('a version vector', () => {
  it.each([
    [{}, {}, 'Same'],
    [{ a: 1 }, { a: 1 }, 'Same'],
    [{ a: 1 }, {}, 'After'],
    [{}, { a: 1 }, 'Before'],
    [{ a: 2, b: 1 }, { a: 1, b: 1 }, 'After'],
    [{ a: 1, b: 1 }, { a: 1, b: 2 }, 'Before'],
    [{ a: 1 }, { b: 1 }, 'Concurrent'],
    [{ a: 2, b: 1 }, { a: 1, b: 2 }, 'Concurrent'],
  ] as const)('%j to %j is %s', (a, b, ordering) => {
    expect(of(a).compareTo(of(b))).toBe(ordering)
  })

  it('counts the steps of each writer and is never changed', () => {
    const one = VersionVector.empty.increment('a')

    expect([...one.increment('a').increment('b').entries()]).toEqual([
      ['a', 2],
      ['b', 1],
    ])
    expect([...one.entries()]).toEqual([['a', 1]])
    expect(VersionVector.empty.size).toBe(0)
  })

  it('merges to what either knows', () => {
    const merged = of({ a: 1, b: 3 }).merge(of({ a: 2, c: 1 }))

    expect(merged.compareTo(of({ a: 2, b: 3, c: 1 }))).toBe('Same')
  })

  it('forgets a writer, and leaves out those that made no step', () => {
    expect(
      of({ a: 1, b: 2 })
        .without('a')
        .compareTo(of({ b: 2 })),
    ).toBe('Same')
    expect(of({ a: 0 }).size).toBe(0)
  })
})
