import type { ClusterState, Member, UniqueAddress } from '@troupe/cluster'
import { byAge, sameNode } from '@troupe/cluster/spi'

/** Members that may host entities of a type with `role`; without a role all may. */
export function hostingMembers(
  { members }: ClusterState,
  role: string | undefined,
): readonly Member[] {
  return members.filter((member) => role === undefined || member.roles.includes(role))
}

/** The node whose coordinator decides: the oldest that may host, until it is removed. */
export function oldestHost(
  state: ClusterState,
  role: string | undefined,
): UniqueAddress | undefined {
  return byAge(hostingMembers(state, role))[0]?.node
}

/** Whether anybody but `self` could take shards over, as far as we know. */
export function hasSuccessor(
  state: ClusterState,
  role: string | undefined,
  self: UniqueAddress,
): boolean {
  return hostingMembers(state, role).some(
    ({ node, status }) => status === 'Up' && !sameNode(node, self),
  )
}

export function isMember({ members }: ClusterState, node: UniqueAddress): boolean {
  return members.some((member) => sameNode(member.node, node))
}
