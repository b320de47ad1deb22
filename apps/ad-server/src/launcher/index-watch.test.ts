import { expect, it } from 'vitest'
import { IndexWatch } from './index-watch.ts'

it('takes indexes for filled when they are equal and have not changed for a while', () => {
  const watch = new IndexWatch()
  const seen = [
    watch.isFilled([0, 0, 0], 0),
    watch.isFilled([0, 0, 0], 5_000),
    watch.isFilled([9, 9, 9], 5_100),
    watch.isFilled([9, 9, 9], 5_700),
    watch.isFilled([9, 12, 12], 5_800),
    watch.isFilled([12, 12, 12], 5_900),
    watch.isFilled([12, 12, 12], 6_599),
    watch.isFilled([12, 12, 12], 6_600),
  ]

  expect(seen).toEqual([...Array<boolean>(7).fill(false), true])
})
