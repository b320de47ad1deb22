import { Behaviors } from '@troupe/actor'
import { localClusterSettings } from '@troupe/cluster'
import { ClusterSharding, EntityType, shardOf } from '@troupe/sharding'
import { TestCluster } from '@troupe/testkit/cluster'
import { describe, expect, it } from 'vitest'
import { ShardedCluster } from './sharded-cluster.ts'

const ids = Array.from({ length: 60 }, (_, i) => `account-${i}`)

describe('an entity', { timeout: 30_000 }, () => {
  it('is one and the same from every node', async () => {
    await using sharded = await ShardedCluster.start()

    const replies = []
    for (const name of ['a', 'b', 'c', 'a']) replies.push(await sharded.where(name, '42'))

    expect(new Set(replies.map(({ node }) => node)).size).toBe(1)
    expect(replies.map(({ handled }) => handled)).toEqual([1, 2, 3, 4])
  })

  it('lives where its shard lives, and shards are spread over all nodes', async () => {
    await using sharded = await ShardedCluster.start()

    const homes = new Map<number, string>()
    for (const id of ids) {
      const { node } = await sharded.where('b', id)
      const shard = shardOf(id, 100)
      expect(homes.get(shard) ?? node).toBe(node)
      homes.set(shard, node)
    }

    const counts = Object.values(sharded.hosted)
    expect(counts.reduce((sum, count) => sum + count)).toBe(homes.size)
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
  })

  it('gets what was sent to it before the node was a member', async () => {
    await using sharded = await ShardedCluster.start({}, ['a'])
    for (let n = 1; n <= 3; n++) sharded.ref('a', '42').tell({ type: 'Note', from: 'a', n })
    await sharded.cluster.clock.settle()
    expect(sharded.on('a').state.keptMessages).toBe(3)

    await sharded.cluster.form()

    expect(sharded.books.of('42', 'a')).toEqual([1, 2, 3])
    expect(sharded.on('a').state.keptMessages).toBe(0)
  })

  it('that fails is started anew by the next message', async () => {
    await using sharded = await ShardedCluster.start()
    await sharded.where('a', '42')
    sharded.ref('a', '42').tell({ type: 'Fail' })
    await sharded.cluster.clock.settle()

    expect((await sharded.where('b', '42')).handled).toBe(1)
    expect(sharded.log.violations).toEqual([])
  })

  it('that stops by itself loses nothing that is told to it after its end', async () => {
    await using sharded = await ShardedCluster.start({ nodes: 1 })
    await sharded.where('a', '42')
    const ref = sharded.ref('a', '42')
    const { system } = sharded.node('a')
    const next = system.systemActorOf<string>(
      Behaviors.receive(() => {
        ref.tell({ type: 'Note', from: 'a', n: 1 })
        return Behaviors.same
      }),
      'next',
    )
    // The entity has its turn and ends, then this actor, and only then does the region hear of the end.
    ref.tell({ type: 'Close' })
    next.tell('go')
    await sharded.cluster.clock.advance(100)

    expect(sharded.books.of('42', 'a')).toEqual([1])
    expect(sharded.drops).toEqual([])
  })

  it('can be asked through any ref of its node, and knows its own id, type and epoch', async () => {
    await using cluster = await TestCluster.start({ nodes: 2, settings: localClusterSettings() })
    const Echo = EntityType.create<{ replyTo: { tell(text: string): void } }>('echo', (entity) =>
      Behaviors.receive((message) => {
        message.replyTo.tell(`${entity.typeName} ${entity.id} ${entity.epoch > 0}`)
        return Behaviors.same
      }),
    )
    for (const node of cluster.nodes) ClusterSharding.get(node.system).start(Echo)
    const ref = ClusterSharding.get(cluster.nodes[1].system).entityRef(Echo, 'ä/ö')

    const reply = await cluster.run(
      ref.ask<string>((replyTo) => ({ replyTo }), { timeoutMs: 5_000 }),
    )

    expect(reply).toBe('echo ä/ö true')
    expect(String(ref)).toBe('entity://echo/ä/ö')
  })
})

