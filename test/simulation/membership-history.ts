import { type Behavior, Behaviors } from '@troupe/actor'
import type { ClusterEvent, ClusterState, Member, MemberStatus } from '@troupe/cluster'
import type { SimulatedNode } from '@troupe/testkit/cluster'

/**
 * Sees what every node of a simulated cluster is told about its members, at the moment it is told, and
 * notes what contradicts the promises:
 *
 * - in the eyes of one node a member's status only moves forward, and a removed incarnation never returns;
 * - at no time are two incarnations at one address Up in the eyes of the same node;
 * - a member has the same age for everybody, and no two that are Up at the same time have the same:
 *   no two leaders have let in members without each other;
 * - who sees the same members, and the same of them unreachable, sees the same leader.
 */
export class MembershipHistory {
  /** The age of each incarnation, as first seen by anybody. */
  readonly #ages = new Map<string, number>()
  readonly #leaders = new Map<string, string>()
  readonly #told: Told[] = []

  /** Starts watching on a node: for `start` of a simulation. */
  readonly start = (node: SimulatedNode): void => {
    const seen = new Map<string, MemberStatus>()
    const observer = node.system.systemActorOf(this.#observer(node, seen), 'membership-history')
    node.cluster.subscribe(observer)
  }

  readonly #contradictions: string[] = []

  /** Throws when something contradicted the promises, and says what. */
  check(): void {
    if (this.#contradictions.length > 0) throw new Error(this.#contradictions.join('\n'))
  }

  /** Who was called unreachable, and whom it was told. */
  readonly suspicions: Told[] = []

  /** All that was told of members, in the order in which it was told. */
  get told(): readonly Told[] {
    return this.#told
  }

  #observer(node: SimulatedNode, seen: Map<string, MemberStatus>): Behavior<ClusterEvent> {
    const { name } = node
    return Behaviors.receive((event) => {
      if (event.type === 'CurrentClusterState') {
        for (const member of event.members) this.#observe(name, seen, member)
      } else if (event.type === 'UnreachableMember') {
        this.suspicions.push({ to: name, type: event.type, address: event.member.node.address })
      } else if (movesMember(event)) {
        this.#told.push({ to: name, type: event.type, address: event.member.node.address })
        this.#observe(name, seen, event.member)
      }
      this.#compareLeaders(name, node.cluster.state)
      return Behaviors.same
    })
  }

  #compareLeaders(observer: string, { members, unreachable, leader }: ClusterState): void {
    const view = [
      ...members.map(({ node, status }) => `${node.uid} ${status}`),
      ...unreachable.map(({ node }) => `without ${node.uid}`),
    ].join()
    const leaderHere = leader?.uid ?? 'nobody'
    const known = this.#leaders.get(view) ?? leaderHere
    this.#leaders.set(view, known)
    if (known !== leaderHere) {
      this.#contradictions.push(
        `${observer} saw ${leaderHere} lead, and others ${known}, in the same view`,
      )
    }
  }

  #observe(observer: string, seen: Map<string, MemberStatus>, member: Member): void {
    const { address, uid } = member.node
    const key = `${address}#${uid}`
    const before = seen.get(key)
    if (before !== undefined && RANKS[member.status] < RANKS[before]) {
      this.#contradictions.push(`${observer} saw ${key} go from ${before} to ${member.status}`)
    }
    seen.set(key, member.status)
    if (member.status !== 'Up') return
    const age = this.#ages.get(key) ?? member.upNumber
    this.#ages.set(key, age)
    if (age !== member.upNumber) {
      this.#contradictions.push(
        `${observer} saw ${key} with age ${member.upNumber}, others with ${age}`,
      )
    }
    for (const [other, status] of seen) {
      if (other === key || status !== 'Up') continue
      if (other.startsWith(`${address}#`)) {
        this.#contradictions.push(`${observer} saw two incarnations Up at ${address}`)
      }
      if (this.#ages.get(other) === age) {
        this.#contradictions.push(`${observer} saw ${key} with age ${age}, which ${other} has`)
      }
    }
  }
}

/** One event, and the node whose actors were told. */
export interface Told {
  readonly to: string
  readonly type: ClusterEvent['type']
  readonly address: string
}

/** Whether the event is a step in the life of a member. */
function movesMember(event: ClusterEvent): event is ClusterEvent & { readonly member: Member } {
  return 'member' in event && event.type !== 'UnreachableMember' && event.type !== 'ReachableMember'
}

const RANKS: Readonly<Record<MemberStatus, number>> = {
  Joining: 0,
  Up: 1,
  Leaving: 2,
  Exiting: 3,
  Down: 4,
  Removed: 5,
}
