import type { ClusterState, UniqueAddress } from '@troupe/cluster'
import { sameNode } from '@troupe/cluster/spi'

/**
 * True when this node sees so few members that the others, if they see each other, go on without it.
 * The same rule as the one by which the cluster decides who goes when the net splits: members that are
 * Up or Leaving vote; of two halves the one with the lowest address stays.
 */
export function isInMinority({ members, unreachable }: ClusterState): boolean {
  const voters = members.filter(({ status }) => status === 'Up' || status === 'Leaving')
  const isThere = (node: UniqueAddress): boolean =>
    unreachable.some((each) => sameNode(each.node, node))
  const there = voters.filter(({ node }) => isThere(node)).length
  const here = voters.length - there
  const [lowest] = voters
  if (here === there) return lowest !== undefined && isThere(lowest.node)
  return here < there
}
