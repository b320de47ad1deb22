import { describe, expect, it } from 'vitest'
import { ShardedCluster } from './sharded-cluster.ts'

describe('passivation', { timeout: 30_000 }, () => {
  it('ends an entity that is idle, and the next message revives it', async () => {
    await using sharded = await ShardedCluster.start({ settings: { passivateAfterMs: 10_000 } })
    await sharded.where('a', '42')
    await sharded.cluster.clock.advance('9s')
    expect(sharded.log.liveOf('42')).toHaveLength(1)
    await sharded.cluster.clock.advance('5s')
    expect(sharded.log.liveOf('42')).toHaveLength(0)

    expect((await sharded.where('b', '42')).handled).toBe(1)
    expect(sharded.log.liveOf('42')).toHaveLength(1)
  })

  it('does not end an entity that is used', async () => {
    await using sharded = await ShardedCluster.start({ settings: { passivateAfterMs: 10_000 } })
    for (let i = 0; i < 10; i++) {
      await sharded.where('a', '42')
      await sharded.cluster.clock.advance('6s')
    }

    expect((await sharded.where('a', '42')).handled).toBe(11)
  })

  it('never happens by itself when it is switched off', async () => {
    await using sharded = await ShardedCluster.start({ settings: { passivateAfterMs: 0 } })
    await sharded.where('a', '42')
    await sharded.cluster.clock.advance('3m')

    expect(sharded.log.liveOf('42')).toHaveLength(1)
  })

  it('loses nothing and reorders nothing, whenever a message comes', async () => {
    await using sharded = await ShardedCluster.start()
    await sharded.where('a', '42')
    const senders = ['a', 'b', 'c'] as const
    for (let n = 1; n <= 60; n++) {
      for (const name of senders) sharded.ref(name, '42').tell({ type: 'Note', from: name, n })
      if (n % 5 === 0) sharded.ref('b', '42').tell({ type: 'Rest' })
      if (n % 3 === 0) await sharded.cluster.clock.advance(1)
    }
    await sharded.cluster.clock.advance('1s')

    const inOrder = Array.from({ length: 60 }, (_, i) => i + 1)
    for (const name of senders) expect(sharded.books.of('42', name)).toEqual(inOrder)
    expect(sharded.log.instances.length).toBeGreaterThan(5)
    expect(sharded.log.violations).toEqual([])
  })

  it('keeps what comes while an entity works on, up to the bound, and counts what does not fit', async () => {
    await using sharded = await ShardedCluster.start({ nodes: 1, settings: { bufferMax: 10 } })
    await sharded.where('a', '42')
    let finish: () => void = () => {}
    const until = new Promise<void>((resolve) => (finish = resolve))
    sharded.ref('a', '42').tell({ type: 'Work', until })
    sharded.ref('a', '42').tell({ type: 'Rest' })
    await sharded.cluster.clock.settle()
    finish()
    // The wish is in the region's mailbox; the entity is told to end once it is read.
    sharded.ref('a', '42').tell({ type: 'Work', until: new Promise(() => {}) })
    await sharded.cluster.clock.settle()
    for (let n = 1; n <= 15; n++) sharded.ref('a', '42').tell({ type: 'Note', from: 'a', n })
    await sharded.cluster.clock.settle()
    expect(sharded.on('a').state.keptMessages).toBe(10)
    expect(sharded.node('a').system.deadLetters.counts.get('ShardBufferFull')).toBe(5)

    await sharded.cluster.clock.advance('10s')

    expect(sharded.books.of('42', 'a')).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  })
})

describe('an entity with a stop message', { timeout: 30_000 }, () => {
  it('gets it last, and stops by itself', async () => {
    await using sharded = await ShardedCluster.start({
      settings: { passivateAfterMs: 10_000 },
      type: { stopMessage: { type: 'Close' } },
    })
    for (let n = 1; n <= 3; n++) sharded.ref('a', '42').tell({ type: 'Note', from: 'a', n })
    sharded.ref('a', '42').tell({ type: 'Rest' })
    sharded.ref('a', '42').tell({ type: 'Note', from: 'a', n: 4 })
    await sharded.cluster.clock.advance('1s')

    expect(sharded.books.of('42', 'a')).toEqual([1, 2, 3, 4])
    expect(sharded.log.violations).toEqual([])
  })

  it('that does not obey is stopped hard, and its successor gets what waited', async () => {
    await using sharded = await ShardedCluster.start({
      settings: { handOffTimeoutMs: 2_000 },
      type: { stopMessage: { type: 'Note', from: 'stop', n: 0 } },
    })
    await sharded.where('a', '42')
    sharded.ref('a', '42').tell({ type: 'Rest' })
    await sharded.cluster.clock.settle()
    await sharded.cluster.clock.advance(100)
    sharded.ref('a', '42').tell({ type: 'Note', from: 'a', n: 1 })
    await sharded.cluster.clock.advance('1s')
    expect(sharded.books.of('42', 'a')).toEqual([])

    await sharded.cluster.clock.advance('3s')

    expect(sharded.books.of('42', 'a')).toEqual([1])
    expect(sharded.log.violations).toEqual([])
  })
})
