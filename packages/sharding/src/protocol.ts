import type { UniqueAddress } from '@troupe/cluster'
import { type Protocol, uniqueAddressCodec } from '@troupe/cluster/spi'
import { boolean, type Codec, literal, map, record, string, uint, union } from '@troupe/crdt/wire'
import type { CoordinatorMessage, ShardHome } from './coordinator.ts'
import type { Envelope, RegionMessage } from './region.ts'
import { ENTITY_ID_MAX } from './shard-id.ts'

/**
 * What regions and coordinators of one entity type say to each other across nodes. Each type has
 * protocols of its own, so a node that does not know the type drops its messages, counted, and
 * nothing else.
 */
export interface ShardingProtocols {
  /** Region to coordinator. */
  readonly toCoordinator: Protocol<RegionMessage>
  /** Coordinator to region. */
  readonly toRegion: Protocol<CoordinatorMessage>
  /** Region to region, in order with each other. */
  readonly envelopes: Protocol<RegionTraffic>
}

/** Messages for entities, and the mark behind the last of them. */
export type RegionTraffic =
  | ({ readonly type: 'Envelope' } & Envelope)
  | { readonly type: 'Drained'; readonly shard: number }

export function shardingProtocols(typeName: string, shards: number): ShardingProtocols {
  const shard = uint({ max: shards - 1 })
  return {
    toCoordinator: {
      name: `sharding-coordinator-${typeName}`,
      stream: 'control',
      codec: () => regionMessageCodec(shard, shards),
      expiresAfterMs: 5_000,
    },
    toRegion: {
      name: `sharding-region-${typeName}`,
      stream: 'control',
      codec: () => coordinatorMessageCodec(shard),
      expiresAfterMs: 5_000,
    },
    envelopes: {
      name: `sharding-${typeName}`,
      stream: 'ordinary',
      codec: (payload) =>
        union<RegionTraffic>({
          Envelope: record({
            type: literal('Envelope'),
            shard,
            entityId: string({ maxBytes: ENTITY_ID_MAX * 4 }),
            message: payload,
          }),
          Drained: record({ type: literal('Drained'), shard }),
        }),
    },
  }
}

const homeCodec: Codec<ShardHome> = record<ShardHome>({ node: uniqueAddressCodec, epoch: uint() })

function regionMessageCodec(shard: Codec<number>, shards: number): Codec<RegionMessage> {
  return union<RegionMessage>({
    Register: record({
      type: literal('Register'),
      hosted: map(shard, uint(), { max: shards }),
      isHosting: boolean(),
    }),
    AskHome: record({ type: literal('AskHome'), shard }),
    Drained: record({ type: literal('Drained'), shard, by: uniqueAddressCodec }),
    ShardStopped: record({ type: literal('ShardStopped'), shard, epoch: uint() }),
    Leaving: record({ type: literal('Leaving') }),
  })
}

function coordinatorMessageCodec(shard: Codec<number>): Codec<CoordinatorMessage> {
  return union<CoordinatorMessage>({
    RegisterAck: record({ type: literal('RegisterAck') }),
    Home: record({ type: literal('Home'), shard, home: homeCodec }),
    HostShard: record({ type: literal('HostShard'), shard, epoch: uint() }),
    BeginHandOff: record({ type: literal('BeginHandOff'), shard, home: homeCodec }),
    HandOff: record({ type: literal('HandOff'), shard, epoch: uint() }),
  })
}

/** How a shard's home is stored: a tuple of plain values, read back with a check. */
export function storedHome(home: ShardHome | undefined, epoch: number): readonly unknown[] {
  return home === undefined ? [epoch] : [epoch, home.node.address, home.node.uid]
}

export function readStoredHome(
  stored: unknown,
): { readonly home: ShardHome | undefined; readonly epoch: number } | undefined {
  if (!Array.isArray(stored)) return undefined
  const [epoch, address, uid] = stored as unknown[]
  if (typeof epoch !== 'number') return undefined
  if (typeof address !== 'string' || typeof uid !== 'string') return { home: undefined, epoch }
  const node: UniqueAddress = { address, uid }
  return { home: { node, epoch }, epoch }
}
