import { describe, expect, it } from 'vitest'
import {
  neededAnswers,
  readAll,
  readFrom,
  readLocal,
  readMajority,
  writeAll,
  writeLocal,
  writeMajority,
  writeTo,
} from './consistency.ts'

const timeoutMs = 800

describe('how many of the others have to answer', () => {
  it.each([
    [0, 0],
    [1, 1],
    [2, 1],
    [3, 2],
    [4, 2],
    [5, 3],
    [6, 3],
  ])('a majority with %i others needs %i of them', (others, needed) => {
    const replicas = { others, isMember: true, hasOwnAnswer: true }

    expect(neededAnswers(writeMajority({ timeoutMs }), replicas)).toBe(needed)
    expect(neededAnswers(readMajority({ timeoutMs }), replicas)).toBe(needed)
  })

  it.each([
    [2, 2],
    [3, 3],
    [4, 3],
  ])(
    'a member whose own answer does not count needs one more: with %i others %i',
    (others, needed) => {
      const replicas = { others, isMember: true, hasOwnAnswer: false }

      expect(neededAnswers(readMajority({ timeoutMs }), replicas)).toBe(needed)
    },
  )

  it.each([
    [0, 1],
    [2, 2],
    [3, 2],
    [5, 3],
  ])(
    'who is no member yet needs a majority of the members: with %i of them %i',
    (others, needed) => {
      const replicas = { others, isMember: false, hasOwnAnswer: false }

      expect(neededAnswers(writeMajority({ timeoutMs }), replicas)).toBe(needed)
    },
  )

  it('other levels say it themselves', () => {
    const replicas = { others: 4, isMember: true, hasOwnAnswer: true }

    expect(neededAnswers(writeLocal, replicas)).toBe(0)
    expect(neededAnswers(readLocal, replicas)).toBe(0)
    expect(neededAnswers(writeTo(3, { timeoutMs }), replicas)).toBe(2)
    expect(neededAnswers(readFrom(3, { timeoutMs }), replicas)).toBe(2)
    expect(neededAnswers(writeAll({ timeoutMs }), replicas)).toBe(4)
    expect(neededAnswers(readAll({ timeoutMs }), replicas)).toBe(4)
  })
})

it('levels that make no sense are refused', () => {
  const invalid = expect.objectContaining({ code: 'INVALID_CONSISTENCY' })

  expect(() => writeMajority({ timeoutMs: 0 })).toThrow(invalid)
  expect(() => readAll({ timeoutMs: Number.NaN })).toThrow(invalid)
  expect(() => writeTo(1, { timeoutMs })).toThrow(invalid)
  expect(() => readFrom(2.5, { timeoutMs })).toThrow(invalid)
})
