import { type ActorRef, Behaviors } from '@troupe/actor'
import { type Protocol } from '@troupe/cluster/spi'
import { record, uint } from '@troupe/crdt/wire'
import { type SimulatedNode, TestCluster } from '@troupe/testkit/cluster'
import { describe, expect, it } from 'vitest'
import { speakerOn, watcherOn } from './watcher.ts'

/** Counts what it hears on `node`; `ref`: as `from` knows it. */
function counterOn(
  node: SimulatedNode,
  from: SimulatedNode,
): { readonly ref: ActorRef<{ readonly number: number }>; readonly numbers: number[] } {
  const numbers: number[] = []
  const counter = node.system.systemActorOf<{ readonly number: number }>(
    Behaviors.receive(({ number }) => {
      numbers.push(number)
      return Behaviors.same
    }),
    'counter',
  )
  return { ref: node.refFor(from, counter), numbers }
}

describe('messages to an actor of another node', () => {
  it('arrive in order and at most once, however often links break; what is lost is lost in a row', async () => {
    await using cluster = await TestCluster.start({ nodes: 2 })
    const [a, b] = cluster.nodes
    const { ref, numbers } = counterOn(b, a)
    const random = cluster.random('breaks')

    for (let number = 0; number < 2_000; number++) {
      ref.tell({ number })
      if (number % 10 === 0) await cluster.clock.advance(random.below(40))
      if (number % 200 === 199) cluster.network.breakLinks(a, b)
    }
    await cluster.clock.advance('5s')

    expect(numbers).toEqual([...new Set(numbers)].sort((x, y) => x - y))
    const gaps = numbers.filter((number, i) => i > 0 && number !== (numbers[i - 1] ?? 0) + 1)
    expect(gaps.length).toBeLessThanOrEqual(10)
    expect(numbers.length).toBeGreaterThan(1_000)
  })

  it('wait while the net is cut, up to a bound; the others are dead letters', async () => {
    await using cluster = await TestCluster.start({ nodes: 2, settings: { linkQueueMax: 100 } })
    const [a, b] = cluster.nodes
    const { ref, numbers } = counterOn(b, a)
    ref.tell({ number: 0 })
    await cluster.clock.advance('100ms')
    cluster.network.breakLinks(a, b)
    await cluster.clock.advance('100ms')
    cluster.network.partition([a], [b])

    for (let number = 1; number <= 250; number++) ref.tell({ number })
    expect(a.system.deadLetters.counts.get('LinkQueueFull')).toBe(150)
    expect(a.cluster.metrics.dropped.get('LinkQueueFull')).toBeGreaterThanOrEqual(150)
    cluster.network.heal()
    await cluster.clock.advance('8s')

    expect(numbers).toEqual(Array.from({ length: 101 }, (_, number) => number))
  })

  it('that nobody reads fill the link and the queue, and no more', async () => {
    const settings = { linkBufferBytesMax: 100_000, linkQueueMax: 50 }
    await using cluster = await TestCluster.start({ nodes: 2, settings })
    const [a, b] = cluster.nodes
    const { ref, numbers } = counterOn(b, a)
    ref.tell({ number: 0 })
    await cluster.clock.advance('1s')
    const before = a.cluster.metrics.bytesSent
    cluster.network.partition([a], [b])

    for (let number = 1; number <= 2_000; number++) {
      ref.tell({ number, padding: 'x'.repeat(1_000) } as { readonly number: number })
    }
    const { bytesSent, queued, dropped } = a.cluster.metrics
    expect(bytesSent - before).toBeLessThan(100_000 + 2 * 64 * 1_024)
    expect(queued).toBeGreaterThanOrEqual(50)
    expect(queued).toBeLessThan(60)
    expect(dropped.get('LinkQueueFull')).toBeGreaterThan(1_700)
    cluster.network.heal()
    await cluster.clock.advance('1s')

    expect(numbers.length).toBe(2_001 - (dropped.get('LinkQueueFull') ?? 0))
    expect(numbers).toEqual(Array.from(numbers, (_, i) => i))
  })

  it('do not reach the next incarnation of its node', async () => {
    await using cluster = await TestCluster.start({ nodes: 2 })
    const [a, b] = cluster.nodes
    const { ref } = counterOn(b, a)
    await b.restart()
    const after = counterOn(b, a)
    await cluster.clock.until(() => cluster.isFormed())

    ref.tell({ number: 1 })
    after.ref.tell({ number: 2 })
    await cluster.clock.advance('1s')

    expect(after.numbers).toEqual([2])
    expect(a.system.deadLetters.total).toBe(1)
  })

  it('are dead letters as soon as that incarnation has answered, even while the old one is a member', async () => {
    await using cluster = await replacementInProgress()
    const { a, before, after } = cluster

    before.ref.tell({ number: 1 })
    after.ref.tell({ number: 2 })
    await cluster.clock.advance('1s')

    expect(after.numbers).toEqual([2])
    expect([...a.system.deadLetters.counts]).toEqual([['NodeRestarted', 1]])
  })

  it('are dead letters there when the actor has stopped', async () => {
    await using cluster = await TestCluster.start({ nodes: 2 })
    const [a, b] = cluster.nodes
    const gone = b.refFor(a, speakerOn(b, 'gone'))
    gone.tell({ type: 'Stop' })
    await cluster.clock.advance('1s')

    gone.tell({ type: 'Stop' })
    await cluster.clock.advance('1s')

    expect([...b.system.deadLetters.counts]).toEqual([['ActorStopped', 1]])
  })
})

