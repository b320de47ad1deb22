import {
  GCounterKey,
  LWWMapKey,
  readAll,
  readFrom,
  readLocal,
  readMajority,
  writeMajority,
} from '@troupe/replicator'
import { describe, expect, it } from 'vitest'
import { dataOf, replicatedCluster } from './fixture.ts'

const Prices = LWWMapKey.create<string, number>('prices')
const timeoutMs = 800

describe('a read', () => {
  it.each([
    ['readLocal', readLocal],
    ['readFrom 2', readFrom(2, { timeoutMs })],
    ['readMajority', readMajority({ timeoutMs })],
    ['readAll', readAll({ timeoutMs })],
  ])(
    'with %s finds a value that is everywhere, and says so when there is none',
    async (_, consistency) => {
      await using cluster = await replicatedCluster()
      const [a, b] = cluster.nodes
      const read = () => cluster.run(dataOf(b).get(Prices, { consistency }))

      expect(await read()).toEqual({ type: 'NotFound', key: Prices })
      await cluster.run(dataOf(a).update(Prices, (map) => map.put('apple', 3)))
      await cluster.clock.advance('50ms')
      const reply = await read()
      expect(reply).toMatchObject({ type: 'GetSuccess', key: Prices })
      expect(reply.type === 'GetSuccess' && reply.value.get('apple')).toBe(3)
    },
  )

  it('from all brings what was not here yet, and keeps it', async () => {
    await using cluster = await replicatedCluster()
    const [a, b] = cluster.nodes
    // The change itself is still on a slow way.
    cluster.network.cutOneWay(a, b)
    void dataOf(a).update(Prices, (map) => map.put('apple', 3))
    await cluster.clock.advance('200ms')
    expect(dataOf(b).read(Prices)).toBeUndefined()
    const reading = dataOf(b).get(Prices, { consistency: readMajority({ timeoutMs }) })
    const reply = await cluster.run(reading)

    expect(reply.type === 'GetSuccess' && reply.value.get('apple')).toBe(3)
    expect(dataOf(b).read(Prices)?.get('apple')).toBe(3)
  })

  it('from a majority fails on the smaller side of a partition', async () => {
    await using cluster = await replicatedCluster()
    const [a, b, c] = cluster.nodes
    cluster.network.partition([a], [b, c])
    const read = (node: typeof a) =>
      cluster.run(dataOf(node).get(Prices, { consistency: readMajority({ timeoutMs }) }))

    expect(await read(a)).toEqual({ type: 'GetFailure', key: Prices, reason: 'Timeout' })
    expect(await read(b)).toMatchObject({ type: 'NotFound' })
  })

  it('from more nodes than there are fails at once', async () => {
    await using cluster = await replicatedCluster()
    const reading = dataOf(cluster.nodes[0]).get(Prices, {
      consistency: readFrom(4, { timeoutMs }),
    })

    expect(await cluster.run(reading)).toEqual({
      type: 'GetFailure',
      key: Prices,
      reason: 'NotEnoughReplicas',
    })
  })

  it('that finds another type than it was asked for fails', async () => {
    await using cluster = await replicatedCluster()
    const [a, b, c] = cluster.nodes
    cluster.network.partition([a, c], [b])
    void dataOf(a).update(Prices, (map) => map.put('apple', 3))
    await cluster.clock.advance('100ms')
    cluster.network.heal()
    const wrong = GCounterKey.create('prices')
    const reading = dataOf(b).get(wrong, { consistency: readAll({ timeoutMs: 3_000 }) })

    expect(await cluster.run(reading)).toMatchObject({
      type: 'GetFailure',
      reason: 'KeyHasOtherType',
    })
  })
})

describe('a deleted key', () => {
  it('is deleted on all nodes, and stays it', async () => {
    await using cluster = await replicatedCluster()
    const [a, b, c] = cluster.nodes
    await cluster.run(dataOf(a).update(Prices, (map) => map.put('apple', 3)))
    await cluster.clock.advance('50ms')
    cluster.network.partition([a, b], [c])
    expect(await cluster.run(dataOf(a).delete(Prices))).toEqual({
      type: 'DeleteSuccess',
      key: Prices,
    })
    // On the other side nobody knows of it yet.
    void dataOf(c).update(Prices, (map) => map.put('pear', 4))
    await cluster.clock.advance('1s')
    cluster.network.heal()
    await cluster.clock.until(() => dataOf(c).read(Prices) === undefined, '10s')

    for (const node of [a, b, c]) {
      const data = dataOf(node)
      expect(data.read(Prices)).toBeUndefined()
      expect([...data.keys()]).toEqual([])
      const replies = [
        await cluster.run(data.get(Prices)),
        await cluster.run(data.get(Prices, { consistency: readMajority({ timeoutMs }) })),
        await cluster.run(data.update(Prices, (map) => map.put('plum', 5))),
        await cluster.run(data.delete(Prices)),
      ]
      expect(replies.map(({ type }) => type)).toEqual(replies.map(() => 'DataDeleted'))
    }
  })

  it('is learned of by a read from a majority', async () => {
    await using cluster = await replicatedCluster()
    const [a, b] = cluster.nodes
    cluster.network.cutOneWay(a, b)
    await cluster.run(dataOf(a).delete(Prices))
    await cluster.clock.advance('200ms')
    const reading = dataOf(b).get(Prices, { consistency: readMajority({ timeoutMs }) })

    expect(await cluster.run(reading)).toEqual({ type: 'DataDeleted', key: Prices })
  })

  it('is not known to have been deleted by enough when they do not answer', async () => {
    await using cluster = await replicatedCluster()
    const [a, b, c] = cluster.nodes
    cluster.network.partition([a], [b, c])
    const deleting = dataOf(a).delete(Prices, { consistency: writeMajority({ timeoutMs }) })

    expect(await cluster.run(deleting)).toEqual({
      type: 'ReplicationDeleteFailure',
      key: Prices,
      reason: 'Timeout',
    })
  })
})
