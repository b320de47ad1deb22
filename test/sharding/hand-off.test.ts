import { describe, expect, it } from 'vitest'
import { ShardedCluster } from './sharded-cluster.ts'

const ids = Array.from({ length: 100 }, (_, i) => `account-${i}`)

/** Every node notes the next number at every entity, again and again, until told to end. */
class Writers {
  readonly #sharded: ShardedCluster
  readonly #entities: readonly string[]
  n = 0

  constructor(sharded: ShardedCluster, entities: readonly string[]) {
    this.#sharded = sharded
    this.#entities = entities
  }

  /** One round from each of the nodes. */
  write(names: readonly string[]): void {
    this.n++
    for (const id of this.#entities) {
      for (const name of names) {
        this.#sharded.ref(name, id).tell({ type: 'Note', from: name, n: this.n })
      }
    }
  }

  /** Whether everything of `name` was handled, each once, in order. */
  isComplete(name: string): boolean {
    return this.#entities.every((id) => {
      const numbers = this.#sharded.books.of(id, name)
      return numbers.length === this.n && numbers.every((n, i) => n === i + 1)
    })
  }
}

describe('when a node joins', { timeout: 30_000 }, () => {
  it('shards move to it until all have as many, and no message is lost, doubled or reordered', async () => {
    await using sharded = await ShardedCluster.start({ settings: { rebalanceMs: 1_000 } }, [
      'a',
      'b',
    ])
    const { clock } = sharded.cluster
    for (const id of ids) await sharded.where('a', id)
    expect(sharded.hosted['c']).toBeUndefined()

    await sharded.node('c').start()
    const writers = new Writers(sharded, ids.slice(0, 20))
    for (let i = 0; i < 160; i++) {
      writers.write(['a', 'b'])
      await clock.advance(60)
    }
    await clock.advance('2s')

    const counts = Object.values(sharded.hosted)
    expect(counts).toHaveLength(3)
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1)
    expect(writers.isComplete('a')).toBe(true)
    expect(writers.isComplete('b')).toBe(true)
    expect(sharded.log.violations).toEqual([])
    expect(sharded.drops).toEqual([])
  })

  it('nothing moves while a member cannot be reached', async () => {
    await using sharded = await ShardedCluster.start({ settings: { rebalanceMs: 500 } }, ['a', 'b'])
    await sharded.formed()
    for (const id of ids) await sharded.where('a', id)
    const before = sharded.hosted
    sharded.cluster.network.partition(['a'], ['b'])
    await sharded.cluster.clock.until(
      () => sharded.node('a').cluster.state.unreachable.length === 1,
      '10s',
    )
    await sharded.cluster.clock.advance('2s')

    expect(sharded.on('a').state.shards).toHaveLength(before['a'] ?? -1)
  })
})

