import { type Behavior, Behaviors } from '@troupe/actor'
import type { ClusterEvent, Member, MemberStatus } from '@troupe/cluster'
import type { SimulatedNode } from '@troupe/testkit/cluster'

/**
 * Sees what every node of a simulated cluster is told about its members, at the moment it is told, and
 * fails the run when it contradicts what was promised:
 *
 * - in the eyes of one node a member's status only moves forward, and a removed incarnation never returns;
 * - at no time are two incarnations at one address Up in the eyes of the same node;
 * - a member has the same age for everybody, and no two that are Up at the same time have the same:
 *   no two leaders have let in members without each other.
 */
export class MembershipHistory {
  /** The age of each incarnation, as first seen by anybody. */
  readonly #ages = new Map<string, number>()
  #events = 0

  /** Starts watching on a node: for `start` of a simulation. */
  readonly start = (node: SimulatedNode): void => {
    const seen = new Map<string, MemberStatus>()
    const observer = node.system.systemActorOf(
      this.#observer(node.name, seen),
      'membership-history',
    )
    node.cluster.subscribe(observer)
  }

  /** How many events were checked. */
  get events(): number {
    return this.#events
  }

  /** What was wrong, in the order in which it was seen. */
  readonly contradictions: string[] = []

  #observer(name: string, seen: Map<string, MemberStatus>): Behavior<ClusterEvent> {
    return Behaviors.receive((event) => {
      this.#events++
      if (event.type === 'CurrentClusterState') {
        for (const member of event.members) this.#observe(name, seen, member)
      } else if ('member' in event) {
        if (event.type !== 'UnreachableMember' && event.type !== 'ReachableMember') {
          this.#observe(name, seen, event.member)
        }
      }
      return Behaviors.same
    })
  }

  #observe(observer: string, seen: Map<string, MemberStatus>, member: Member): void {
    const { address, uid } = member.node
    const key = `${address}#${uid}`
    const before = seen.get(key)
    if (before !== undefined && RANKS[member.status] < RANKS[before]) {
      this.contradictions.push(`${observer} saw ${key} go from ${before} to ${member.status}`)
    }
    seen.set(key, member.status)
    if (member.status !== 'Up') return
    const age = this.#ages.get(key) ?? member.upNumber
    this.#ages.set(key, age)
    if (age !== member.upNumber) {
      this.contradictions.push(
        `${observer} saw ${key} with age ${member.upNumber}, others with ${age}`,
      )
    }
    for (const [other, status] of seen) {
      if (other === key || status !== 'Up') continue
      if (other.startsWith(`${address}#`)) {
        this.contradictions.push(`${observer} saw two incarnations Up at ${address}`)
      }
      if (this.#ages.get(other) === age) {
        this.contradictions.push(`${observer} saw ${key} with age ${age}, which ${other} has`)
      }
    }
  }
}

const RANKS: Readonly<Record<MemberStatus, number>> = {
  Joining: 0,
  Up: 1,
  Leaving: 2,
  Exiting: 3,
  Down: 4,
  Removed: 5,
}
