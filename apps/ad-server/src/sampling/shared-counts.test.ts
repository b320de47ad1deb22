import { expect, it } from 'vitest'
import { placeOf, SharedCounts } from './shared-counts.ts'

const counts = (
  minute: number,
  impressions: number,
  clicks: number = 0,
): { minute: number; impressions: number; clicks: number } => {
  return { minute, impressions, clicks }
}

it('adds up what the nodes counted in the same minute', () => {
  const shared = new SharedCounts()
  shared.report('n1', placeOf('a', 7), counts(7, 10, 1))

  expect(shared.report('n2', placeOf('a', 7), counts(7, 5, 2))).toEqual({
    creativeId: 'a',
    minute: 7,
    impressions: 15,
    clicks: 3,
  })
})

it('replaces what a node said before', () => {
  const shared = new SharedCounts()
  shared.report('n1', placeOf('a', 7), counts(7, 10))

  expect(shared.report('n1', placeOf('a', 7), counts(7, 12)).impressions).toBe(12)
})

it('does not mix a minute with the one an hour ago, which has the same place', () => {
  const shared = new SharedCounts()
  shared.report('n1', placeOf('a', 7), counts(7, 10))

  expect(shared.report('n2', placeOf('a', 67), counts(67, 3)).impressions).toBe(3)
})

it('keeps nothing of a node that is gone, and everything of the others', () => {
  const shared = new SharedCounts()
  shared.report('n1', placeOf('a', 7), counts(7, 10))
  shared.report('n1', placeOf('b', 7), counts(7, 10))
  shared.report('n2', placeOf('a', 7), counts(7, 5))

  shared.forget('n1')

  expect(shared.places).toBe(1)
  expect(shared.report('n3', placeOf('a', 7), counts(7, 1)).impressions).toBe(6)
})
