import { type Gossip, leaderOf, unreachableOf } from './membership/gossip.ts'
import { compareMembers, type Member, type MemberStatus } from './membership/member.ts'
import { compareText, nodeKey, type UniqueAddress } from './node-address.ts'

/** The cluster as this node sees it. */
export interface ClusterState {
  /** In address order. */
  readonly members: readonly Member[]
  /** Members that somebody cannot reach at the moment. Being unreachable is not being gone. */
  readonly unreachable: readonly Member[]
  readonly leader: UniqueAddress | undefined
}

/** What subscribers hear, in the order in which it happened. */
export type ClusterEvent =
  /** The first event of each subscription. */
  | ({ readonly type: 'CurrentClusterState' } & ClusterState)
  | { readonly type: 'MemberJoined'; readonly member: Member }
  | { readonly type: 'MemberUp'; readonly member: Member }
  | { readonly type: 'MemberLeft'; readonly member: Member }
  | { readonly type: 'MemberExited'; readonly member: Member }
  | { readonly type: 'MemberDowned'; readonly member: Member }
  /** The incarnation is gone for good. `isReplaced`: another one runs at its address, so this one does not. */
  | {
      readonly type: 'MemberRemoved'
      readonly member: Member
      readonly previousStatus: MemberStatus
      readonly isReplaced: boolean
    }
  | { readonly type: 'UnreachableMember'; readonly member: Member }
  | { readonly type: 'ReachableMember'; readonly member: Member }
  | { readonly type: 'LeaderChanged'; readonly leader: UniqueAddress | undefined }
  /** This node was downed or removed, and stops. */
  | { readonly type: 'ClusterShuttingDown'; readonly reason: string }

export function stateOf(gossip: Gossip, self: UniqueAddress): ClusterState {
  const members = [...gossip.members.values()].sort(compareMembers)
  const unreachable = unreachableOf(gossip, self)
  return {
    members,
    unreachable: members.filter(({ node }) => unreachable.has(nodeKey(node))),
    leader: leaderOf(gossip, self),
  }
}

/** What happened between two views: removals first, then members, reachability, leader. */
export function eventsBetween(
  before: Gossip,
  after: Gossip,
  self: UniqueAddress,
): readonly ClusterEvent[] {
  const events: ClusterEvent[] = []
  const addresses = new Set([...after.members.values()].map(({ node }) => node.address))
  for (const [key, member] of sorted(before.members)) {
    if (after.members.has(key)) continue
    const isReplaced = member.isReplaced || addresses.has(member.node.address)
    events.push({
      type: 'MemberRemoved',
      member: { ...member, status: 'Removed' },
      previousStatus: member.status,
      isReplaced,
    })
  }
  for (const [key, member] of sorted(after.members)) {
    if (before.members.get(key)?.status !== member.status) events.push(memberEvent(member))
  }
  const nowUnreachable = unreachableOf(after, self)
  const wasUnreachable = unreachableOf(before, self)
  for (const [key, member] of sorted(after.members)) {
    if (nowUnreachable.has(key) === wasUnreachable.has(key)) continue
    events.push({ type: nowUnreachable.has(key) ? 'UnreachableMember' : 'ReachableMember', member })
  }
  const leader = leaderOf(after, self)
  if (leader?.uid !== leaderOf(before, self)?.uid) events.push({ type: 'LeaderChanged', leader })
  return events
}

function memberEvent(member: Member): ClusterEvent {
  switch (member.status) {
    case 'Joining':
      return { type: 'MemberJoined', member }
    case 'Up':
      return { type: 'MemberUp', member }
    case 'Leaving':
      return { type: 'MemberLeft', member }
    case 'Exiting':
      return { type: 'MemberExited', member }
    case 'Down':
      return { type: 'MemberDowned', member }
    case 'Removed':
      throw new Error('broken invariant: removed members are not in a view')
    default:
      return member.status satisfies never
  }
}

function sorted(members: ReadonlyMap<string, Member>): readonly (readonly [string, Member])[] {
  return [...members].sort(([a], [b]) => compareText(a, b))
}