describe('a hand-off', { timeout: 30_000 }, () => {
  it('waits for an entity that works, and keeps what comes meanwhile', async () => {
    await using sharded = await ShardedCluster.start()
    const { clock } = sharded.cluster
    const { node: home } = await sharded.where('a', '42')
    const other = home === 'a' ? 'b' : 'a'
    let finish: () => void = () => {}
    const until = new Promise<void>((resolve) => (finish = resolve))
    sharded.ref(home, '42').tell({ type: 'Work', until })
    await clock.settle()

    const leaving = sharded.node(home).stop()
    for (let n = 1; n <= 10; n++) {
      sharded.ref(other, '42').tell({ type: 'Note', from: other, n })
      await clock.advance(100)
    }
    expect(sharded.books.of('42', other)).toEqual([])
    finish()
    await sharded.cluster.run(leaving)
    await clock.advance('1s')

    expect(sharded.books.of('42', other)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(sharded.log.violations).toEqual([])
    expect(sharded.drops).toEqual([])
  })

  it('gives an entity its stop message behind everything else', async () => {
    await using sharded = await ShardedCluster.start({ type: { stopMessage: { type: 'Close' } } })
    const { clock } = sharded.cluster
    const { node: home } = await sharded.where('a', '42')
    const other = home === 'a' ? 'b' : 'a'
    for (let n = 1; n <= 50; n++) sharded.ref(other, '42').tell({ type: 'Note', from: other, n })
    const leaving = sharded.node(home).stop()
    for (let n = 51; n <= 60; n++) sharded.ref(other, '42').tell({ type: 'Note', from: other, n })
    await sharded.cluster.run(leaving)
    await clock.advance('1s')

    expect(sharded.books.of('42', other)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1))
    expect(sharded.log.violations).toEqual([])
  })

  it('keeps what waited for an entity that was ending already, in front of what comes later', async () => {
    await using sharded = await ShardedCluster.start()
    const { clock } = sharded.cluster
    const { node: home } = await sharded.where('a', '42')
    sharded.ref(home, '42').tell({ type: 'Rest' })
    let finish: () => void = () => {}
    sharded.ref(home, '42').tell({ type: 'Work', until: new Promise((r) => (finish = r)) })
    await clock.settle()
    const note = (n: number): void => sharded.ref(home, '42').tell({ type: 'Note', from: home, n })
    for (let n = 1; n <= 5; n++) note(n)
    await clock.settle()

    const leaving = sharded.node(home).stop()
    await clock.advance(200)
    for (let n = 6; n <= 10; n++) note(n)
    finish()
    await sharded.cluster.run(leaving)
    await clock.advance('1s')

    expect(sharded.books.of('42', home)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    expect(sharded.log.violations).toEqual([])
  })

  it('waits for the messages that are still under way on a slow link, so that none overtakes them', async () => {
    await using sharded = await ShardedCluster.start()
    const { clock, network } = sharded.cluster
    const id = '42'
    const { node: home } = await sharded.where('a', id)
    const [other = '', third = ''] = ['a', 'b', 'c'].filter((name) => name !== home)
    await sharded.where(other, id)
    network.delay({ minMs: 400, meanExtraMs: 1 }, other, home)

    const leaving = sharded.node(home).stop()
    for (let n = 1; n <= 100; n++) {
      for (const name of [other, third]) {
        sharded.ref(name, id).tell({ type: 'Note', from: name, n })
      }
      await clock.advance(20)
    }
    await sharded.cluster.run(leaving)
    await clock.advance('2s')

    const inOrder = Array.from({ length: 100 }, (_, i) => i + 1)
    expect(sharded.books.of(id, other)).toEqual(inOrder)
    expect(sharded.books.of(id, third)).toEqual(inOrder)
  })

  it('does not wait for ever for an entity that does not end: it is stopped hard', async () => {
    await using sharded = await ShardedCluster.start({
      settings: { handOffTimeoutMs: 1_000 },
      type: { stopMessage: { type: 'Note', from: 'stop', n: 0 } },
    })
    const { node: home } = await sharded.where('a', '42')
    const other = home === 'a' ? 'b' : 'a'
    const startedAt = sharded.cluster.world.now
    await sharded.cluster.run(sharded.node(home).stop())

    expect((await sharded.where(other, '42')).handled).toBe(1)
    expect(sharded.cluster.world.now - startedAt).toBeLessThan(8_000)
    expect(sharded.log.violations).toEqual([])
  })

  it('keeps messages up to the bound, and counts those that do not fit', async () => {
    await using sharded = await ShardedCluster.start({ settings: { bufferMax: 50 } })
    const { clock } = sharded.cluster
    const { node: home } = await sharded.where('a', '42')
    const other = home === 'a' ? 'b' : 'a'
    let finish: () => void = () => {}
    sharded.ref(home, '42').tell({ type: 'Work', until: new Promise((r) => (finish = r)) })
    const leaving = sharded.node(home).stop()
    await clock.advance(200)
    for (let n = 1; n <= 80; n++) sharded.ref(other, '42').tell({ type: 'Note', from: other, n })
    await clock.settle()

    expect(sharded.on(other).state.keptMessages).toBe(50)
    expect(sharded.node(other).system.deadLetters.counts.get('ShardBufferFull')).toBe(30)
    finish()
    await sharded.cluster.run(leaving)
    await clock.advance('1s')
    expect(sharded.books.of('42', other)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1))
  })
})

