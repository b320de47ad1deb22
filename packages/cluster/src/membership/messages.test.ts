import { VersionVector } from '@troupe/crdt'
import { decode, encode } from '@troupe/crdt/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { nodeKey } from '../node-address.ts'
import type { Gossip } from './gossip.ts'
import type { Member } from './member.ts'
import {
  gossipCodec,
  heartbeatProtocol,
  membershipProtocol,
  type MembershipMessage,
} from './messages.ts'
import { Reachability } from './reachability.ts'

const codec = membershipProtocol.codec({ write: () => {}, read: () => undefined })
const node = { address: 'a:1', uid: 'uid-a' }
const other = { address: 'b:1', uid: 'uid-b' }
const member: Member = { node, status: 'Leaving', roles: ['x', 'y'], upNumber: 3, isReplaced: true }

const gossip: Gossip = {
  members: new Map([[nodeKey(node), member]]),
  seen: new Set([nodeKey(node)]),
  reachability: Reachability.none.observed(nodeKey(node), nodeKey(other), false),
  version: VersionVector.empty.increment(nodeKey(node)).increment(nodeKey(other)),
  tombstones: new Map([[nodeKey(other), 1_767_225_600_000]]),
}

const MESSAGES: readonly MembershipMessage[] = [
  { type: 'InitJoin' },
  { type: 'InitJoinAck' },
  { type: 'InitJoinNack' },
  { type: 'Join', roles: ['x'] },
  { type: 'Welcome', gossip },
  { type: 'Status', version: gossip.version, seen: gossip.seen },
  { type: 'Gossip', gossip },
  { type: 'ExitingConfirmed' },
]

describe('what members say to each other', () => {
  it.each(MESSAGES)('crosses a link: $type', (message) => {
    const arrived = decode(codec, encode(codec, message))

    expect(encode(codec, arrived)).toEqual(encode(codec, message))
    expect(arrived.type).toBe(message.type)
  })

  it('comes back with everything in it', () => {
    const arrived = decode(gossipCodec, encode(gossipCodec, gossip))

    expect(arrived.members).toEqual(gossip.members)
    expect(arrived.seen).toEqual(gossip.seen)
    expect(String(arrived.reachability)).toBe(String(gossip.reachability))
    expect(arrived.version.compareTo(gossip.version)).toBe('Same')
    expect(arrived.tombstones).toEqual(gossip.tombstones)
  })

  it('is either understood as a whole or refused, whatever the bytes', () => {
    const good = encode(codec, { type: 'Gossip', gossip })

    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(3), (at, value, cut) => {
        const bytes = good.slice(0, good.length - cut)
        bytes[at] = value
        let arrived: MembershipMessage
        try {
          arrived = decode(codec, bytes)
        } catch (error) {
          expect((error as { code?: string }).code).toBe('MALFORMED')
          return
        }
        expect(MESSAGES.map(({ type }) => type)).toContain(arrived.type)
      }),
      { numRuns: 1_000, seed: 1 },
    )
  })

  it('is short for a heartbeat', () => {
    const heartbeats = heartbeatProtocol.codec({ write: () => {}, read: () => undefined })

    expect(encode(heartbeats, { isResponse: false, sequence: 1, node }).length).toBeLessThan(20)
  })
})
