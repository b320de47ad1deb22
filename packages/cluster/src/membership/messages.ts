import { VersionVector } from '@troupe/crdt'
import {
  boolean,
  type Codec,
  list,
  literal,
  map,
  oneOf,
  record,
  string,
  uint,
  union,
} from '@troupe/crdt/wire'
import { type UniqueAddress, uniqueAddressCodec } from '../node-address.ts'
import type { Protocol } from '../remote/protocol.ts'
import type { Gossip } from './gossip.ts'
import { type Member, MEMBER_STATUSES } from './member.ts'
import { type Observations, Reachability } from './reachability.ts'

/** What members and those who want to become one say to each other. The sender is known from the link. */
export type MembershipMessage =
  /** Is there a cluster at your place? */
  | { readonly type: 'InitJoin' }
  | { readonly type: 'InitJoinAck' }
  | { readonly type: 'InitJoinNack' }
  | { readonly type: 'Join'; readonly roles: readonly string[] }
  | { readonly type: 'Welcome'; readonly gossip: Gossip }
  /** My view is of this version, and these have seen it: is yours another one? */
  | {
      readonly type: 'Status'
      readonly version: VersionVector
      readonly seen: ReadonlySet<string>
    }
  | { readonly type: 'Gossip'; readonly gossip: Gossip }
  /** I have finished everything that leaving means; remove me without waiting for silence. */
  | { readonly type: 'ExitingConfirmed' }

const MEMBERS_MAX = 10_000
const key = string({ maxBytes: 400 })

const memberCodec: Codec<Member> = record<Member>({
  node: uniqueAddressCodec,
  status: oneOf(MEMBER_STATUSES),
  roles: list(string({ maxBytes: 100 }), { max: 100 }),
  upNumber: uint(),
  isReplaced: boolean(),
})

const setCodec: Codec<ReadonlySet<string>> = {
  write: (writer, keys) => list(key, { max: MEMBERS_MAX }).write(writer, [...keys]),
  read: (reader) => new Set(list(key, { max: MEMBERS_MAX }).read(reader)),
}

const versionCodec: Codec<VersionVector> = {
  write: (writer, version) =>
    map(key, uint(), { max: MEMBERS_MAX }).write(writer, new Map(version.entries())),
  read: (reader) => VersionVector.of(map(key, uint(), { max: MEMBERS_MAX }).read(reader)),
}

const rowsCodec = map(key, record<Observations>({ version: uint(), unreachable: setCodec }), {
  max: MEMBERS_MAX,
})

export const gossipCodec: Codec<Gossip> = record<Gossip>({
  members: map(key, memberCodec, { max: MEMBERS_MAX }),
  seen: setCodec,
  reachability: {
    write: (writer, reachability) => rowsCodec.write(writer, reachability.rows),
    read: (reader) => new Reachability(rowsCodec.read(reader)),
  },
  version: versionCodec,
  tombstones: map(key, uint(), { max: MEMBERS_MAX }),
})

const messageCodec: Codec<MembershipMessage> = union<MembershipMessage>({
  InitJoin: record({ type: literal('InitJoin') }),
  InitJoinAck: record({ type: literal('InitJoinAck') }),
  InitJoinNack: record({ type: literal('InitJoinNack') }),
  Join: record({ type: literal('Join'), roles: list(string({ maxBytes: 100 }), { max: 100 }) }),
  Welcome: record({ type: literal('Welcome'), gossip: gossipCodec }),
  Status: record({ type: literal('Status'), version: versionCodec, seen: setCodec }),
  Gossip: record({ type: literal('Gossip'), gossip: gossipCodec }),
  ExitingConfirmed: record({ type: literal('ExitingConfirmed') }),
})

export const membershipProtocol: Protocol<MembershipMessage> = {
  name: 'membership',
  stream: 'control',
  codec: () => messageCodec,
  expiresAfterMs: 5_000,
  isRepeated: true,
}

/** Are you there? Answered at once, before any work of users. */
export type HeartbeatMessage = {
  readonly isResponse: boolean
  readonly sequence: number
  readonly node: UniqueAddress
}

export const heartbeatProtocol: Protocol<HeartbeatMessage> = {
  name: 'heartbeat',
  stream: 'control',
  codec: () => record({ isResponse: boolean(), sequence: uint(), node: uniqueAddressCodec }),
  expiresAfterMs: 1_000,
  isRepeated: true,
}
