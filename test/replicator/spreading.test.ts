import { ActorSystem, Behaviors } from '@troupe/actor'
import type { Protocol } from '@troupe/cluster/spi'
import type { Codec } from '@troupe/crdt/wire'
import type { LWWMap } from '@troupe/crdt'
import { DistributedData, GCounterKey, LWWMapKey, writeAll } from '@troupe/replicator'
import { manualPlatform } from '@troupe/testkit'
import { describe, expect, it } from 'vitest'
import { areEqual, dataOf, replicatedCluster } from './fixture.ts'

const Prices = LWWMapKey.create<string, number>('prices')
const Views = GCounterKey.create('views')
const GOSSIP_INTERVAL = '2s'

/** Writes 300 keys and one map that fills several messages. */
function fill(data: DistributedData): void {
  for (let i = 0; i < 300; i++) {
    void data.update(GCounterKey.create(`site-${i}`), (counter) => counter.increment())
  }
  void data.update(Prices, (map) => {
    for (let i = 0; i < 4_000; i++) map.put(`product-${i}`, i)
  })
}

describe('a node that becomes a member', () => {
  it('has the full state within one gossip interval, however large, and knows that it has it', async () => {
    await using cluster = await replicatedCluster()
    const [a, b, c] = cluster.nodes
    fill(dataOf(a))
    await cluster.clock.advance('500ms')
    expect(areEqual(cluster)).toBe(true)
    c.crash()
    void dataOf(b).update(Views, (counter) => counter.increment())
    await c.start()
    await cluster.run(c.cluster.whenUp({ timeoutMs: 60_000 }))
    await cluster.clock.advance(GOSSIP_INTERVAL)

    expect(dataOf(c).isComplete).toBe(true)
    expect(dataOf(c).read(Prices)?.size).toBe(4_000)
    expect(areEqual(cluster)).toBe(true)
    await cluster.run(dataOf(c).whenComplete({ timeoutMs: 1 }))
  })

  it('gets removals too that nobody else would tell it of', async () => {
    await using cluster = await replicatedCluster()
    const [a, b, c] = cluster.nodes
    void dataOf(a).update(Prices, (map) => map.put('apple', 3))
    await cluster.run(
      dataOf(a).update(Prices, (map) => map.remove('apple'), {
        consistency: writeAll({ timeoutMs: 800 }),
      }),
    )
    await c.restart()
    await cluster.form()
    await cluster.clock.until(() => dataOf(c).isComplete)

    expect((dataOf(c).read(Prices) as LWWMap<string, number>).tombstones).toBe(1)
    expect(dataOf(b).read(Prices)?.size).toBe(0)
  })

  it('says whose state it waits for when it is not complete in time', async () => {
    await using cluster = await replicatedCluster()
    const [a, , c] = cluster.nodes
    await c.restart()
    await cluster.run(c.cluster.whenUp({ timeoutMs: 60_000 }))
    const waiting = dataOf(c).whenComplete({ timeoutMs: 500 })
    cluster.network.isolate(c, cluster.nodes)

    await expect(cluster.run(waiting)).rejects.toMatchObject({
      code: 'NOT_COMPLETE',
      message: expect.stringContaining(a.address) as string,
    })
  })
})

describe('a node that was cut off', () => {
  it('gets what it missed, and nothing else', async () => {
    await using cluster = await replicatedCluster({ settings: { stableAfterMs: 3_600_000 } })
    const [a, b, c] = cluster.nodes
    fill(dataOf(a))
    await cluster.clock.advance('500ms')
    cluster.network.partition([a, b], [c])
    void dataOf(a).update(Prices, (map) => map.put('product-7', 0))
    void dataOf(c).update(Views, (counter) => counter.increment())
    await cluster.clock.advance('20s')
    const before = dataOf(c).metrics
    cluster.network.heal()
    await cluster.clock.until(() => areEqual(cluster), '10s')

    expect(dataOf(c).read(Prices)?.get('product-7')).toBe(0)
    expect(dataOf(a).read(Views)?.value).toBe(1)
    expect(dataOf(c).metrics.bytesReceived - before.bytesReceived).toBeLessThan(2_000)
  })

  it('does not make a queue grow without bound', async () => {
    await using cluster = await replicatedCluster({ settings: { stableAfterMs: 3_600_000 } })
    const [a, b, c] = cluster.nodes
    cluster.network.partition([a, b], [c])
    for (let second = 0; second < 20; second++) {
      for (let i = 0; i < 100; i++) {
        void dataOf(a).update(Prices, (map) => map.put(`product-${i}`, second))
        void dataOf(a).update(GCounterKey.create(`k-${second}-${i}`), (count) => count.increment())
      }
      await cluster.clock.advance('1s')
    }
    const toB = dataOf(b).metrics.deltasReceived
    const toC = dataOf(a).metrics.deltasSent - toB

    // A window at first, then a few at a time: far fewer than a node that answers got.
    expect(toB).toBeGreaterThan(2_000)
    expect(toC).toBeLessThan(1_000)
    cluster.network.heal()
    await cluster.clock.until(() => areEqual(cluster), '20s')
  })
})

