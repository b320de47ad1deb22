import { describe, expect, it } from 'vitest'
import { ShardedCluster } from './sharded-cluster.ts'

const ids = Array.from({ length: 60 }, (_, i) => `account-${i}`)

/**
 * Asks all entities from `name`, as an application would: again when there is no answer within half a
 * second. Returns how long the slowest took, in virtual milliseconds.
 */
async function slowestAnswer(sharded: ShardedCluster, name: string): Promise<number> {
  const { world } = sharded.cluster
  const askedAt = world.now
  const ask = async (id: string): Promise<number> => {
    for (;;) {
      const reply = await sharded.where(name, id, 500).catch(() => undefined)
      if (reply !== undefined) return world.now - askedAt
      if (world.now - askedAt > 60_000) throw new Error(`${id} does not answer`)
    }
  }
  return Math.max(...(await sharded.cluster.run(Promise.all(ids.map(ask)))))
}

describe('after a crash', { timeout: 30_000 }, () => {
  it('the entities of the node live elsewhere once it is removed and has certainly stopped', async () => {
    await using sharded = await ShardedCluster.start()
    for (const id of ids) await sharded.where('a', id)
    sharded.node('b').crash()
    await sharded.cluster.clock.advance(500)

    const tookMs = await slowestAnswer(sharded, 'a')

    // Noticed after two to three seconds, removed three later, and three more for a split.
    expect(tookMs).toBeLessThan(11_000)
    expect(sharded.hosted['b']).toBeUndefined()
    expect(sharded.log.violations).toEqual([])
  })

  it('they are back within two seconds when the node starts again', async () => {
    await using sharded = await ShardedCluster.start()
    for (const id of ids) await sharded.where('a', id)
    await sharded.node('b').restart()

    expect(await slowestAnswer(sharded, 'c')).toBeLessThan(2_000)
    expect(sharded.log.violations).toEqual([])
  })

  it('of the coordinator, another one knows all homes, and gives new ones in later epochs', async () => {
    await using sharded = await ShardedCluster.start()
    const before = new Map<string, { node: string; epoch: number }>()
    for (const id of ids) before.set(id, await sharded.where('b', id))
    await sharded.node('a').restart()

    expect(await slowestAnswer(sharded, 'c')).toBeLessThan(3_000)
    for (const [id, { node, epoch }] of before) {
      const now = await sharded.where('c', id)
      if (node === 'a') expect(now.epoch).toBeGreaterThan(epoch)
      else expect(now).toMatchObject({ node, epoch })
    }
    expect(sharded.on('c').state.coordinator?.address).toBe('b:2551')
    expect(sharded.log.violations).toEqual([])
  })

  it('of the coordinator, entities elsewhere go on answering meanwhile', async () => {
    await using sharded = await ShardedCluster.start()
    const homes = new Map<string, string>()
    for (const id of ids) homes.set(id, (await sharded.where('b', id)).node)
    sharded.node('a').crash()

    for (const [id, node] of homes) {
      if (node === 'c') expect((await sharded.where('b', id, 100)).handled).toBe(2)
    }
  })

  it('every few seconds, of any node, answers still come within a few seconds', async () => {
    await using sharded = await ShardedCluster.start()
    const names = ['a', 'b', 'c']
    for (const id of ids) await sharded.where('a', id)
    const slowest: number[] = []
    for (let round = 0; round < 9; round++) {
      await sharded.node(names[round % 3] ?? 'a').restart()
      slowest.push(await slowestAnswer(sharded, names[(round + 1) % 3] ?? 'a'))
      await sharded.cluster.clock.advance('3s')
    }

    expect(Math.max(...slowest)).toBeLessThan(4_000)
    expect(sharded.log.violations).toEqual([])
  })

  it('of all nodes, the next cluster starts clean', async () => {
    await using sharded = await ShardedCluster.start()
    for (const id of ids) await sharded.where('a', id)
    for (const node of sharded.cluster.nodes) node.crash()
    await sharded.cluster.clock.advance('1s')
    await sharded.cluster.form()

    expect(await slowestAnswer(sharded, 'b')).toBeLessThan(3_000)
    for (const id of ids)
      expect(await sharded.where('a', id)).toMatchObject({ epoch: expect.any(Number) as number })
    expect(sharded.log.violations).toEqual([])
  })
})

describe('in a split', { timeout: 30_000 }, () => {
  it('the minority ends its entities before the majority starts them', async () => {
    await using sharded = await ShardedCluster.start({ nodes: 5 })
    const { clock, network } = sharded.cluster
    for (const id of ids) await sharded.where('a', id)
    network.partition(['a', 'b'], ['c', 'd', 'e'])
    await clock.advance(500)

    const tookMs = await slowestAnswer(sharded, 'd')

    expect(tookMs).toBeLessThan(12_000)
    expect(sharded.log.violations).toEqual([])
    for (const id of ids) {
      expect(sharded.log.liveOf(id).every(({ node }) => 'cde'.includes(node))).toBe(true)
    }
  })

  it('that is over soon nothing moves, and what waited arrives', async () => {
    await using sharded = await ShardedCluster.start()
    const { clock, network } = sharded.cluster
    for (const id of ids) await sharded.where('a', id)
    const before = sharded.log.instances.length
    network.partition(['a', 'b'], ['c'])
    await clock.advance('1s')
    for (const id of ids) sharded.ref('a', id).tell({ type: 'Note', from: 'a', n: 1 })
    await clock.advance('1s')
    network.heal()
    await clock.advance('2s')

    expect(sharded.log.instances).toHaveLength(before)
    for (const id of ids) expect(sharded.books.of(id, 'a')).toEqual([1])
  })

  it('a node of the minority ends its entities in time even if nobody is left to tell it', async () => {
    await using sharded = await ShardedCluster.start({ nodes: 5 })
    const { clock, network } = sharded.cluster
    for (const id of ids) await sharded.where('a', id)
    const onB = ids.filter((id) => sharded.log.liveOf(id)[0]?.node === 'b')
    network.partition(['a', 'b'], ['c', 'd', 'e'])
    // a, which decides for its side, dies just before it has; b has to notice that first, and to wait anew.
    await clock.advance('4.8s')
    sharded.node('a').crash()
    await slowestAnswer(sharded, 'd')

    expect(onB.length).toBeGreaterThan(0)
    expect(sharded.log.violations).toEqual([])
  })

  it('that heals before anybody is removed, entities that had to end start again', async () => {
    await using sharded = await ShardedCluster.start({ nodes: 5 })
    const { clock, network } = sharded.cluster
    for (const id of ids) await sharded.where('a', id)
    const onB = ids.filter((id) => sharded.log.liveOf(id)[0]?.node === 'b')
    // b sees nobody else for long enough, but nothing is ever stable enough for a decision.
    network.partition(['b'], ['a', 'c', 'd', 'e'])
    for (let i = 0; i < 4; i++) {
      await clock.advance('2s')
      network.partition(['b'], ['a', 'c', 'd'], ['e'])
      await clock.advance('2s')
      network.partition(['b'], ['a', 'c', 'd', 'e'])
    }
    await clock.advance('500ms')
    network.heal()

    expect(onB.length).toBeGreaterThan(0)
    expect(await slowestAnswer(sharded, 'd')).toBeLessThan(20_000)
    expect(sharded.log.violations).toEqual([])
  })
})