describe('messages of a service', () => {
  const protocol: Protocol<{ readonly number: number }> = {
    name: 'late',
    stream: 'ordinary',
    codec: () => record({ number: uint() }),
  }

  it('are counted while the other node does not speak the protocol, and arrive from then on', async () => {
    await using cluster = await TestCluster.start({ nodes: 2 })
    const [a, b] = cluster.nodes
    const heard: number[] = []
    const say = async (number: number): Promise<void> => {
      a.cluster.remoting.post(b.cluster.self, protocol, { number })
      await cluster.clock.advance('100ms')
    }

    await say(1)
    b.cluster.remoting.register(protocol, (_, { number }) => void heard.push(number))
    await say(2)
    await say(3)

    expect(heard).toEqual([2, 3])
    expect(b.cluster.metrics.dropped.get('UnknownProtocol')).toBe(1)
  })

  it('reach the service that registered last: one may stop and start again', async () => {
    await using cluster = await TestCluster.start({ nodes: 2 })
    const [a, b] = cluster.nodes
    const heard: string[] = []
    const serve = (by: string): void =>
      b.cluster.remoting.register(
        { ...protocol },
        (_, { number }) => void heard.push(`${by} ${number}`),
      )
    const say = async (number: number): Promise<void> => {
      a.cluster.remoting.post(b.cluster.self, protocol, { number })
      await cluster.clock.advance('100ms')
    }

    serve('first')
    await say(1)
    serve('second')
    await say(2)

    expect(heard).toEqual(['first 1', 'second 2'])
  })

  it('that make the service fail cost nobody but themselves', async () => {
    await using cluster = await TestCluster.start({ nodes: 2 })
    const [a, b] = cluster.nodes
    const heard: number[] = []
    b.cluster.remoting.register(protocol, (_, { number }) => {
      if (number === 1) throw new Error('planted')
      heard.push(number)
    })

    for (const number of [0, 1, 2]) a.cluster.remoting.post(b.cluster.self, protocol, { number })
    await cluster.clock.advance('100ms')

    expect(heard).toEqual([0, 2])
    expect(b.cluster.metrics.dropped.get('ServiceFailed')).toBe(1)
  })

  it('that cannot be sent in time expire, are counted, and are no dead letters when they are said again anyway', async () => {
    await using cluster = await TestCluster.start({ nodes: 2 })
    const [a, b] = cluster.nodes

    cluster.network.breakLinks(a, b)
    await cluster.clock.advance('100ms')
    cluster.network.partition([a], [b])
    await cluster.clock.advance('10s')

    expect(a.cluster.metrics.dropped.get('Expired')).toBeGreaterThan(0)
    expect(a.system.deadLetters.total).toBe(0)
  })
})

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
    const late = watcherOn(a, 'late')

    late.watch(before.ref)
    await cluster.clock.settle()

    expect(watcher.heard).toEqual(['end of troupe://c:2551/system/counter'])
    expect(late.heard).toEqual(watcher.heard)
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

/**
 * `c` was started again, and its new incarnation and `a` have met. The old one cannot be removed yet,
 * because `b` is cut off and has not agreed.
 */
async function replacementInProgress() {
  const cluster = await TestCluster.start({ nodes: 3, settings: { stableAfterMs: 600_000 } })
  const [a, b, c] = cluster.nodes
  const before = counterOn(c, a)
  const watcher = watcherOn(a)
  watcher.watch(before.ref)
  await cluster.clock.advance('1s')
  cluster.network.isolate(b, [a, c])
  await cluster.clock.until(() => a.cluster.state.unreachable.length === 1)
  await c.restart()
  const after = counterOn(c, a)
  await cluster.clock.advance('5s')
  expect(a.cluster.state.members.map(({ status }) => status)).toEqual(['Up', 'Up', 'Down'])
  return Object.assign(cluster, { a, before, after, watcher })
}

interface Parts {
  readonly node: { readonly address: string; readonly uid: string }
  readonly localPath: string
  readonly uid: number
}
