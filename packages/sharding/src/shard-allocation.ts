import { compareText } from '@troupe/cluster/spi'
import type { ShardId } from './shard-id.ts'

/** Which node (by key) hosts which shards. Nodes that host none are in it too. */
export type Allocation = ReadonlyMap<string, readonly ShardId[]>

/** The node with the fewest shards; the first in order of keys among equals. Undefined when there is none. */
export function leastLoaded(allocation: Allocation): string | undefined {
  return byLoad(allocation)[0]?.[0]
}

/**
 * Which shards should move, at most `movesMax` of them, from the fullest nodes first: those beyond a
 * node's fair share. Shares differ by at most one, and who has more now keeps the larger share, so
 * nothing moves that would not have to.
 */
export function shardsToMove(allocation: Allocation, movesMax: number): readonly ShardId[] {
  const fullestFirst = [...byLoad(allocation)].reverse()
  const total = fullestFirst.reduce((sum, [, shards]) => sum + shards.length, 0)
  const fair = Math.floor(total / fullestFirst.length)
  const larger = total - fair * fullestFirst.length
  const moves: ShardId[] = []
  for (const [i, [, shards]] of fullestFirst.entries()) {
    const surplus = shards.length - (i < larger ? fair + 1 : fair)
    if (surplus > 0) moves.push(...[...shards].sort((a, b) => a - b).slice(0, surplus))
  }
  return moves.slice(0, movesMax)
}

function byLoad(allocation: Allocation): readonly (readonly [string, readonly ShardId[]])[] {
  return [...allocation].sort(
    ([keyA, a], [keyB, b]) => a.length - b.length || compareText(keyA, keyB),
  )
}
