import { type Protocol } from '@troupe/cluster/spi'
import { record, uint } from '@troupe/crdt/wire'
import { TestCluster } from '@troupe/testkit/cluster'
import { describe, expect, it } from 'vitest'
import { counterOn, replacementInProgress } from './counter.ts'
import { speakerOn } from './watcher.ts'

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