it('removals are forgotten after their time, on all nodes', async () => {
  await using cluster = await replicatedCluster({ replicator: { tombstoneMs: 10_000 } })
  const [a, , c] = cluster.nodes
  const tombstones = () =>
    cluster.nodes.map((node) => (dataOf(node).read(Prices) as LWWMap<string, number>).tombstones)
  void dataOf(a).update(Prices, (map) => map.put('apple', 3))
  void dataOf(c).update(Prices, (map) => map.remove('apple'))
  await cluster.clock.advance('8s')
  expect(tombstones()).toEqual([1, 1, 1])
  await cluster.clock.advance('6s')

  expect(tombstones()).toEqual([0, 0, 0])
  expect(areEqual(cluster)).toBe(true)
})

it('a node that stops in good order leaves its last changes behind', async () => {
  await using cluster = await replicatedCluster()
  const [a, b, c] = cluster.nodes
  fill(dataOf(c))
  await c.stop()

  expect(dataOf(a).read(Prices)?.size).toBe(4_000)
  expect(dataOf(b).digest()).toBe(dataOf(a).digest())
  expect([...dataOf(b).keys()]).toHaveLength(301)
})

it('replicas that agree stay quiet', async () => {
  await using cluster = await replicatedCluster()
  const [a] = cluster.nodes
  fill(dataOf(a))
  await cluster.clock.advance('1s')
  const before = dataOf(a).metrics
  await cluster.clock.advance('20s')
  const after = dataOf(a).metrics

  expect(after.digestRounds - before.digestRounds).toBe(10)
  expect(after).toMatchObject({ repairs: 0, deltasSent: before.deltasSent })
})

describe('messages that make no sense', () => {
  const raw: Codec<Uint8Array> = {
    write: (writer, bytes) => writer.raw(bytes),
    read: (reader) => reader.raw(reader.remaining).slice(),
  }
  /** What a peer that is broken, or means harm, can put on the same channel. */
  const forged: Protocol<Uint8Array> = {
    name: 'replicator',
    stream: 'ordinary',
    codec: () => raw,
  }

  it('cost themselves alone, whatever they are', async () => {
    await using cluster = await replicatedCluster()
    const [a, b] = cluster.nodes
    const random = cluster.random('noise')
    void dataOf(b).update(Prices, (map) => map.put('apple', 3))
    await cluster.clock.advance('50ms')
    const before = dataOf(b).digest()
    for (let i = 0; i < 1_000; i++) {
      // The first byte chooses the kind of message; the rest is noise.
      const noise = random.bytes(1 + random.below(40))
      noise[0] = i % 16
      a.cluster.remoting.post(b.cluster.self, forged, noise)
    }
    await cluster.clock.advance('1s')
    expect(b.cluster.metrics.dropped.get('Undecodable')).toBeGreaterThan(500)
    void dataOf(a).update(Views, (counter) => counter.increment())
    await cluster.clock.advance('50ms')

    expect(dataOf(b).read(Views)?.value).toBe(1)
    expect(dataOf(b).read(Prices)?.toJSON()).toEqual({ apple: 3 })
    expect(before).toMatch(/^[0-9a-f]{16}$/)
  })
})

describe('the start', () => {
  it('needs a cluster, happens once, and refuses settings that cannot work', async () => {
    const platform = manualPlatform()
    const system = ActorSystem.create(Behaviors.empty, 'alone', { platform })
    expect(() => DistributedData.get(system)).toThrow(
      expect.objectContaining({ code: 'CLUSTER_NOT_STARTED' }),
    )
    await using cluster = await replicatedCluster({ nodes: 1 })
    const [a] = cluster.nodes

    expect(() => DistributedData.start(a.system)).toThrow(
      expect.objectContaining({ code: 'REPLICATOR_STARTED' }),
    )
    expect(DistributedData.get(a.system)).toBe(dataOf(a))
    for (const settings of [
      { gossipIntervalMs: 0 },
      { messageBytesMax: 2_000_000 },
      { windowBytes: 10 },
      { tombstoneMs: 1_000 },
    ]) {
      expect(() => DistributedData.start(a.system, settings)).toThrow(
        expect.objectContaining({ code: 'INVALID_SETTING' }),
      )
    }
  })
})
