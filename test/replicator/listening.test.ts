import {
  type Change,
  GCounterKey,
  LWWMapKey,
  readLocal,
  Replicate,
  type SubscribeReply,
  writeLocal,
} from '@troupe/replicator'
import { GCounter, HybridClock, type LWWMap, type ReadonlyLWWMap } from '@troupe/crdt'
import { Behaviors } from '@troupe/actor'
import { describe, expect, it } from 'vitest'
import { dataOf, replicatedCluster } from './fixture.ts'

type Prices = ReadonlyLWWMap<string, number>
const Prices = LWWMapKey.create<string, number>('prices')
const Views = GCounterKey.create('views')

describe('a listener', () => {
  it('hears what is there at once, and then of each turn with changes once', async () => {
    await using cluster = await replicatedCluster()
    const [a, b] = cluster.nodes
    const heard: unknown[] = []
    void dataOf(b).update(Prices, (map) => map.put('apple', 1))
    const end = dataOf(b).subscribe(Prices, ({ key, value, changed }) =>
      heard.push([key.name, value.toJSON(), [...changed]]),
    )
    expect(heard).toEqual([['prices', { apple: 1 }, ['apple']]])
    await cluster.clock.advance('50ms')
    heard.length = 0
    void dataOf(a).update(Prices, (map) => map.put('pear', 2))
    void dataOf(a).update(Prices, (map) => map.put('plum', 3))
    void dataOf(a).update(Prices, (map) => map.remove('apple'))
    await cluster.clock.advance('50ms')

    expect(heard).toEqual([['prices', { pear: 2, plum: 3 }, ['pear', 'plum', 'apple']]])
    end()
    void dataOf(a).update(Prices, (map) => map.put('cherry', 4))
    await cluster.clock.advance('50ms')
    expect(heard).toHaveLength(1)
  })

  it('that fails keeps nobody else from hearing, nor from replicating', async () => {
    await using cluster = await replicatedCluster()
    const [a, b] = cluster.nodes
    let heard = 0
    dataOf(b).subscribe(Prices, () => {
      throw new Error('listener failed')
    })
    dataOf(b).subscribe(Prices, () => void heard++)
    for (const name of ['apple', 'pear']) {
      void dataOf(a).update(Prices, (map) => map.put(name, 1))
      await cluster.clock.advance('50ms')
    }

    expect(heard).toBe(2)
    expect(dataOf(b).read(Prices)?.size).toBe(2)
  })

  it('may write: others hear of it in the next turn', async () => {
    await using cluster = await replicatedCluster()
    const [a, b] = cluster.nodes
    dataOf(b).subscribe(Prices, () => {
      void dataOf(b).update(Views, (counter) => counter.increment())
    })
    const heard: number[] = []
    dataOf(b).subscribe(Views, ({ value }) => heard.push(value.value))
    void dataOf(a).update(Prices, (map) => map.put('apple', 1))
    await cluster.clock.advance('50ms')

    expect(heard).toEqual([1])
  })

  it('is told of a deletion when it asks for that', async () => {
    await using cluster = await replicatedCluster()
    const [a, b] = cluster.nodes
    const deleted: string[] = []
    dataOf(b).subscribe(Prices, () => {}, { onDeleted: (name) => deleted.push(name) })
    dataOf(b).subscribePrefix('pri', () => {}, { onDeleted: (name) => deleted.push(name) })
    void dataOf(a).delete(Prices)
    await cluster.clock.advance('50ms')

    expect(deleted).toEqual(['prices', 'prices'])
  })
})

describe('a listener to a prefix', () => {
  it('hears of all keys that begin with it, those included that are there already', async () => {
    await using cluster = await replicatedCluster()
    const [a, b] = cluster.nodes
    const put = (name: string) =>
      dataOf(a).update(LWWMapKey.create<string, number>(name), (map) => map.put('x', 1))
    void put('site-1|top|bucket-0')
    void put('other')
    await cluster.clock.advance('50ms')
    const heard: string[] = []
    const hear = ({ name, value, changed }: Change<Prices>) =>
      heard.push(`${name} ${value.get('x')} ${[...changed].join()}`)
    dataOf(b).subscribePrefix('site-1|', hear)
    expect(heard).toEqual(['site-1|top|bucket-0 1 x'])
    void put('site-1|side|bucket-3')
    void put('site-2|top|bucket-0')
    await cluster.clock.advance('50ms')

    expect(heard).toEqual(['site-1|top|bucket-0 1 x', 'site-1|side|bucket-3 1 x'])
  })
})

