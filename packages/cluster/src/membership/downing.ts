import { nodeKey, type UniqueAddress } from '../node-address.ts'
import { type Gossip, leaderOf, unreachableOf } from './gossip.ts'
import { compareMembers, type Member } from './member.ts'

export interface DowningDecision {
  /** Whom to down; ourselves, if at all, last. */
  readonly nodes: readonly UniqueAddress[]
  readonly reason: string
}

/**
 * Who goes when the net splits: keep the majority.
 *
 * Every side of a split sees the others as unreachable and decides alone, by the same rule on the
 * same membership, so at most one side stays: the one with more members, or with the lowest address
 * when both have as many. Nobody decides before reachability has been stable for a while, and of each
 * side only the leader.
 */
export class Downing {
  readonly #self: UniqueAddress
  readonly #stableAfterMs: number
  #picture = ''
  #stableSince = 0

  constructor(self: UniqueAddress, stableAfterMs: number) {
    this.#self = self
    this.#stableAfterMs = stableAfterMs
  }

  /** Looks at the present view; a decision when it is time for one and it is ours to make. */
  tick(gossip: Gossip, now: number): DowningDecision | undefined {
    const unreachable = unreachableOf(gossip, this.#self)
    const picture = pictureOf(gossip, unreachable)
    if (picture !== this.#picture) {
      this.#picture = picture
      this.#stableSince = now
    }
    if (now - this.#stableSince < this.#stableAfterMs) return undefined
    const undecided = [...unreachable].some((key) => isUndecided(gossip.members.get(key)))
    if (!undecided || leaderOf(gossip, this.#self)?.uid !== this.#self.uid) return undefined
    return keepMajority(gossip, unreachable, this.#self)
  }
}

/** The rule itself. */
export function keepMajority(
  gossip: Gossip,
  unreachable: ReadonlySet<string>,
  self: UniqueAddress,
): DowningDecision {
  const all = [...gossip.members.values()].filter(isUndecided).sort(compareMembers)
  const indirect = indirectlyConnected(gossip)
  const isIndirect = ({ node }: Member): boolean => indirect.has(nodeKey(node))
  const isThere = (member: Member): boolean =>
    unreachable.has(nodeKey(member.node)) && !isIndirect(member)
  const voters = all.filter(({ status }) => status === 'Up' || status === 'Leaving')
  const there = voters.filter(isThere).length
  const here = voters.filter((member) => !isThere(member) && !isIndirect(member)).length
  const [lowest] = voters
  const stays = here > there || (here === there && lowest !== undefined && !isThere(lowest))
  const why = `${here} of ${voters.length} voting members are on this side`
  const tie = here === there ? ', the lowest address ' + (stays ? 'is' : 'is not') : ''
  const cut = indirect.size === 0 ? '' : `; ${indirect.size} reach each other only through others`
  const nodes = all
    .filter((member) => isIndirect(member) || isThere(member) === stays)
    .map(({ node }) => node)
  const selfLast = [...nodes].sort(
    (a, b) => Number(a.uid === self.uid) - Number(b.uid === self.uid),
  )
  return { nodes: selfLast, reason: `${stays ? 'we stay' : 'we go'}: ${why}${tie}${cut}` }
}

/**
 * Pairs of which one calls the other unreachable although both have seen the present view: the link
 * between them is broken, but each is connected to somebody. They cannot stay together, and both go,
 * because everybody comes to that conclusion from the same view. A clean split has none: who is on
 * the other side cannot have seen a view that says so.
 */
function indirectlyConnected({ members, reachability, seen }: Gossip): ReadonlySet<string> {
  const indirect = new Set<string>()
  for (const [observer, { unreachable }] of reachability.rows) {
    if (!seen.has(observer) || !isUndecided(members.get(observer))) continue
    for (const subject of unreachable) {
      if (!seen.has(subject) || !isUndecided(members.get(subject))) continue
      indirect.add(observer)
      indirect.add(subject)
    }
  }
  return indirect
}

function isUndecided(member: Member | undefined): boolean {
  return member !== undefined && member.status !== 'Down' && member.status !== 'Exiting'
}

/** What has to stay the same for a decision: who votes and who is unreachable. Joining members do not matter. */
function pictureOf(gossip: Gossip, unreachable: ReadonlySet<string>): string {
  const parts: string[] = []
  for (const member of [...gossip.members.values()].sort(compareMembers)) {
    const key = nodeKey(member.node)
    if (member.status === 'Joining' && !unreachable.has(key)) continue
    const status = member.status === 'Joining' || member.status === 'Leaving' ? '' : member.status
    parts.push(`${key}:${status}:${unreachable.has(key) ? 'unreachable' : ''}`)
  }
  return parts.join(' ')
}
