import { describe, expect, it } from 'vitest'
import { leastLoaded, shardsToMove } from './shard-allocation.ts'

const allocation = (counts: Record<string, number>): Map<string, number[]> => {
  let next = 0
  return new Map(
    Object.entries(counts).map(([node, count]) => [
      node,
      Array.from({ length: count }, () => next++),
    ]),
  )
}

describe('the next home', () => {
  it('is the node with the fewest shards', () => {
    expect(leastLoaded(allocation({ a: 2, b: 1, c: 3 }))).toBe('b')
  })

  it('is the first by name among equals, whatever their order', () => {
    expect(leastLoaded(allocation({ c: 1, a: 1, b: 1 }))).toBe('a')
  })

  it('is nowhere when there are no nodes', () => {
    expect(leastLoaded(new Map())).toBeUndefined()
  })
})

describe('shards to move', () => {
  it.each([
    [{}, 10, 0],
    [{ a: 5 }, 10, 0],
    [{ a: 5, b: 5 }, 10, 0],
    [{ a: 6, b: 5 }, 10, 0],
    [{ a: 7, b: 5 }, 10, 1],
    [{ a: 34, b: 33, c: 33 }, 10, 0],
    [{ a: 100, b: 0, c: 0 }, 10, 10],
    [{ a: 12, b: 0, c: 0 }, 10, 8],
    [{ a: 1, b: 1, c: 0 }, 10, 0],
  ])('of %j with at most %i at once are %i', (counts, movesMax, moves) => {
    expect(shardsToMove(allocation(counts), movesMax)).toHaveLength(moves)
  })

  it('come from the fullest node first', () => {
    const full = allocation({ a: 4, b: 8, c: 0 })

    expect(shardsToMove(full, 2).every((shard) => full.get('b')?.includes(shard))).toBe(true)
  })

  it('become fewer until nothing moves any more: rounds end in balance', () => {
    const nodes = new Map(
      [...allocation({ a: 100, b: 3, c: 0, d: 0 })].map(([k, v]) => [k, [...v]]),
    )
    let rounds = 0
    for (;;) {
      const moves = shardsToMove(nodes, 10)
      if (moves.length === 0) break
      for (const shard of moves) {
        for (const shards of nodes.values()) {
          const at = shards.indexOf(shard)
          if (at >= 0) shards.splice(at, 1)
        }
        nodes.get(leastLoaded(nodes) ?? '')?.push(shard)
      }
      expect(++rounds).toBeLessThan(20)
    }

    const sizes = [...nodes.values()].map((shards) => shards.length)
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
  })
})
