import {
  GCounterKey,
  LWWMapKey,
  LWWRegisterKey,
  ORSetKey,
  writeAll,
  writeLocal,
  writeMajority,
  writeTo,
} from '@troupe/replicator'
import { describe, expect, it } from 'vitest'
import { areEqual, dataOf, replicatedCluster } from './fixture.ts'

const Prices = LWWMapKey.create<string, number>('prices')
const timeoutMs = 800

describe('a write on one of three nodes', () => {
  it('is readable there at once, before anything has happened', async () => {
    await using cluster = await replicatedCluster()
    const [a] = cluster.nodes
    void dataOf(a).update(Prices, (map) => map.put('apple', 3))

    expect(dataOf(a).read(Prices)?.get('apple')).toBe(3)
  })

  it('of each type spreads to all', async () => {
    await using cluster = await replicatedCluster()
    const [a, b, c] = cluster.nodes
    const views = GCounterKey.create('views')
    const leader = LWWRegisterKey.create<string>('leader')
    const tags = ORSetKey.create<string>('tags')
    const data = dataOf(a)
    void data.update(Prices, (map) => map.put('apple', 3))
    void data.update(views, (counter) => counter.increment(2))
    void data.update(leader, (register) => register.set('a'))
    void data.update(tags, (set) => set.add('new'))
    void dataOf(b).update(views, (counter) => counter.increment(5))
    await cluster.clock.advance('50ms')

    for (const node of [a, b, c]) {
      const replica = dataOf(node)
      expect([
        replica.read(Prices)?.toJSON(),
        replica.read(views)?.value,
        replica.read(leader)?.value,
        replica.read(tags)?.toJSON(),
      ]).toEqual([{ apple: 3 }, 7, 'a', ['new']])
    }
    expect(areEqual(cluster)).toBe(true)
  })

  it.each([
    ['writeLocal', writeLocal],
    ['writeTo 2', writeTo(2, { timeoutMs })],
    ['writeTo 3', writeTo(3, { timeoutMs })],
    ['writeMajority', writeMajority({ timeoutMs })],
    ['writeAll', writeAll({ timeoutMs })],
  ])('succeeds with %s', async (_, consistency) => {
    await using cluster = await replicatedCluster()
    const update = dataOf(cluster.nodes[0]).update(Prices, (map) => map.put('apple', 3), {
      consistency,
    })

    expect(await cluster.run(update)).toEqual({ type: 'UpdateSuccess', key: Prices })
  })

  it('to two is on two nodes when it succeeds, to all on three', async () => {
    await using cluster = await replicatedCluster()
    const holders = (): number =>
      cluster.nodes.filter((node) => dataOf(node).read(Prices)?.has('apple')).length
    const promised: number[] = []
    for (const consistency of [writeTo(2, { timeoutMs }), writeAll({ timeoutMs })]) {
      const update = dataOf(cluster.nodes[0])
        .update(Prices, (map) => map.put('apple', 3), { consistency })
        .then(() => promised.push(holders()))
      await cluster.run(update)
    }

    expect(promised[0]).toBeGreaterThanOrEqual(2)
    expect(promised[1]).toBe(3)
  })

  it('succeeds with a majority while the third is cut off, and not with all', async () => {
    await using cluster = await replicatedCluster()
    const [a, b, c] = cluster.nodes
    cluster.network.partition([a, b], [c])
    const write = (consistency: ReturnType<typeof writeAll>) =>
      cluster.run(dataOf(a).update(Prices, (map) => map.put('apple', 3), { consistency }))

    expect(await write(writeMajority({ timeoutMs }))).toMatchObject({ type: 'UpdateSuccess' })
    const before = cluster.clock.now
    expect(await write(writeAll({ timeoutMs }))).toEqual({
      type: 'UpdateTimeout',
      key: Prices,
      reason: 'Timeout',
    })
    expect(cluster.clock.now - before).toBeCloseTo(timeoutMs, 0)
  })

  it('that has timed out is not taken back, and spreads when the others are back', async () => {
    await using cluster = await replicatedCluster()
    const [a, b, c] = cluster.nodes
    cluster.network.partition([a], [b, c])
    const update = dataOf(a).update(Prices, (map) => map.put('apple', 3), {
      consistency: writeMajority({ timeoutMs }),
    })
    expect(await cluster.run(update)).toMatchObject({ type: 'UpdateTimeout', reason: 'Timeout' })
    expect(dataOf(a).read(Prices)?.get('apple')).toBe(3)
    cluster.network.heal()
    await cluster.clock.until(() => dataOf(c).read(Prices)?.get('apple') === 3, '10s')

    expect(dataOf(b).read(Prices)?.get('apple')).toBe(3)
  })

  it('to more nodes than there are fails at once, and spreads nevertheless', async () => {
    await using cluster = await replicatedCluster()
    const [a, , c] = cluster.nodes
    const before = cluster.clock.now
    const update = dataOf(a).update(Prices, (map) => map.put('apple', 3), {
      consistency: writeTo(4, { timeoutMs }),
    })

    expect(await cluster.run(update)).toMatchObject({
      type: 'UpdateTimeout',
      reason: 'NotEnoughReplicas',
    })
    expect(cluster.clock.now - before).toBeLessThan(1)
    await cluster.clock.advance('50ms')
    expect(dataOf(c).read(Prices)?.get('apple')).toBe(3)
  })

  it('counts members that cannot be reached', async () => {
    await using cluster = await replicatedCluster({
      nodes: 5,
      settings: { stableAfterMs: 3_600_000 },
    })
    const [a, b, c, d, e] = cluster.nodes
    cluster.network.partition([a, b], [c, d, e])
    await cluster.clock.until(() => a.cluster.state.unreachable.length === 3, '60s')
    const write = (node: typeof a) =>
      cluster.run(
        dataOf(node).update(Prices, (map) => map.put('apple', 3), {
          consistency: writeMajority({ timeoutMs }),
        }),
      )

    expect(await write(a)).toMatchObject({ type: 'UpdateTimeout' })
    expect(await write(c)).toMatchObject({ type: 'UpdateSuccess' })
  })
})

