import type { ActorRef } from '@troupe/actor'
import { TestCluster } from '@troupe/testkit/cluster'
import { describe, expect, it } from 'vitest'
import { replacementInProgress } from './counter.ts'
import { speakerOn, watcherOn } from './watcher.ts'

describe('watching an actor of another node', () => {
  it('ends with its stop, after everything it said', async () => {
    await using cluster = await TestCluster.start({ nodes: 2 })
    const [a, b] = cluster.nodes
    const watcher = watcherOn(a)
    const speaker = b.refFor(a, speakerOn(b))
    const texts = Array.from({ length: 100 }, (_, number) => `${number}`)
    watcher.watch(speaker)
    cluster.network.delay({ minMs: 5, meanExtraMs: 50 })

    speaker.tell({ type: 'Say', texts, to: watcher.ref })
    speaker.tell({ type: 'Stop' })
    await cluster.clock.advance('5s')

    expect(watcher.heard).toEqual([...texts, 'end of troupe://b:2551/system/speaker'])
  })

  it('ends at once when it had stopped before', async () => {
    await using cluster = await TestCluster.start({ nodes: 2 })
    const [a, b] = cluster.nodes
    const watcher = watcherOn(a)
    const speaker = b.refFor(a, speakerOn(b))
    speaker.tell({ type: 'Stop' })
    await cluster.clock.advance('1s')

    watcher.watch(speaker)
    await cluster.clock.advance('100ms')

    expect(watcher.heard).toEqual(['end of troupe://b:2551/system/speaker'])
  })

  it('brings nothing after it was taken back', async () => {
    await using cluster = await TestCluster.start({ nodes: 2 })
    const [a, b] = cluster.nodes
    const watcher = watcherOn(a)
    const speaker = b.refFor(a, speakerOn(b))
    watcher.watch(speaker)
    await cluster.clock.advance('100ms')

    watcher.unwatch(speaker)
    speaker.tell({ type: 'Stop' })
    await cluster.clock.advance('5s')

    expect(watcher.heard).toEqual([])
  })

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'ends exactly once for each actor, however often links break meanwhile (seed %i)',
    async (seed) => {
      await using cluster = await TestCluster.start({ nodes: 2, seed })
      const [a, b] = cluster.nodes
      const random = cluster.random('breaks')
      const watcher = watcherOn(a)
      const speakers = Array.from({ length: 20 }, (_, i) => b.refFor(a, speakerOn(b, `s${i}`)))
      const breakSometimes = async (): Promise<void> => {
        await cluster.clock.advance(random.below(10))
        if (random.next() < 0.3) cluster.network.breakLinks(a, b)
      }

      for (const speaker of speakers) {
        watcher.watch(speaker)
        await breakSometimes()
      }
      for (const speaker of speakers) {
        speaker.tell({ type: 'Stop' })
        await breakSometimes()
      }
      await cluster.clock.advance('5s')
      // A Stop is a message of a user and may be lost with its link; whoever lives on is told again.
      for (const speaker of speakers) speaker.tell({ type: 'Stop' })
      await cluster.clock.advance('5s')

      const expected = speakers.map(({ path }) => `end of ${path}`)
      expect([...watcher.heard].sort()).toEqual([...expected].sort())
    },
  )

  it('ends when its node crashes: on its removal, and not when it is merely unreachable', async () => {
    await using cluster = await TestCluster.start({ nodes: 3 })
    const [a, , c] = cluster.nodes
    const watcher = watcherOn(a)
    watcher.watch(c.refFor(a, speakerOn(c)))
    await cluster.clock.advance('1s')

    c.crash()
    await cluster.clock.until(() => a.cluster.state.unreachable.length === 1)
    await cluster.clock.advance('10s')
    expect(watcher.heard).toEqual([])
    await cluster.clock.until(() => a.cluster.state.members.length === 2)
    await cluster.clock.settle()

    expect(watcher.heard).toEqual(['end of troupe://c:2551/system/speaker'])
  })

  it('ends when another incarnation starts in place of its node', async () => {
    await using cluster = await TestCluster.start({ nodes: 3 })
    const [a, , c] = cluster.nodes
    const watcher = watcherOn(a)
    watcher.watch(c.refFor(a, speakerOn(c)))
    await cluster.clock.advance('1s')

    await c.restart()
    await cluster.clock.until(() => cluster.isFormed(), '10s')

    expect(watcher.heard).toEqual(['end of troupe://c:2551/system/speaker'])
  })

  it('ends as soon as another incarnation has answered, even while the old one is a member', async () => {
    await using cluster = await replacementInProgress()
    const { a, before, watcher } = cluster
    expect(watcher.heard).toEqual(['end of troupe://c:2551/system/counter'])

    const late = watcherOn(a, 'late')
    late.watch(before.ref)
    await cluster.clock.settle()

    expect(late.heard).toEqual(watcher.heard)
    expect(watcher.heard).toHaveLength(1)
  })

  it('begins anew with the next incarnation of the watching node', async () => {
    await using cluster = await TestCluster.start({ nodes: 2 })
    const [a, b] = cluster.nodes
    const speakers = ['one', 'two'].map((name) => speakerOn(a, name))
    const first = watcherOn(b)
    for (const speaker of speakers) first.watch(a.refFor(b, speaker))
    await cluster.clock.advance('1s')
    await b.restart()
    await cluster.clock.until(() => cluster.isFormed())
    const second = watcherOn(b)
    for (const speaker of speakers) second.watch(a.refFor(b, speaker))
    await cluster.clock.advance('1s')

    for (const speaker of speakers) speaker.tell({ type: 'Stop' })
    await cluster.clock.advance('2s')

    expect(second.heard).toEqual(speakers.map(({ path }) => `end of troupe://a:2551${path}`))
    expect(first.heard).toEqual([])
  })

  it('is acknowledged in the end, also when an acknowledgement is lost with its link', async () => {
    await using cluster = await TestCluster.start({ nodes: 2 })
    const [a, b] = cluster.nodes
    const watcher = watcherOn(a)
    watcher.watch(b.refFor(a, speakerOn(b)))
    await cluster.clock.advance('100ms')
    expect(a.cluster.metrics.unacknowledged).toBe(0)
    cluster.network.delay({ minMs: 50, meanExtraMs: 0 }, a, b)

    for (let i = 0; i < 10; i++) {
      watcher.watch(b.refFor(a, speakerOn(b, `s${i}`)))
      // The watch has arrived by then, and its acknowledgement is under way.
      await cluster.clock.advance('60ms')
      cluster.network.breakLinks(b, a)
      await cluster.clock.advance('3s')
      expect(a.cluster.metrics.unacknowledged).toBe(0)
    }
  })

  it('ends at once when its node was removed before, also for a node that never knew it', async () => {
    await using cluster = await TestCluster.start({ nodes: 3 })
    const [a, b, c] = cluster.nodes
    const inC = speakerOn(c)
    const [fromA, fromB] = [c.refFor(a, inC), c.refFor(b, inC)]
    c.crash()
    await cluster.clock.until(() => a.cluster.state.members.length === 2)
    await b.restart()
    await cluster.clock.until(() => b.cluster.state.members.length === 2)
    const watcher = watcherOn(a)
    const stranger = watcherOn(b)
    const { node, localPath, uid } = fromB as unknown as Parts

    watcher.watch(fromA)
    stranger.watch(b.cluster.remoting.remoteRef(node, localPath, uid) as ActorRef<never>)
    await cluster.clock.settle()

    expect(watcher.heard).toEqual(['end of troupe://c:2551/system/speaker'])
    expect(stranger.heard).toEqual(watcher.heard)
  })

  it('leaves nothing behind at the watched actor when the node of the watcher is gone', async () => {
    await using cluster = await TestCluster.start({ nodes: 3 })
    const [a, , c] = cluster.nodes
    const speaker = speakerOn(a)
    const watcher = watcherOn(c)
    watcher.watch(a.refFor(c, speaker))
    await cluster.clock.advance('1s')
    c.crash()
    await cluster.clock.until(() => a.cluster.state.members.length === 2)

    speaker.tell({ type: 'Stop' })
    await cluster.clock.advance('1s')

    expect(a.system.deadLetters.total).toBe(0)
  })
})

interface Parts {
  readonly node: { readonly address: string; readonly uid: string }
  readonly localPath: string
  readonly uid: number
}
