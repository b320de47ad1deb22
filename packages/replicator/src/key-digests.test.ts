import { expect, it } from 'vitest'
import { bucketOf, contribution, hashName, KeyDigests } from './key-digests.ts'

function digestsOf(contents: readonly (readonly [name: string, low: number])[]): KeyDigests {
  const digests = new KeyDigests()
  for (const [text, low] of contents) {
    const name = hashName(text)
    const { high, low: part } = contribution(name, { high: 7, low })
    digests.flip(bucketOf(name), high, part)
  }
  return digests
}

it('equal contents have equal digests, in whatever order they came', () => {
  const a = digestsOf([
    ['x', 1],
    ['y', 2],
  ])
  const b = digestsOf([
    ['y', 2],
    ['x', 1],
  ])

  expect(a.root).toEqual(b.root)
  expect(a.differing(b.toBytes())).toEqual([])
})

it('contents that have changed places are not equal', () => {
  const a = digestsOf([
    ['x', 1],
    ['y', 2],
  ])
  const b = digestsOf([
    ['x', 2],
    ['y', 1],
  ])

  expect(a.root).not.toEqual(b.root)
})

it('only the bucket of a key that differs is different', () => {
  const names = Array.from({ length: 200 }, (_, i) => [`key-${i}`, i] as const)
  const a = digestsOf(names)
  const b = digestsOf([...names.slice(0, 57), ['key-57', 1_000], ...names.slice(58)])

  expect(a.differing(b.toBytes())).toEqual([bucketOf(hashName('key-57'))])
})

it('a contribution that is taken out leaves no mark', () => {
  const a = digestsOf([['x', 1]])
  const name = hashName('y')
  const part = contribution(name, { high: 1, low: 1 })
  a.flip(bucketOf(name), part.high, part.low)
  a.flip(bucketOf(name), part.high, part.low)

  expect(a.root).toEqual(digestsOf([['x', 1]]).root)
})

it('names spread over all buckets', () => {
  const buckets = new Set<number>()
  for (let i = 0; i < 20_000; i++)
    buckets.add(bucketOf(hashName(`site-${i % 100}|slot|bucket-${i}`)))

  expect(buckets.size).toBe(1_024)
})
