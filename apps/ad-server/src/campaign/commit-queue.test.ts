import { expect, it } from 'vitest'
import { CommitQueue } from './commit-queue.ts'

it('releases an answer when the commit that began after it is confirmed', () => {
  const queue = new CommitQueue<string>()
  queue.changed('a')

  expect(queue.begin()).toBe(true)
  expect(queue.confirmed()).toEqual(['a'])
})

it('does not release what came while the commit was under way', () => {
  const queue = new CommitQueue<string>()
  queue.changed('a')
  queue.begin()
  queue.changed('b')

  expect(queue.begin()).toBe(false)
  expect(queue.confirmed()).toEqual(['a'])
  expect(queue.begin()).toBe(true)
  expect(queue.confirmed()).toEqual(['b'])
})

it('holds the answers of an unconfirmed commit for the next one, in order', () => {
  const queue = new CommitQueue<string>()
  queue.changed('a')
  queue.begin()
  queue.changed('b')
  queue.unconfirmed()

  expect(queue.begin()).toBe(true)
  expect(queue.confirmed()).toEqual(['a', 'b'])
})

it('has nothing to do when nothing changed', () => {
  const queue = new CommitQueue<string>()
  queue.changed()
  expect(queue.begin()).toBe(true)
  expect(queue.confirmed()).toEqual([])

  expect(queue.begin()).toBe(false)
})

it('forgets the oldest answers rather than grow without bound', () => {
  const queue = new CommitQueue<number>(2)
  for (const answer of [1, 2, 3]) queue.changed(answer)
  queue.begin()

  expect(queue.confirmed()).toEqual([2, 3])
})

it('ignores ends of commits that never began', () => {
  const queue = new CommitQueue<string>()
  queue.unconfirmed()

  expect(queue.confirmed()).toEqual([])
  expect(queue.begin()).toBe(false)
})
