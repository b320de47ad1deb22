import { describe, expect, it } from 'vitest'
import { eventsBetween, stateOf } from './cluster-events.ts'
import { emptyGossip, type Gossip } from './membership/gossip.ts'
import { type Member, type MemberStatus } from './membership/member.ts'
import { Reachability } from './membership/reachability.ts'
import { nodeKey } from './node-address.ts'

const node = (name: string, uid = `uid-${name}`) => ({ address: `${name}:1`, uid })
const self = node('a')

function member(name: string, status: MemberStatus, uid?: string): Member {
  return { node: node(name, uid), status, roles: [], upNumber: 1, isReplaced: false }
}

function view(members: readonly Member[], reachability = Reachability.none): Gossip {
  return {
    ...emptyGossip,
    members: new Map(members.map((each) => [nodeKey(each.node), each])),
    reachability,
  }
}

const types = (before: Gossip, after: Gossip): readonly string[] =>
  eventsBetween(before, after, self).map((event) => event.type)

describe('events', () => {
  it.each([
    ['Joining', 'MemberJoined'],
    ['Up', 'MemberUp'],
    ['Leaving', 'MemberLeft'],
    ['Exiting', 'MemberExited'],
    ['Down', 'MemberDowned'],
  ] as const)('of a member that becomes %s: %s', (status, type) => {
    const before = view([member('a', 'Up')])
    const after = view([member('a', 'Up'), member('b', status)])

    expect(types(before, after)).toEqual([type])
  })

  it('tell of removals first, and of the leader last', () => {
    const before = view([member('a', 'Joining'), member('b', 'Down'), member('0', 'Up')])
    const after = view([member('a', 'Up'), member('c', 'Joining')])

    expect(types(before, after)).toEqual([
      'MemberRemoved',
      'MemberRemoved',
      'MemberUp',
      'MemberJoined',
      'LeaderChanged',
    ])
  })

  it('say of a removed member what it was, and whether another one runs in its place', () => {
    const before = view([member('a', 'Up'), member('b', 'Exiting'), member('c', 'Down')])
    const after = view([member('a', 'Up'), member('c', 'Joining', 'again')])

    expect(eventsBetween(before, after, self).slice(0, 2)).toMatchObject([
      { type: 'MemberRemoved', previousStatus: 'Exiting', isReplaced: false },
      { type: 'MemberRemoved', previousStatus: 'Down', isReplaced: true },
    ])
  })

  it('tell who cannot be reached, and who can again', () => {
    const members = [member('a', 'Up'), member('b', 'Up')]
    const away = Reachability.none.observed(nodeKey(self), nodeKey(node('b')), false)

    expect(types(view(members), view(members, away))).toEqual(['UnreachableMember'])
    expect(types(view(members, away), view(members))).toEqual(['ReachableMember'])
    expect(types(view(members, away), view(members, away))).toEqual([])
  })
})

it('the state lists members by address, those who cannot be reached, and the leader', () => {
  const away = Reachability.none.observed(nodeKey(self), nodeKey(node('b')), false)

  const state = stateOf(view([member('b', 'Up'), member('a', 'Up')], away), self)

  expect(state.members.map((each) => each.node.address)).toEqual(['a:1', 'b:1'])
  expect(state.unreachable.map((each) => each.node.address)).toEqual(['b:1'])
  expect(state.leader).toEqual(self)
})