describe('when a node leaves', { timeout: 30_000 }, () => {
  it.each(['a', 'b'])('(%s) its shards have moved before, and nobody waits', async (leaver) => {
    await using sharded = await ShardedCluster.start()
    const { clock } = sharded.cluster
    const others = ['a', 'b', 'c'].filter((name) => name !== leaver)
    const entities = ids.slice(0, 60)
    for (const id of entities) await sharded.where('a', id)
    const writers = new Writers(sharded, entities)

    const leaving = sharded.node(leaver).stop()
    const step = async (): Promise<void> => {
      writers.write(others)
      await clock.advance(20)
    }
    for (let i = 0; i < 150; i++) await step()
    await sharded.cluster.run(leaving)
    await clock.advance('2s')

    for (const name of others) expect(writers.isComplete(name)).toBe(true)
    expect(sharded.log.violations).toEqual([])
    expect(sharded.drops).toEqual([])
  })

  it('two at once, the coordinator among them, leave in order too', async () => {
    await using sharded = await ShardedCluster.start()
    const entities = ids.slice(0, 60)
    for (const id of entities) await sharded.where('a', id)
    const startedAt = sharded.cluster.world.now

    await sharded.cluster.run(Promise.all([sharded.node('a').stop(), sharded.node('b').stop()]))
    const tookMs = sharded.cluster.world.now - startedAt
    for (const id of entities) await sharded.where('c', id, 3_000)

    expect(tookMs).toBeLessThan(10_000)
    expect(sharded.hosted).toEqual({ c: sharded.on('c').state.shards.length })
    expect(sharded.log.violations).toEqual([])
  })

  it.each(['0ms', '500ms', '2s'] as const)(
    'and the other two follow %s later, they do not wait for their time to be up',
    async (later) => {
      await using sharded = await ShardedCluster.start()
      for (const id of ids.slice(0, 60)) await sharded.where('a', id)
      await sharded.cluster.run(sharded.node('a').stop())
      await sharded.cluster.clock.advance(later)
      const startedAt = sharded.cluster.world.now

      await sharded.cluster.run(Promise.all([sharded.node('b').stop(), sharded.node('c').stop()]))

      // The coordinator that has left has to be removed first.
      expect(sharded.cluster.world.now - startedAt).toBeLessThan(5_000)
    },
  )

  it('all at once do not wait for each other', async () => {
    await using sharded = await ShardedCluster.start()
    for (const id of ids.slice(0, 60)) await sharded.where('a', id)
    const startedAt = sharded.cluster.world.now

    await sharded.cluster.run(Promise.all(sharded.cluster.nodes.map((node) => node.stop())))

    expect(sharded.cluster.world.now - startedAt).toBeLessThan(2_000)
    expect(sharded.cluster.nodes.every(({ isRunning }) => !isRunning)).toBe(true)
  })

  it('and nobody can take its shards, it does not wait', async () => {
    await using sharded = await ShardedCluster.start({ nodes: 2 })
    const { clock } = sharded.cluster
    for (const id of ids.slice(0, 20)) await sharded.where('a', id)
    sharded.node('b').crash()
    await clock.until(() => sharded.node('a').cluster.state.unreachable.length === 1, '10s')
    expect(sharded.on('a').state.shards.length).toBeGreaterThan(0)

    const leaving = sharded.node('a').stop()
    await clock.advance(500)

    expect(sharded.on('a').state.shards).toEqual([])
    await sharded.cluster.run(leaving)
  })

  it('the last one just goes', async () => {
    await using sharded = await ShardedCluster.start({ nodes: 1 })
    await sharded.where('a', '42')
    const startedAt = sharded.cluster.world.now

    await sharded.cluster.run(sharded.node('a').stop())

    expect(sharded.cluster.world.now - startedAt).toBeLessThan(1_000)
  })
})
