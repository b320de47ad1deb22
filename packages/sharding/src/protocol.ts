import { type Protocol, uniqueAddressCodec } from '@troupe/cluster/spi'
import { boolean, type Codec, literal, map, record, string, uint, union } from '@troupe/crdt/wire'
import type { CoordinatorMessage, RegionMessage, RegionTraffic, ShardHome } from './messages.ts'
import { SHARDS_MAX } from './settings.ts'
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

export function shardingProtocols(typeName: string, shards: number): ShardingProtocols {
  const shard = uint({ max: shards - 1 })
  return {
    toCoordinator: {
      name: `sharding-coordinator-${typeName}`,
      stream: 'control',
      codec: () => regionMessageCodec(shard),
      expiresAfterMs: 5_000,
      isRepeated: true,
    },
    toRegion: {
      name: `sharding-region-${typeName}`,
      stream: 'control',
      codec: () => coordinatorMessageCodec(shard),
      expiresAfterMs: 5_000,
      isRepeated: true,
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
          NotHere: record({ type: literal('NotHere'), shard }),
        }),
    },
  }
}

const homeCodec: Codec<ShardHome> = record<ShardHome>({ node: uniqueAddressCodec, epoch: uint() })

function regionMessageCodec(shard: Codec<number>): Codec<RegionMessage> {
  return union<RegionMessage>({
    Register: record({
      type: literal('Register'),
      shards: uint(),
      hosted: map(uint(), uint(), { max: SHARDS_MAX }),
      isHosting: boolean(),
      isLeaving: boolean(),
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
    Refused: record({ type: literal('Refused'), shards: uint() }),
    Home: record({ type: literal('Home'), shard, home: homeCodec }),
    HostShard: record({ type: literal('HostShard'), shard, epoch: uint() }),
    BeginHandOff: record({ type: literal('BeginHandOff'), shard, home: homeCodec }),
    HandOff: record({ type: literal('HandOff'), shard, epoch: uint() }),
    NobodyTakesOver: record({ type: literal('NobodyTakesOver') }),
    LeavingAck: record({ type: literal('LeavingAck') }),
  })
}
