import { compareText } from '@troupe/cluster/spi'
import type { ShardId } from './shard-id.ts'

/** Which node (by key) hosts which shards. Nodes that host none are in it too. */
export type Allocation = ReadonlyMap<string, readonly ShardId[]>

/** The node with the fewest shards; the first in order of keys among equals. Undefined when there is none. */
export function leastLoaded(allocation: Allocation): string | undefined {
  return byLoad(allocation)[0]?.[0]
}

/**
 * Which shards should move, at most `movesMax` of them: those that nodes have beyond their fair share,
 * as long as some other node is below its own. A difference of one shard moves nothing.
 */
export function shardsToMove(allocation: Allocation, movesMax: number): readonly ShardId[] {
  const nodes = byLoad(allocation)
  const total = nodes.reduce((sum, [, shards]) => sum + shards.length, 0)
  const fair = Math.floor(total / nodes.length)
  let room = nodes.reduce((sum, [, shards]) => sum + Math.max(0, fair - shards.length), 0)
  const moves: ShardId[] = []
  for (const [, shards] of [...nodes].reverse()) {
    let surplus = shards.length - fair
    for (const shard of [...shards].sort((a, b) => a - b)) {
      if (surplus <= 0 || room <= 0 || moves.length >= movesMax) break
      moves.push(shard)
      surplus--
      room--
    }
  }
  return moves
}

function byLoad(allocation: Allocation): readonly (readonly [string, readonly ShardId[]])[] {
  return [...allocation].sort(
    ([keyA, a], [keyB, b]) => a.length - b.length || compareText(keyA, keyB),
  )
}
