import { nodeKey, sameNode, type UniqueAddress } from '../node-address.ts'
import {
  changed,
  emptyGossip,
  type Gossip,
  isConverged,
  isLeavingForGood,
  leaderOf,
  mergeGossip,
  seenBy,
  withMember,
  withStatus,
} from './gossip.ts'
import { leaderSteps } from './leader-steps.ts'
import { compareMembers, type Member, UP_NUMBER_NONE } from './member.ts'
import type { MembershipMessage } from './messages.ts'

/** What the driver has to do. */
export type MembershipEffect =
  | { readonly type: 'Send'; readonly to: UniqueAddress; readonly message: MembershipMessage }
  /** Our view has changed; events follow from the difference. */
  | { readonly type: 'Changed'; readonly before: Gossip; readonly after: Gossip }
  /** We are no member any more and must stop serving. */
  | { readonly type: 'ShutDown'; readonly reason: 'downed' | 'removed' }

/**
 * One node's part in the membership of its cluster.
 *
 * Intuition: everybody tells somebody, again and again, what he believes; views merge; when all who
 * count have seen the same view, the leader (the first in address order, no election) takes the next
 * step for everybody: Joining becomes Up, Leaving becomes Exiting, who is out is forgotten.
 *
 * Pure: messages, observations and the time come in, effects go out. Invariants: a member's status
 * only moves forward; a removed incarnation never returns; leader steps happen only on convergence.
 */
export class Membership {
  readonly #self: UniqueAddress
  readonly #roles: readonly string[]
  readonly #tombstoneMs: number
  readonly #confirmedExits = new Set<string>()
  #gossip: Gossip = emptyGossip
  #isShutDown = false

  constructor(self: UniqueAddress, roles: readonly string[], tombstoneMs: number) {
    this.#self = self
    this.#roles = roles
    this.#tombstoneMs = tombstoneMs
  }

  get gossip(): Gossip {
    return this.#gossip
  }

  get selfMember(): Member | undefined {
    return this.#gossip.members.get(nodeKey(this.#self))
  }

  /** Member of a cluster; false before joining and after the end. */
  get isMember(): boolean {
    return this.selfMember !== undefined && !this.#isShutDown
  }