describe('the function of an update', () => {
  it('may decline, and then nothing is sent', async () => {
    await using cluster = await replicatedCluster()
    const [a] = cluster.nodes
    const update = dataOf(a).update(Prices, () => undefined, {
      consistency: writeMajority({ timeoutMs }),
    })

    expect(await cluster.run(update)).toMatchObject({ type: 'UpdateSuccess' })
    expect(dataOf(a).metrics).toMatchObject({ keys: 0, deltasSent: 0 })
  })

  it('that throws fails the update; what it had done by then stays and spreads', async () => {
    await using cluster = await replicatedCluster()
    const [a, b] = cluster.nodes
    const cause = new Error('no price')
    const update = dataOf(a).update(Prices, (map) => {
      map.put('apple', 3)
      throw cause
    })

    expect(await cluster.run(update)).toEqual({ type: 'ModifyFailure', key: Prices, cause })
    await cluster.clock.advance('50ms')
    expect(dataOf(b).read(Prices)?.get('apple')).toBe(3)
  })
})

describe('a key', () => {
  it('has one type: every other use is refused with a code, and counted', async () => {
    await using cluster = await replicatedCluster()
    const data = dataOf(cluster.nodes[0])
    const wrong = GCounterKey.create('prices')
    const refused = { code: 'KEY_HAS_OTHER_TYPE' }
    await cluster.run(data.update(Prices, (map) => map.put('apple', 3)))

    expect(() => data.read(wrong)).toThrow(expect.objectContaining(refused))
    expect(() => data.subscribe(wrong, () => {})).toThrow(expect.objectContaining(refused))
    await expect(data.update(wrong, (counter) => counter.increment())).rejects.toMatchObject(
      refused,
    )
    await expect(data.get(wrong)).rejects.toMatchObject(refused)
    await expect(data.delete(wrong)).rejects.toMatchObject(refused)
    expect(data.metrics.refused.get('OtherType')).toBe(5)
    expect(data.read(Prices)?.toJSON()).toEqual({ apple: 3 })
  })

  it('that two nodes use for different types stays apart, and every other key goes on', async () => {
    await using cluster = await replicatedCluster()
    const [a, b, c] = cluster.nodes
    cluster.network.partition([a, c], [b])
    const wrong = GCounterKey.create('prices')
    void dataOf(a).update(Prices, (map) => map.put('apple', 3))
    void dataOf(b).update(wrong, (counter) => counter.increment())
    await cluster.clock.advance('1s')
    cluster.network.heal()
    await cluster.clock.advance('5s')
    const Stock = LWWMapKey.create<string, number>('stock')
    const update = dataOf(a).update(Stock, (map) => map.put('apple', 100), {
      consistency: writeAll({ timeoutMs }),
    })

    expect(await cluster.run(update)).toMatchObject({ type: 'UpdateSuccess' })
    expect(dataOf(a).read(Prices)?.get('apple')).toBe(3)
    expect(dataOf(b).read(wrong)?.value).toBe(1)
    expect(dataOf(b).metrics.refused.get('OtherType')).toBeGreaterThan(0)
    const write = dataOf(a).update(Prices, (map) => map.put('pear', 4), {
      consistency: writeAll({ timeoutMs }),
    })
    expect(await cluster.run(write)).toMatchObject({
      type: 'UpdateTimeout',
      reason: 'NotEnoughReplicas',
    })
  })

  it('has a name of 1 to 1000 characters', () => {
    const invalid = expect.objectContaining({ code: 'INVALID_KEY' })

    expect(() => GCounterKey.create('')).toThrow(invalid)
    expect(() => GCounterKey.create('x'.repeat(1_001))).toThrow(invalid)
  })
})