describe('a threshold read', () => {
  it('resolves when the value has passed, at once if it has already', async () => {
    await using cluster = await replicatedCluster()
    const [a, b] = cluster.nodes
    const passed = dataOf(b).whenReached(Views, ({ value }) => value >= 3, { timeoutMs: 60_000 })
    let isDone = false
    void passed.then(() => (isDone = true))
    for (const _ of [1, 2]) {
      void dataOf(a).update(Views, (counter) => counter.increment())
      await cluster.clock.advance('1s')
      expect(isDone).toBe(false)
    }
    void dataOf(a).update(Views, (counter) => counter.increment())

    expect((await cluster.run(passed)).value).toBe(3)
    const again = dataOf(b).whenReached(Views, ({ value }) => value >= 3, { timeoutMs: 1 })
    expect((await cluster.run(again)).value).toBe(3)
  })

  it('may wait for a value instead of a condition', async () => {
    await using cluster = await replicatedCluster()
    const [a, b] = cluster.nodes
    const threshold = GCounter.create(new HybridClock(dataOf(a).self, { wallMs: () => 1 }))
    threshold.increment(2)
    const passed = dataOf(b).whenReached(Views, threshold, { timeoutMs: 60_000 })
    void dataOf(b).update(Views, (counter) => counter.increment(5))
    await cluster.clock.advance('1s')
    void dataOf(a).update(Views, (counter) => counter.increment(2))

    expect((await cluster.run(passed)).value).toBe(7)
  })

  it('gives up after its time, when it is cancelled, and when the key is deleted', async () => {
    await using cluster = await replicatedCluster()
    const data = dataOf(cluster.nodes[0])
    const wait = (options: { timeoutMs: number; signal?: AbortSignal }) =>
      data
        .whenReached(Views, () => false, options)
        .then(
          () => 'reached',
          (error: unknown) => error,
        )
    const controller = new AbortController()
    const reason = new Error('not interested any more')
    const waits = [wait({ timeoutMs: 500 }), wait({ timeoutMs: 60_000, signal: controller.signal })]
    controller.abort(reason)
    const [late, cancelled] = await cluster.run(Promise.all(waits))
    expect(late).toMatchObject({ code: 'THRESHOLD_NOT_REACHED' })
    expect(cancelled).toBe(reason)
    const last = wait({ timeoutMs: 60_000 })
    void data.delete(Views)

    expect(await cluster.run(last)).toMatchObject({ code: 'KEY_DELETED' })
  })
})

describe('an actor', () => {
  type Reply = SubscribeReply<LWWMap<string, number>, Prices>

  it('subscribes, unsubscribes, and is forgotten when it stops', async () => {
    await using cluster = await replicatedCluster()
    const [a] = cluster.nodes
    const data = dataOf(a)
    const heard: string[] = []
    const listener = (name: string) =>
      a.system.systemActorOf(
        Behaviors.receive<Reply | 'Stop'>((message) => {
          if (message === 'Stop') return Behaviors.stopped
          heard.push(message.type === 'Changed' ? `${name} ${message.value.size}` : message.type)
          return Behaviors.same
        }),
        `listener-${name}`,
      )
    const put = async (key: string) => {
      await cluster.run(data.update(Prices, (map) => map.put(key, 1)))
      await cluster.clock.settle()
    }
    const [first, second] = [listener('first'), listener('second')]
    for (const ref of [first, second]) data.replicator.tell(Replicate.subscribe(Prices, ref))
    await put('apple')
    expect(heard).toEqual(['first 1', 'second 1'])
    data.replicator.tell(Replicate.unsubscribe(Prices, first))
    await put('pear')
    expect(heard.slice(2)).toEqual(['second 2'])
    second.tell('Stop')
    await cluster.clock.settle()
    const before = a.system.deadLetters.total
    await put('plum')

    expect(heard).toHaveLength(3)
    expect(a.system.deadLetters.total).toBe(before)
  })

  it('that subscribes to a key of another type hears nothing, and keeps nobody from hearing', async () => {
    await using cluster = await replicatedCluster()
    const [a] = cluster.nodes
    const data = dataOf(a)
    await cluster.run(data.update(Prices, (map) => map.put('apple', 1)))
    const heard: string[] = []
    const listener = a.system.systemActorOf(
      Behaviors.receive<{ type: string }>(({ type }) => {
        heard.push(type)
        return Behaviors.same
      }),
      'listener',
    )
    data.replicator.tell(Replicate.subscribe(GCounterKey.create('prices'), listener))
    await cluster.clock.settle()
    expect(heard).toEqual([])
    data.replicator.tell(Replicate.subscribe(Prices, listener))
    await cluster.clock.settle()

    expect(heard).toEqual(['Changed'])
  })

  it('updates, gets and deletes by messages, and gets the replies of the promises', async () => {
    await using cluster = await replicatedCluster()
    const { replicator } = dataOf(cluster.nodes[0])
    const asked = [
      replicator.ask<{ type: string }>(
        (replyTo) => Replicate.update(Prices, (map) => map.put('apple', 1), writeLocal, replyTo),
        { timeoutMs: 1_000 },
      ),
      replicator.ask<{ type: string }>((replyTo) => Replicate.get(Prices, readLocal, replyTo), {
        timeoutMs: 1_000,
      }),
      replicator.ask<{ type: string }>(
        (replyTo) =>
          Replicate.update(
            GCounterKey.create('prices'),
            (counter) => counter.increment(),
            writeLocal,
            replyTo,
          ),
        { timeoutMs: 1_000 },
      ),
      replicator.ask<{ type: string }>(
        (replyTo) => Replicate.get(GCounterKey.create('prices'), readLocal, replyTo),
        { timeoutMs: 1_000 },
      ),
      replicator.ask<{ type: string }>(
        (replyTo) => Replicate.delete(GCounterKey.create('prices'), writeLocal, replyTo),
        { timeoutMs: 1_000 },
      ),
      replicator.ask<{ type: string }>((replyTo) => Replicate.delete(Prices, writeLocal, replyTo), {
        timeoutMs: 1_000,
      }),
      replicator.ask<{ type: string }>((replyTo) => Replicate.get(Prices, readLocal, replyTo), {
        timeoutMs: 1_000,
      }),
    ]
    const replies = await cluster.run(Promise.all(asked))

    expect(replies.map(({ type }) => type)).toEqual([
      'UpdateSuccess',
      'GetSuccess',
      'ModifyFailure',
      'GetFailure',
      'ReplicationDeleteFailure',
      'DeleteSuccess',
      'DataDeleted',
    ])
  })
})
