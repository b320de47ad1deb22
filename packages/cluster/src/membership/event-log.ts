import type { Logger } from '@troupe/actor'
import type { ClusterEvent } from '../cluster-events.ts'

/** Writes down what somebody who is paged at night wants to find: who came and went, and why we stop. */
export function logEvent(log: Logger, event: ClusterEvent): void {
  switch (event.type) {
    case 'MemberUp':
      log.info({ member: event.member.node.address }, 'member up')
      return
    case 'MemberDowned':
      log.warn({ member: event.member.node.address }, 'member downed')
      return
    case 'MemberRemoved': {
      const { member, previousStatus, isReplaced } = event
      log.info({ member: member.node.address, previousStatus, isReplaced }, 'member removed')
      return
    }
    case 'UnreachableMember':
      log.warn({ member: event.member.node.address }, 'member unreachable')
      return
    case 'ReachableMember':
      log.info({ member: event.member.node.address }, 'member reachable again')
      return
    case 'LeaderChanged':
      log.info({ leader: event.leader?.address }, 'leader changed')
      return
    case 'ClusterShuttingDown':
      log.warn({ reason: event.reason }, 'this node is no member any more and stops')
      return
    case 'CurrentClusterState':
    case 'MemberExited':
    case 'MemberJoined':
    case 'MemberLeft':
      return
    default:
      return event satisfies never
  }
}