describe('a node without the role', { timeout: 30_000 }, () => {
  it('sends to entities and hosts none', async () => {
    await using sharded = await ShardedCluster.start({
      nodes: ['a', 'b', 'web'],
      role: 'host',
      rolesOf: ({ name }) => (name === 'web' ? [] : ['host']),
    })

    const nodes = new Set<string>()
    for (const id of ids) nodes.add((await sharded.where('web', id)).node)

    expect([...nodes].sort()).toEqual(['a', 'b'])
    expect(sharded.hosted['web']).toBe(0)
  })

  it('also when it is the oldest of the cluster', async () => {
    await using sharded = await ShardedCluster.start(
      { nodes: ['a', 'b'], role: 'host', rolesOf: ({ name }) => (name === 'a' ? [] : ['host']) },
      ['a'],
    )
    await sharded.cluster.clock.advance('5s')
    await sharded.cluster.form()

    expect((await sharded.where('a', '42')).node).toBe('b')
    expect(sharded.on('a').state.coordinator?.address).toBe('b:2551')
  })
})

describe('starting a type', { timeout: 30_000 }, () => {
  it('twice on a node is one start, and another type of that name is refused', async () => {
    await using cluster = await TestCluster.start({ nodes: 1 })
    const sharding = ClusterSharding.get(cluster.nodes[0].system)
    const type = EntityType.create<never>('same', () => Behaviors.empty)
    const shards = sharding.start(type)

    expect(sharding.start(type)).toBe(shards)
    expect(() => sharding.start(EntityType.create<never>('same', () => Behaviors.ignore))).toThrow(
      expect.objectContaining({ code: 'ENTITY_TYPE_STARTED_OTHERWISE' }),
    )
  })

  it('has to come before asking for a ref, whose id has to be one', async () => {
    await using cluster = await TestCluster.start({ nodes: 1 })
    const sharding = ClusterSharding.get(cluster.nodes[0].system)
    const type = EntityType.create<never>('later', () => Behaviors.empty)

    expect(() => sharding.entityRef(type, '1')).toThrow(
      expect.objectContaining({ code: 'ENTITY_TYPE_NOT_STARTED' }),
    )
    sharding.start(type)
    expect(() => sharding.entityRef(type, '')).toThrow(
      expect.objectContaining({ code: 'INVALID_ENTITY_ID' }),
    )
  })

  it('with another number of shards is refused by the coordinator, and nothing is lost silently', async () => {
    await using cluster = await TestCluster.start({ nodes: 2, settings: localClusterSettings() })
    const [a, b] = cluster.nodes
    const type = EntityType.create<string>('odd', () => Behaviors.ignore)
    ClusterSharding.get(a.system).start(type)
    const odd = ClusterSharding.get(b.system).start(type, { settings: { shards: 99 } })
    odd.entityRef('1').tell('before')
    await cluster.clock.advance('3s')
    odd.entityRef('1').tell('after')
    await cluster.clock.settle()

    expect(b.system.deadLetters.counts.get('ShardCountDiffers')).toBe(2)
    expect(odd.state.shards).toEqual([])
  })
})

describe('hostsMin', { timeout: 30_000 }, () => {
  it('holds back the first homes until so many hosts are there, and spreads shards evenly at once', async () => {
    await using sharded = await ShardedCluster.start(
      { settings: { hostsMin: 3, rebalanceMs: 3_600_000 } },
      ['a'],
    )
    for (const id of ids) sharded.ref('a', id).tell({ type: 'Note', from: 'a', n: 1 })
    await sharded.cluster.clock.advance('10s')
    expect(sharded.hosted).toEqual({ a: 0 })

    await sharded.cluster.form()
    await sharded.cluster.clock.until(() => sharded.books.size === ids.length, '5s')

    const counts = Object.values(sharded.hosted)
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
  })
})
