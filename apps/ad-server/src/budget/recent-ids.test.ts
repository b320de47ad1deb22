import { expect, it } from 'vitest'
import { RecentIds } from './recent-ids.ts'

it('knows an id until its time is over', () => {
  const ids = new RecentIds(100, 10)
  ids.add('a', 0)

  expect([ids.has('a', 99), ids.has('a', 100), ids.has('b', 0)]).toEqual([true, false, false])
})

it('forgets the oldest when there are too many', () => {
  const ids = new RecentIds(100, 2)
  for (const id of ['a', 'b', 'c']) ids.add(id, 0)

  expect(ids.list()).toEqual(['b', 'c'])
})

it('counts an id that comes again as new', () => {
  const ids = new RecentIds(100, 2)
  for (const id of ['a', 'b', 'a', 'c']) ids.add(id, 0)

  expect(ids.list()).toEqual(['a', 'c'])
})

it('forgets what is over while it adds', () => {
  const ids = new RecentIds(100, 10)
  ids.add('a', 0)
  ids.add('b', 150)

  expect(ids.size).toBe(1)
})
