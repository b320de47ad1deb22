import { decode, encode, WireError } from '@troupe/crdt/wire'
import { describe, expect, it } from 'vitest'
import type { CoordinatorMessage, RegionMessage, RegionTraffic } from './messages.ts'
import { shardingProtocols } from './protocol.ts'

const node = { address: 'a:1', uid: 'A' }
const home = { node, epoch: 2 ** 40 }
const noPayload = { write: () => {}, read: () => 'payload' }
const protocols = shardingProtocols('account', 100)

const fromRegion: RegionMessage[] = [
  {
    type: 'Register',
    shards: 100,
    hosted: new Map([[99, 2 ** 40]]),
    isHosting: true,
    isLeaving: false,
  },
  { type: 'AskHome', shard: 99 },
  { type: 'Drained', shard: 0, by: node },
  { type: 'ShardStopped', shard: 1, epoch: 3 },
  { type: 'Leaving' },
]
const fromCoordinator: CoordinatorMessage[] = [
  { type: 'RegisterAck' },
  { type: 'Refused', shards: 100 },
  { type: 'Home', shard: 99, home },
  { type: 'HostShard', shard: 99, epoch: 2 ** 40 },
  { type: 'BeginHandOff', shard: 99, home },
  { type: 'HandOff', shard: 99, epoch: 2 ** 40 },
  { type: 'NobodyTakesOver' },
  { type: 'LeavingAck' },
]
const traffic: RegionTraffic[] = [
  { type: 'Envelope', shard: 99, entityId: 'Zürich 🦉', message: 'payload' },
  { type: 'Drained', shard: 99 },
  { type: 'NotHere', shard: 99 },
]

describe('the protocol', () => {
  it.each(fromRegion)('carries $type to the coordinator', (message) => {
    const codec = protocols.toCoordinator.codec(noPayload)

    expect(decode(codec, encode(codec, message))).toEqual(message)
  })

  it.each(fromCoordinator)('carries $type to a region', (message) => {
    const codec = protocols.toRegion.codec(noPayload)

    expect(decode(codec, encode(codec, message))).toEqual(message)
  })

  it.each(traffic)('carries $type between regions', (message) => {
    const codec = protocols.envelopes.codec(noPayload)

    expect(decode(codec, encode(codec, message))).toEqual(message)
  })

  it('understands a registration with another number of shards, to be able to refuse it', () => {
    const other = shardingProtocols('account', 1_000).toCoordinator.codec(noPayload)
    const registration: RegionMessage = {
      type: 'Register',
      shards: 1_000,
      hosted: new Map([[999, 1]]),
      isHosting: true,
      isLeaving: false,
    }

    const bytes = encode(other, registration)

    expect(decode(protocols.toCoordinator.codec(noPayload), bytes)).toEqual(registration)
  })

  it('does not let through a shard that there is not', () => {
    const other = shardingProtocols('account', 101).envelopes.codec(noPayload)
    const bytes = encode(other, { type: 'Drained', shard: 100 })

    expect(() => decode(protocols.envelopes.codec(noPayload), bytes)).toThrow(WireError)
  })
})
