import { VersionVector } from '@troupe/crdt'
import { nodeKey, type UniqueAddress } from '../node-address.ts'
import {
  compareAge,
  compareMembers,
  laterOf,
  type Member,
  mayBecome,
  type MemberStatus,
  UP_NUMBER_NONE,
} from './member.ts'
import { Reachability } from './reachability.ts'

/**
 * One node's view of the cluster, as it is gossiped.
 *
 * A lattice: two views merge into one that knows what either knew, in any order and any number of
 * times. `version` tells which of two views knows more; `seen` who has this very view. When all who
 * count have seen it, the view has *converged*, and only then may the leader move members on.
 * Immutable. Source: Pekko/Akka cluster membership, in the words of its specification.
 */
export interface Gossip {
  /** By node key. */
  readonly members: ReadonlyMap<string, Member>
  readonly seen: ReadonlySet<string>
  readonly reachability: Reachability
  readonly version: VersionVector
  /** Removed nodes and when, so that old gossip does not bring them back. Wall time in milliseconds. */
  readonly tombstones: ReadonlyMap<string, number>
}

export const emptyGossip: Gossip = {
  members: new Map(),
  seen: new Set(),
  reachability: Reachability.none,
  version: VersionVector.empty,
  tombstones: new Map(),
}

/** A local change: `changes` applied, one step of `by`'s clock, seen by nobody else yet. */
export function changed(
  gossip: Gossip,
  by: UniqueAddress,
  changes: Partial<Pick<Gossip, 'members' | 'reachability' | 'tombstones'>>,
): Gossip {
  const key = nodeKey(by)
  return { ...gossip, ...changes, version: gossip.version.increment(key), seen: new Set([key]) }
}

export function seenBy(gossip: Gossip, node: UniqueAddress): Gossip {
  const key = nodeKey(node)
  if (gossip.seen.has(key)) return gossip
  return { ...gossip, seen: new Set(gossip.seen).add(key) }
}

export function withMember(gossip: Gossip, member: Member): ReadonlyMap<string, Member> {
  return new Map(gossip.members).set(nodeKey(member.node), member)
}

/** Moves a member on. Going backward is a bug of ours, never a state of the world. */
export function withStatus(member: Member, status: MemberStatus): Member {
  if (!mayBecome(member.status, status)) {
    throw new Error(
      `broken invariant: ${nodeKey(member.node)} cannot go from ${member.status} to ${status}`,
    )
  }
  return { ...member, status }
}

/** Without `removed`, who get tombstones; their steps leave the clock. */
export function without(
  gossip: Gossip,
  by: UniqueAddress,
  removed: readonly Member[],
  wallMs: number,
): Gossip {
  const members = new Map(gossip.members)
  const tombstones = new Map(gossip.tombstones)
  let { version } = gossip
  for (const { node } of removed) {
    members.delete(nodeKey(node))
    tombstones.set(nodeKey(node), wallMs)
    version = version.without(nodeKey(node))
  }
  const reachability = gossip.reachability.retain((key) => members.has(key))
  return changed({ ...gossip, version }, by, { members, tombstones, reachability })
}

/** Joins two views of which neither knows all the other knows. Nobody has seen the result. */
export function mergeGossip(a: Gossip, b: Gossip): Gossip {
  const tombstones = new Map(a.tombstones)
  for (const [key, at] of b.tombstones) tombstones.set(key, Math.max(at, tombstones.get(key) ?? 0))
  const members = new Map<string, Member>()
  for (const key of new Set([...a.members.keys(), ...b.members.keys()])) {
    if (tombstones.has(key)) continue
    const mine = a.members.get(key)
    const theirs = b.members.get(key)
    const member =
      mine !== undefined && theirs !== undefined ? laterOf(mine, theirs) : (mine ?? theirs)
    if (member !== undefined) members.set(key, member)
  }
  let version = a.version.merge(b.version)
  for (const key of tombstones.keys()) version = version.without(key)
  const isMember = (key: string): boolean => members.has(key)
  return {
    members,
    tombstones,
    version,
    reachability: a.reachability.merge(b.reachability, isMember),
    seen: new Set(),
  }
}

/** Members whose word is not counted and whose silence is not waited for. */
export function isLeavingForGood(member: Member): boolean {
  return member.status === 'Down' || member.status === 'Exiting'
}

/** Unreachable members, not counting opinions of members that are Down, nor ours about ourselves. */
export function unreachableOf(gossip: Gossip, self: UniqueAddress): ReadonlySet<string> {
  const down = new Set<string>()
  for (const [key, member] of gossip.members) if (member.status === 'Down') down.add(key)
  const unreachable = new Set(gossip.reachability.unreachable(down))
  unreachable.delete(nodeKey(self))
  return unreachable
}

/**
 * True when every member that is Up or Leaving has seen this view, and everybody unreachable is on
 * the way out anyway. `confirmed`: members known to have finished exiting.
 */
export function isConverged(
  gossip: Gossip,
  self: UniqueAddress,
  confirmed: ReadonlySet<string>,
): boolean {
  for (const key of unreachableOf(gossip, self)) {
    const member = gossip.members.get(key)
    if (member !== undefined && !isLeavingForGood(member) && !confirmed.has(key)) return false
  }
  for (const [key, member] of gossip.members) {
    const counts = member.status === 'Up' || member.status === 'Leaving'
    if (counts && !gossip.seen.has(key) && !confirmed.has(key)) return false
  }
  return true
}

/**
 * Derived, not elected: the first reachable member in address order that is Up or Leaving; if there
 * is none, the first that is Joining, then the first that is Exiting.
 */
export function leaderOf(gossip: Gossip, self: UniqueAddress): UniqueAddress | undefined {
  const unreachable = unreachableOf(gossip, self)
  let leader: Member | undefined
  for (const member of gossip.members.values()) {
    if (member.status === 'Down' || unreachable.has(nodeKey(member.node))) continue
    if (leader === undefined || compareLeaders(member, leader) < 0) leader = member
  }
  return leader?.node
}

function compareLeaders(a: Member, b: Member): number {
  return LEADER_RANK[a.status] - LEADER_RANK[b.status] || compareMembers(a, b)
}

const LEADER_RANK = { Up: 0, Leaving: 0, Joining: 1, Exiting: 2, Down: 3, Removed: 4 } as const

/** Members by age, oldest first; those that were never Up are not among them. */
export function byAge(members: Iterable<Member>): readonly Member[] {
  return [...members].filter((member) => member.upNumber !== UP_NUMBER_NONE).sort(compareAge)
}
