import type { Member, UniqueAddress } from '@troupe/cluster'
import { nodeKey } from '@troupe/cluster/spi'
import { neededAnswers, type ReadConsistency, type WriteConsistency } from './consistency.ts'

export type MemberViewChange =
  /** Takes part from now on, and needs everything. */
  | { readonly type: 'Joined'; readonly node: UniqueAddress }
  /** Gone for good. */
  | { readonly type: 'Removed'; readonly node: string }

/**
 * Who takes part in replication, and whether this node has caught up with all who were there before it.
 *
 * - Everybody who was ever Up and is not Down gets and sends changes.
 * - Majorities are counted among members that are Up or Leaving, unreachable ones included; those who
 *   still join and those on their way out do not count.
 * - A node is complete once everybody who was a member when it became one has sent it all it had. Until
 *   then it must not speak for others: a node that lost its memory might have held the only copy, and
 *   its silence would make a majority forget.
 */
export class MemberView {
  readonly #self: string
  #members: ReadonlyMap<string, Member> = new Map()
  readonly #taking = new Map<string, UniqueAddress>()
  readonly #sentAll = new Set<string>()
  /** Undefined until this node is a member itself. */
  #awaited: Set<string> | undefined

  constructor(self: UniqueAddress) {
    this.#self = nodeKey(self)
  }

  /** The cluster has changed; returns what that means for replication. */
  update(members: readonly Member[]): readonly MemberViewChange[] {
    this.#members = new Map(members.map((member) => [nodeKey(member.node), member]))
    const changes: MemberViewChange[] = []
    for (const key of this.#taking.keys()) {
      if (takesPart(this.#members.get(key))) continue
      this.#taking.delete(key)
      this.#sentAll.delete(key)
      this.#awaited?.delete(key)
      changes.push({ type: 'Removed', node: key })
    }
    for (const [key, member] of this.#members) {
      if (key === this.#self || this.#taking.has(key) || !takesPart(member)) continue
      this.#taking.set(key, member.node)
      changes.push({ type: 'Joined', node: member.node })
    }
    if (this.#awaited === undefined && this.isMember) {
      this.#awaited = new Set([...this.#taking.keys()].filter((key) => !this.#sentAll.has(key)))
    }
    return changes
  }

  /** Whether messages of `node` are taken: of all members that are not Down, joining ones included. */
  accepts(node: string): boolean {
    const status = this.#members.get(node)?.status
    return status !== undefined && status !== 'Down' && status !== 'Removed'
  }

  /** `node` has sent all it had. */
  gotAllFrom(node: string): void {
    this.#sentAll.add(node)
    this.#awaited?.delete(node)
  }

  get isComplete(): boolean {
    return this.#awaited?.size === 0
  }

  /** Nodes whose state this one still waits for. */
  get awaited(): readonly string[] {
    return [...(this.#awaited ?? [])]
  }

  /** This node counts for majorities. */
  get isMember(): boolean {
    return counts(this.#members.get(this.#self))
  }

  /** The other nodes that count for majorities, by node key. */
  get counted(): readonly string[] {
    const others: string[] = []
    for (const [key, member] of this.#members) {
      if (key !== this.#self && counts(member)) others.push(key)
    }
    return others
  }

  /**
   * Whom to ask, and how many of them have to answer. A write is here already; what is here of a read
   * counts only once this node is complete.
   */
  quorumFor(consistency: WriteConsistency | ReadConsistency): {
    readonly others: readonly string[]
    readonly needed: number
  } {
    const others = this.counted
    const { isMember } = this
    const hasOwnAnswer =
      consistency.type === 'WriteTo' ||
      (isMember && (consistency.type.startsWith('Write') || this.isComplete))
    const needed = neededAnswers(consistency, { others: others.length, isMember, hasOwnAnswer })
    return { others, needed: Math.max(needed, 0) }
  }

  /** Nodes that take part, this one excluded. */
  get others(): readonly UniqueAddress[] {
    return [...this.#taking.values()]
  }

  addressOf(node: string): UniqueAddress | undefined {
    return this.#taking.get(node)
  }
}

function counts(member: Member | undefined): boolean {
  return member?.status === 'Up' || member?.status === 'Leaving'
}

function takesPart(member: Member | undefined): boolean {
  return counts(member) || member?.status === 'Exiting'
}
