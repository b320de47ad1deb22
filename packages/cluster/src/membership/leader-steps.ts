import { nodeKey, type UniqueAddress } from '../node-address.ts'
import {
  changed,
  type Gossip,
  isLeavingForGood,
  unreachableOf,
  without,
  withStatus,
} from './gossip.ts'
import { compareMembers, type Member, UP_NUMBER_NONE } from './member.ts'

export interface LeaderSteps {
  readonly after: Gossip
  /** Members that have moved on, as they are now. */
  readonly moved: readonly Member[]
  readonly removed: readonly Member[]
}

/**
 * The step that the leader takes for everybody once all have seen the same view: Joining becomes Up,
 * Leaving becomes Exiting, and who is out and gone is removed. `after` is `gossip` when there is none.
 */
export function leaderSteps(
  gossip: Gossip,
  self: UniqueAddress,
  confirmedExits: ReadonlySet<string>,
  { wallMs, tombstoneMs }: { readonly wallMs: number; readonly tombstoneMs: number },
): LeaderSteps {
  const unreachable = unreachableOf(gossip, self)
  const removed: Member[] = []
  const moved: Member[] = []
  let upNumber = youngest(gossip)
  for (const member of [...gossip.members.values()].sort(compareMembers)) {
    const key = nodeKey(member.node)
    const isGone = unreachable.has(key) || confirmedExits.has(key)
    if (isLeavingForGood(member) && isGone && key !== nodeKey(self)) removed.push(member)
    else if (member.status === 'Joining') {
      // Let in by two members that did not know of each other's: one of both has ended, and will be Down.
      if (hasDouble(gossip, member)) continue
      moved.push({ ...withStatus(member, 'Up'), upNumber: ++upNumber })
    } else if (member.status === 'Leaving') moved.push(withStatus(member, 'Exiting'))
  }
  let after = withoutOldTombstones(gossip, self, wallMs - tombstoneMs)
  if (removed.length > 0) after = without(after, self, removed, wallMs)
  if (moved.length > 0) {
    const members = new Map(after.members)
    for (const member of moved) members.set(nodeKey(member.node), member)
    after = changed(after, self, { members })
  }
  return { after, moved, removed }
}

/** Whether another incarnation is a member at the same address. */
function hasDouble({ members }: Gossip, { node }: Member): boolean {
  for (const other of members.values()) {
    if (other.node.address === node.address && other.node.uid !== node.uid) return true
  }
  return false
}

function youngest({ members }: Gossip): number {
  let number = 0
  for (const { upNumber } of members.values()) {
    if (upNumber !== UP_NUMBER_NONE) number = Math.max(number, upNumber)
  }
  return number
}

function withoutOldTombstones(gossip: Gossip, self: UniqueAddress, olderThan: number): Gossip {
  const kept = [...gossip.tombstones].filter(([, at]) => at > olderThan)
  if (kept.length === gossip.tombstones.size) return gossip
  return changed(gossip, self, { tombstones: new Map(kept) })
}
