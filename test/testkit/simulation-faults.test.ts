import { KeyedRandom } from '@troupe/testkit'
import { TestCluster } from '@troupe/testkit/cluster'
import { type Fault, type FaultPlan, faults } from '@troupe/testkit/simulation'
import { describe, expect, it } from 'vitest'

const nodes = ['a', 'b', 'c', 'd', 'e']
const plans = Array.from({ length: 200 }, (_, seed) =>
  faults.plan(new KeyedRandom(seed), { nodes, duration: '60s' }),
)
const endOf = (fault: Fault): number => fault.atMs + ('forMs' in fault ? fault.forMs : 0)

describe('a plan of faults', () => {
  it('is the same for the same seed, and another one for another', () => {
    const [one, again, other] = [7, 7, 8].map((seed) =>
      faults.plan(new KeyedRandom(seed), { nodes, count: 10 }),
    )

    expect(again).toEqual(one)
    expect(other).not.toEqual(one)
  })

  it('begins and ends within its duration', () => {
    for (const { faults: each } of plans) {
      for (const fault of each) {
        expect(fault.atMs).toBeGreaterThanOrEqual(0)
        expect(endOf(fault)).toBeLessThanOrEqual(60_000)
      }
    }
  })

  it('is in the order of time', () => {
    for (const { faults: each } of plans) {
      const starts = each.map(({ atMs }) => atMs)
      expect(starts).toEqual([...starts].sort((a, b) => a - b))
    }
  })

  it('contains every kind of fault in some seeds, and leaves each out in others', () => {
    for (const kind of ['Partition', 'OneWayCut', 'Slow', 'BreakLinks', 'Crash']) {
      const having = plans.filter((plan) => plan.faults.some(({ type }) => type === kind))

      expect(having.length).toBeGreaterThan(30)
      expect(having.length).toBeLessThan(170)
    }
  })

  it('contains no other kinds than it was asked for', () => {
    const plan = faults.plan(new KeyedRandom(1), { nodes, kinds: ['Slow'], count: 20 })

    expect(plan.faults.map(({ type }) => type)).toEqual(Array.from({ length: 20 }, () => 'Slow'))
  })

  it('never has more than a minority down at a time', () => {
    for (let seed = 0; seed < 50; seed++) {
      const plan = faults.plan(new KeyedRandom(seed), { nodes, kinds: ['Crash'], count: 30 })
      for (const { atMs } of plan.faults) {
        const down = plan.faults.filter((each) => each.atMs <= atMs && atMs <= endOf(each))

        expect(down.length).toBeLessThanOrEqual(2)
      }
    }
  })

  it('divides all nodes in a partition, each into one part', () => {
    const groups = plans.flatMap((plan) =>
      plan.faults.flatMap((fault) => (fault.type === 'Partition' ? [fault.groups] : [])),
    )

    expect(groups.length).toBeGreaterThan(100)
    for (const each of groups) expect(each.flat().sort()).toEqual(nodes)
    expect(new Set(groups.map(({ length }) => length))).toEqual(new Set([2, 3]))
  })

  it('keeps its other faults when it is asked for one more', () => {
    const ten = faults.plan(new KeyedRandom(3), { nodes, kinds: ['Slow', 'OneWayCut'], count: 10 })
    const more = faults.plan(new KeyedRandom(3), { nodes, kinds: ['Slow', 'OneWayCut'], count: 11 })

    expect(more.faults).toEqual(expect.arrayContaining([...ten.faults]))
  })
})

describe('a play of faults', () => {
  const play = async (cluster: TestCluster, ...planned: readonly Fault[]): Promise<void> => {
    const plan: FaultPlan = { durationMs: 10_000, faults: planned }
    await cluster.run(faults.play(cluster, plan))
  }

  it('cuts and mends as planned', async () => {
    await using cluster = await TestCluster.start({ nodes: 2 })
    const { clock, network } = cluster
    const start = clock.now
    const isCutAt = async (atMs: number): Promise<boolean> => {
      await clock.advance(start + atMs - clock.now)
      return network.isCut('a', 'b')
    }

    const playing = play(cluster, {
      type: 'OneWayCut',
      atMs: 1_000,
      forMs: 2_000,
      from: 'a',
      to: 'b',
    })

    expect([
      await isCutAt(999),
      await isCutAt(1_001),
      await isCutAt(2_999),
      await isCutAt(3_001),
    ]).toEqual([false, true, true, false])
    await playing
    expect(clock.now - start).toBe(10_000)
  })

  it('crashes nodes and starts them again', async () => {
    await using cluster = await TestCluster.start({ nodes: 2 })
    const [, b] = cluster.nodes

    const playing = play(cluster, {
      type: 'Crash',
      atMs: 1_000,
      forMs: 500,
      node: 'b',
      losesDisk: false,
    })
    await cluster.clock.advance(1_200)
    const during = b.isRunning
    await playing

    expect(during).toBe(false)
    expect(b.incarnation).toBe(2)
  })

  it('starts nodes again that were downed by the others', async () => {
    await using cluster = await TestCluster.start({ nodes: 3 })
    const [a] = cluster.nodes
    await play(cluster)

    cluster.network.partition(['a'], ['b', 'c'])
    await cluster.clock.until(() => a.incarnation === 2)
    cluster.network.heal()

    await cluster.clock.until(() => cluster.isFormed())
  })

  it('ends with all healed and all running, whatever was planned', async () => {
    await using cluster = await TestCluster.start({ nodes: 2 })
    cluster.network.cutOneWay('b', 'a')
    cluster.nodes[0].crash()

    await play(cluster)

    expect(cluster.network.isCut('b', 'a')).toBe(false)
    expect(cluster.nodes.every(({ isRunning }) => isRunning)).toBe(true)
  })
})