  get leader(): UniqueAddress | undefined {
    return leaderOf(this.#gossip, this.#self)
  }

  get isConverged(): boolean {
    return this.isMember && isConverged(this.#gossip, this.#self, this.#confirmedExits)
  }

  // ---- joining ----

  /** Starts a cluster with nobody else in it, and is Up at once: the oldest member is always well defined. */
  startCluster(wallMs: number): readonly MembershipEffect[] {
    const member = this.#newMember(this.#self, this.#roles)
    const alone = changed(emptyGossip, this.#self, { members: withMember(emptyGossip, member) })
    return [...this.#become(alone), ...this.#lead(wallMs)]
  }

  /**
   * We were let in. When we had been let in before, but not by all, both views are joined: who knew us
   * then may be gone.
   */
  #welcomed(from: UniqueAddress, theirs: Gossip): readonly MembershipEffect[] {
    if (!theirs.members.has(nodeKey(this.#self))) return []
    if (!this.isMember) return this.#become(seenBy(theirs, this.#self))
    return this.selfMember?.status === 'Joining' ? this.#learned(from, theirs) : []
  }

  #join(from: UniqueAddress, roles: readonly string[]): readonly MembershipEffect[] {
    const self = this.selfMember
    if (self === undefined || isLeavingForGood(self)) return []
    const key = nodeKey(from)
    const { members, tombstones } = this.#gossip
    if (tombstones.has(key)) return []
    const known = members.get(key)
    if (known !== undefined) {
      return isLeavingForGood(known)
        ? []
        : [this.#send(from, { type: 'Welcome', gossip: this.#gossip })]
    }
    const predecessor = [...members.values()].find(({ node }) => node.address === from.address)
    // The process at that address was replaced. Its new incarnation has to ask again until the old one is gone.
    if (predecessor !== undefined) return this.#replace(predecessor)
    const effects = this.#become(
      changed(this.#gossip, this.#self, {
        members: withMember(this.#gossip, this.#newMember(from, roles)),
      }),
    )
    return [...effects, this.#send(from, { type: 'Welcome', gossip: this.#gossip })]
  }

  #replace(predecessor: Member): readonly MembershipEffect[] {
    if (predecessor.isReplaced && this.#isUnreachable(predecessor.node)) return []
    const down = { ...withStatus(predecessor, 'Down'), isReplaced: true }
    return this.#become(
      changed(this.#gossip, this.#self, {
        members: withMember(this.#gossip, down),
        reachability: this.#gossip.reachability.observed(
          nodeKey(this.#self),
          nodeKey(predecessor.node),
          false,
        ),
      }),
    )
  }

  #newMember(node: UniqueAddress, roles: readonly string[]): Member {
    return { node, status: 'Joining', roles, upNumber: UP_NUMBER_NONE, isReplaced: false }
  }

  // ---- messages ----

  /** A message of another node, which has proven to be `from`. */
  receive(from: UniqueAddress, message: MembershipMessage): readonly MembershipEffect[] {
    if (this.#isShutDown) return []
    switch (message.type) {
      case 'InitJoin':
        return [this.#send(from, { type: this.isMember ? 'InitJoinAck' : 'InitJoinNack' })]
      case 'Join':
        return this.#join(from, message.roles)
      case 'Welcome':
        return this.#welcomed(from, message.gossip)
      case 'Status':
        return this.#status(from, message)
      case 'Gossip':
        return this.#gossiped(from, message.gossip)
      case 'ExitingConfirmed':
        if (this.#isKnown(from)) this.#confirmedExits.add(nodeKey(from))
        return []
      case 'InitJoinAck':
      case 'InitJoinNack':
        // For the joining process; a member has no use for them.
        return []
      default:
        return message satisfies never
    }
  }

  #status(
    from: UniqueAddress,
    { version, seen }: MembershipMessage & { readonly type: 'Status' },
  ): readonly MembershipEffect[] {
    if (!this.#listensTo(from)) return []
    switch (version.compareTo(this.#gossip.version)) {
      case 'Same':
        return this.#compareSeen(from, seen)
      case 'After':
        return [this.#sendStatus(from)]
      case 'Before':
      case 'Concurrent':
        return [this.#send(from, { type: 'Gossip', gossip: this.#gossip })]
    }
  }

  #gossiped(from: UniqueAddress, theirs: Gossip): readonly MembershipEffect[] {
    if (this.#isKnown(from) && theirs.tombstones.has(nodeKey(this.#self)))
      return this.#shutDown('removed')
    if (!this.#listensTo(from) || !theirs.members.has(nodeKey(this.#self))) return []
    return this.#learned(from, theirs)
  }

  #learned(from: UniqueAddress, theirs: Gossip): readonly MembershipEffect[] {
    const ours = this.#gossip
    switch (theirs.version.compareTo(ours.version)) {
      case 'Same':
        return this.#compareSeen(from, theirs.seen)
      case 'Before':
        return [this.#send(from, { type: 'Gossip', gossip: ours })]
      case 'After': {
        const effects = this.#become(this.#markSeen(theirs))
        return theirs.seen.has(nodeKey(this.#self)) ? effects : [...effects, this.#sendStatus(from)]
      }
      case 'Concurrent': {
        const effects = this.#become(
          this.#markSeen(mergeGossip(forgetting(ours, theirs), forgetting(theirs, ours))),
        )
        return [...effects, this.#send(from, { type: 'Gossip', gossip: this.#gossip })]
      }
    }
  }

  /**
   * `from` has our view. What we know of who has seen it may be news to the other side: it would go on
   * to send us what we have, as long as we are the one of whom it does not know.
   */
  #compareSeen(from: UniqueAddress, seen: ReadonlySet<string>): readonly MembershipEffect[] {
    const effects = this.#sawToo(seen)
    const isNews = [...this.#gossip.seen].some((key) => !seen.has(key))
    return isNews ? [...effects, this.#sendStatus(from)] : effects
  }

  #sawToo(seen: ReadonlySet<string>): readonly MembershipEffect[] {
    if ([...seen].every((key) => this.#gossip.seen.has(key))) return []
    return this.#become({ ...this.#gossip, seen: new Set([...this.#gossip.seen, ...seen]) })
  }

  /** A node that is exiting does not mark views as seen: that would let it be removed before it is done. */
  #markSeen(gossip: Gossip): Gossip {
    return this.selfMember?.status === 'Exiting' ? gossip : seenBy(gossip, this.#self)
  }

  #isKnown(from: UniqueAddress): boolean {
    return this.isMember && this.#gossip.members.has(nodeKey(from))
  }

  /** Members only, and not those we say are unreachable: their news would undo ours. */
  #listensTo(from: UniqueAddress): boolean {
    const says = this.#gossip.reachability.saysUnreachable(nodeKey(this.#self), nodeKey(from))
    return this.#isKnown(from) && !says
  }

  // ---- wishes ----

  /** The member at `address` is to leave in good order. */
  leave(address: string): readonly MembershipEffect[] {
    const member = this.#memberAt(address)
    if (member === undefined || (member.status !== 'Joining' && member.status !== 'Up')) return []
    const members = withMember(this.#gossip, withStatus(member, 'Leaving'))
    return this.#become(changed(this.#gossip, this.#self, { members }))
  }

  /** The member at `address` is to be regarded as dead, whatever it says. `uid`: only that incarnation. */
  down(address: string, uid?: string): readonly MembershipEffect[] {
    const member =
      uid === undefined
        ? this.#memberAt(address)
        : this.#gossip.members.get(nodeKey({ address, uid }))
    if (member === undefined || member.status === 'Down') return []
    const members = withMember(this.#gossip, withStatus(member, 'Down'))
    const effects = this.#become(changed(this.#gossip, this.#self, { members }))
    if (sameNode(member.node, this.#self)) return effects
    // If it is alive after all, it should know.
    return [...effects, this.#send(member.node, { type: 'Gossip', gossip: this.#gossip })]
  }

  #memberAt(address: string): Member | undefined {
    return [...this.#gossip.members.values()]
      .filter(({ node }) => node.address === address)
      .sort((a, b) => a.upNumber - b.upNumber)[0]
  }

  /** What our failure detector says of `node`. */
  observed(node: UniqueAddress, isReachable: boolean): readonly MembershipEffect[] {
    if (!this.#isKnown(node)) return []
    const reachability = this.#gossip.reachability.observed(
      nodeKey(this.#self),
      nodeKey(node),
      isReachable,
    )
    if (reachability === this.#gossip.reachability) return []
    return this.#become(changed(this.#gossip, this.#self, { reachability }))
  }

  #isUnreachable(node: UniqueAddress): boolean {
    return this.#gossip.reachability.unreachable().has(nodeKey(node))
  }

  // ---- ticks ----

  /** Few have seen our view, or somebody is Down: gossip is worth more haste than usual. */
  get isUrgent(): boolean {
    const { members, seen } = this.#gossip
    if (!this.isMember || members.size < 2) return false
    return (
      seen.size < members.size / 2 || [...members.values()].some(({ status }) => status === 'Down')
    )
  }

  /** Tells one other node, chosen by `random` in [0, 1): rather one that has not seen our view. */
  gossipTick(random: number): readonly MembershipEffect[] {
    if (!this.isMember) return []
    const { members, seen, reachability } = this.#gossip
    const selfKey = nodeKey(this.#self)
    const others = [...members.values()]
      .filter(({ node }) => {
        const key = nodeKey(node)
        return key !== selfKey && !reachability.saysUnreachable(selfKey, key)
      })
      .sort(compareMembers)
    const unaware = others.filter(({ node }) => !seen.has(nodeKey(node)))
    const choice = unaware.length > 0 ? unaware : others
    const target = choice[Math.floor(random * choice.length)]
    if (target === undefined) return []
    if (seen.has(nodeKey(target.node))) return [this.#sendStatus(target.node)]
    return [this.#send(target.node, { type: 'Gossip', gossip: this.#gossip })]
  }

  /**
   * If we are the leader and all have seen our view, everybody moves on one step. Who is still Joining
   * never leads: nobody waits for Joining ones to have seen a view, so two of them could lead at once.
   * When all who could have let us in are gone, nobody will; we end, and may begin anew.
   */
  leaderTick(wallMs: number): readonly MembershipEffect[] {
    if (this.selfMember?.status !== 'Joining') return this.#lead(wallMs)
    const mayBeLetIn = [...this.#gossip.members.values()].some(
      ({ status }) => status === 'Up' || status === 'Leaving' || status === 'Exiting',
    )
    return mayBeLetIn ? [] : this.#shutDown('removed')
  }

  #lead(wallMs: number): readonly MembershipEffect[] {
    const { leader } = this
    if (leader === undefined || !sameNode(leader, this.#self) || !this.isConverged) return []
    const { after, moved, removed } = leaderSteps(this.#gossip, this.#self, this.#confirmedExits, {
      wallMs,
      tombstoneMs: this.#tombstoneMs,
    })
    if (after === this.#gossip) return []
    for (const { node } of removed) this.#confirmedExits.delete(nodeKey(node))
    const effects = this.#become(after)
    // Whom a step concerns should not have to wait for gossip to come round, nor who leads after us.
    const concerned = moved.map(({ node }) => node).filter((node) => !sameNode(node, this.#self))
    const successors = this.selfMember?.status === 'Exiting' ? this.#successors() : []
    const told = new Set([...concerned.slice(0, TOLD_AT_ONCE), ...successors])
    return [
      ...effects,
      ...[...told].map((node) => this.#send(node, { type: 'Gossip', gossip: after } as const)),
    ]
  }

  // ---- the end ----

  /**
   * Everything that had to be handed over is; those who are likely to lead may remove us. They get our
   * view with it: if we led, nobody else may know that we are Exiting, and who takes us for the leader
   * waits for us.
   */
  exitingDone(): readonly MembershipEffect[] {
    this.#isShutDown = true
    return this.#successors().flatMap((node) => [
      this.#send(node, { type: 'Gossip', gossip: this.#gossip }),
      this.#send(node, { type: 'ExitingConfirmed' }),
    ])
  }

  /** Those who are likely to lead when we are gone. */
  #successors(): readonly UniqueAddress[] {
    return [...this.#gossip.members.values()]
      .filter(
        ({ node, status }) =>
          (status === 'Up' || status === 'Leaving') && !sameNode(node, this.#self),
      )
      .sort(compareMembers)
      .slice(0, SUCCESSORS)
      .map(({ node }) => node)
  }

  /** `by` says on its link that its cluster has removed us. A member of our view is believed. */
  toldRemoved(by: UniqueAddress): readonly MembershipEffect[] {
    return this.#isKnown(by) ? this.#shutDown('removed') : []
  }

  #shutDown(reason: 'downed' | 'removed'): readonly MembershipEffect[] {
    if (this.#isShutDown) return []
    this.#isShutDown = true
    return [{ type: 'ShutDown', reason }]
  }

  // ---- effects ----

  #become(view: Gossip): readonly MembershipEffect[] {
    const before = this.#gossip
    const after = this.#withoutPredecessors(view)
    this.#gossip = after
    const effect: MembershipEffect = { type: 'Changed', before, after }
    return this.selfMember?.status === 'Down' ? [effect, ...this.#shutDown('downed')] : [effect]
  }

  /**
   * Two members may have let in two incarnations at our address without knowing of each other's. We
   * live there, so we know that all others have ended.
   */
  #withoutPredecessors(view: Gossip): Gossip {
    const status = view.members.get(nodeKey(this.#self))?.status
    if (status !== 'Joining' && status !== 'Up') return view
    let { members, reachability } = view
    for (const [key, member] of view.members) {
      const { address, uid } = member.node
      if (address !== this.#self.address || uid === this.#self.uid || member.isReplaced) continue
      const down = { ...withStatus(member, 'Down'), isReplaced: true }
      members = new Map(members).set(key, down)
      reachability = reachability.observed(nodeKey(this.#self), key, false)
    }
    return members === view.members ? view : changed(view, this.#self, { members, reachability })
  }

  #send(to: UniqueAddress, message: MembershipMessage): MembershipEffect {
    return { type: 'Send', to, message }
  }

  #sendStatus(to: UniqueAddress): MembershipEffect {
    const { version, seen } = this.#gossip
    return this.#send(to, { type: 'Status', version, seen })
  }
}

/** `view`, whose clock forgets those it holds for Down or Exiting and `other` has removed already. */
function forgetting(view: Gossip, other: Gossip): Gossip {
  let { version } = view
  for (const [key, member] of view.members) {
    if (isLeavingForGood(member) && !other.members.has(key)) version = version.without(key)
  }
  return version === view.version ? view : { ...view, version }
}

const SUCCESSORS = 2
const TOLD_AT_ONCE = 20
