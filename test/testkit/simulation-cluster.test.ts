import { type ActorRef, type Behavior, Behaviors } from '@troupe/actor'
import { type SimulatedNode, TestCluster } from '@troupe/testkit/cluster'
import { describe, expect, it } from 'vitest'

type Greeting = { readonly type: 'Greet'; readonly replyTo: ActorRef<string> }

const greeter = (name: string): Behavior<Greeting> =>
  Behaviors.receive((message) => {
    message.replyTo.tell(`hello from ${name}`)
    return Behaviors.same
  })

/** Starts a greeter on each node, and remembers where it is. */
class Greeters {
  readonly #at = new Map<SimulatedNode, ActorRef<Greeting>>()
  readonly start = (node: SimulatedNode): void => {
    this.#at.set(node, node.system.systemActorOf(greeter(node.name), 'greeter'))
  }

  ask(from: SimulatedNode, to: SimulatedNode, timeoutMs = 1_000): Promise<string> {
    const ref = to.refFor(from, this.#at.get(to) as ActorRef<Greeting>)
    return ref.ask<string>((replyTo) => ({ type: 'Greet', replyTo }), { timeoutMs })
  }
}

describe('a test cluster', () => {
  it('forms within a few virtual seconds', async () => {
    await using cluster = await TestCluster.start({ nodes: 3 })

    expect(cluster.isFormed()).toBe(true)
    expect(cluster.clock.now).toBeLessThan(10_000)
  })

  it('answers an ask from another node', async () => {
    const greeters = new Greeters()
    await using cluster = await TestCluster.start({ nodes: 2, start: greeters.start })
    const [a, b] = cluster.nodes

    expect(await cluster.run(greeters.ask(a, b))).toBe('hello from b')
  })

  it('keeps what is sent into a partition until it is healed', async () => {
    const greeters = new Greeters()
    await using cluster = await TestCluster.start({ nodes: 2, start: greeters.start })
    const { clock, network } = cluster
    const [a, b] = cluster.nodes
    await cluster.run(greeters.ask(a, b))
    let answer: string | undefined

    network.partition([a], [b])
    void greeters.ask(a, b, 10_000).then((text) => (answer = text))
    await clock.advance('2s')
    const during = answer
    network.heal()
    await clock.advance('1s')

    expect(during).toBeUndefined()
    expect(answer).toBe('hello from b')
  })

  it('lets one direction through when only the other is cut', async () => {
    const got: string[] = []
    const listeners = new Map<string, ActorRef<string>>()
    const listener = Behaviors.receive<string>((text) => {
      got.push(text)
      return Behaviors.same
    })
    const start = (node: SimulatedNode): void =>
      void listeners.set(node.name, node.system.systemActorOf(listener, 'listener'))
    await using cluster = await TestCluster.start({ nodes: 2, start })
    const { clock, network } = cluster
    const [a, b] = cluster.nodes
    const toB = b.refFor(a, listeners.get('b') as ActorRef<string>)
    const toA = a.refFor(b, listeners.get('a') as ActorRef<string>)
    toB.tell('first to b')
    toA.tell('first to a')
    await clock.advance('1s')

    network.cutOneWay(a, b)
    toB.tell('second to b')
    toA.tell('second to a')
    await clock.advance('1s')

    expect(got.sort()).toEqual(['first to a', 'first to b', 'second to a'])
  })

  it('loses what was under way on a link that breaks, and opens another one', async () => {
    const greeters = new Greeters()
    await using cluster = await TestCluster.start({ nodes: 2, start: greeters.start })
    const [a, b] = cluster.nodes
    await cluster.run(greeters.ask(a, b))

    const lost = expect(cluster.run(greeters.ask(a, b, 500))).rejects.toThrow(/500/)
    await cluster.clock.settle()
    cluster.network.breakLinks(a, b)
    await lost
    await cluster.clock.advance('5s')

    expect(await cluster.run(greeters.ask(a, b))).toBe('hello from b')
  })

  it('downs the smaller side of a partition, and takes it back when it is started again', async () => {
    await using cluster = await TestCluster.start({ nodes: 3 })
    const { clock, network } = cluster
    const [a, b, c] = cluster.nodes

    network.partition([a], [b, c])
    await clock.until(() => b.cluster.state.members.length === 2)
    network.heal()
    await clock.until(() => !a.isRunning)
    await a.start()
    await clock.until(() => cluster.isFormed())

    expect(a.incarnation).toBe(2)
  })

  it('takes a crashed node back under a new incarnation as soon as it is restarted', async () => {
    await using cluster = await TestCluster.start({ nodes: 3 })
    const [, b] = cluster.nodes
    const before = b.cluster.self

    await b.restart()
    await cluster.clock.until(() => cluster.isFormed())

    expect(b.cluster.self).toMatchObject({ address: before.address })
    expect(b.cluster.self.uid).not.toBe(before.uid)
  })

  it('removes a node that is stopped without waiting for the failure detector', async () => {
    await using cluster = await TestCluster.start({ nodes: 3 })
    const { clock } = cluster
    const [a, , c] = cluster.nodes

    const stoppedAt = clock.now
    await c.stop()
    await clock.until(() => a.cluster.state.members.length === 2)

    expect(c.isRunning).toBe(false)
    expect(clock.now - stoppedAt).toBeLessThan(12_000)
  })

  it('may lose or keep what a crash met on its way to the disk, but never what was acknowledged', async () => {
    await using cluster = await TestCluster.start({ nodes: 1 })
    const [a] = cluster.nodes
    const outcomes = new Set<string>()

    for (let round = 0; round < 40; round++) {
      await cluster.run(a.disk.replace('safe', Uint8Array.of(round)))
      void a.disk.append('torn', Uint8Array.of(1, 2, 3))
      await a.restart()
      outcomes.add(String(await cluster.run(a.disk.read('torn'))))
      expect(await cluster.run(a.disk.read('safe'))).toEqual(Uint8Array.of(round))
      await cluster.run(a.disk.remove('torn'))
    }

    expect([...outcomes].toSorted()).toEqual(['', '1', '1,2', '1,2,3'])
  })

  it('never hears again of a process that crashed, not even that its questions timed out', async () => {
    const greeters = new Greeters()
    await using cluster = await TestCluster.start({ nodes: 2, start: greeters.start })
    const [a, b] = cluster.nodes
    let heard = false

    greeters
      .ask(a, b)
      .finally(() => (heard = true))
      .catch(() => undefined)
    a.crash()
    await cluster.clock.advance('10s')

    expect(heard).toBe(false)
  })

  it('keeps the disk of a node that crashes, unless it is lost with it', async () => {
    await using cluster = await TestCluster.start({ nodes: 2 })
    const [, b] = cluster.nodes
    await cluster.run(b.disk.replace('name', Uint8Array.of(7)))

    await b.restart()
    const kept = await cluster.run(b.disk.read('name'))
    await b.restart({ losesDisk: true })

    expect(kept).toEqual(Uint8Array.of(7))
    expect(await cluster.run(b.disk.read('name'))).toBeUndefined()
  })

  it('lets a process stand still: it answers late, but it answers', async () => {
    const greeters = new Greeters()
    await using cluster = await TestCluster.start({ nodes: 2, start: greeters.start })
    const { clock } = cluster
    const [a, b] = cluster.nodes
    let answeredAt: number | undefined

    const resume = b.pause()
    const pausedAt = clock.now
    void greeters.ask(a, b, 10_000).then(() => (answeredAt = clock.now))
    await clock.advance('2s')
    resume()
    await clock.advance('1s')

    expect(answeredAt).toBeGreaterThanOrEqual(pausedAt + 2_000)
    expect(answeredAt).toBeLessThan(pausedAt + 2_100)
  })

  it('has a process that stood still find the time gone and its timers due', async () => {
    await using cluster = await TestCluster.start({ nodes: 2 })
    const { clock } = cluster
    const [, b] = cluster.nodes
    const ticks: number[] = []
    const ticking = Behaviors.setup<'Tick'>((context) => {
      context.timers.startTimerAtFixedRate('tick', 'Tick', 100)
      return Behaviors.receive(() => {
        ticks.push(context.system.platform.clock.monotonicMs())
        return Behaviors.same
      })
    })
    b.system.systemActorOf(ticking, 'ticking')
    await clock.advance(250)
    const before = ticks.length

    const resume = b.pause()
    await clock.advance('3s')
    const during = ticks.length
    const resumedAt = clock.now
    resume()
    await clock.advance(50)

    expect([before, during]).toEqual([2, 2])
    expect(ticks[2]).toBe(resumedAt)
  })

  it('gives each machine a wall clock of its own', async () => {
    await using cluster = await TestCluster.start({ nodes: 2 })
    const [a, b] = cluster.nodes

    b.jumpWall(-90_000)

    const { clock } = a.system.platform
    expect(clock.wallMs() - b.system.platform.clock.wallMs()).toBe(90_000)
    expect(clock.monotonicMs()).toBe(b.system.platform.clock.monotonicMs())
  })
})

describe('what goes wrong in a test is told', () => {
  it('names the condition and who sees whom when a condition does not come true', async () => {
    await using cluster = await TestCluster.start({ nodes: 2 })

    const failure = cluster.clock.until(() => false, '5s', 'pigs that fly')

    await expect(failure).rejects.toThrow(
      'not within 5s of virtual time: pigs that fly (a sees a:2551 Up, b:2551 Up; b sees a:2551 Up, b:2551 Up)',
    )
  })

  it('refuses to look into a node that is down', async () => {
    await using cluster = await TestCluster.start({ nodes: 2 })
    const [, b] = cluster.nodes

    b.crash()

    expect(() => b.system).toThrow(expect.objectContaining({ code: 'NODE_IS_DOWN' }) as Error)
    expect(() => b.cluster).toThrow('node b is not running')
  })

  it('says so when somebody waits for what cannot happen', async () => {
    const cluster = new TestCluster({ nodes: 1 })

    const failure = cluster.run(new Promise<void>(() => {}))

    await expect(failure).rejects.toMatchObject({ code: 'NEVER_SETTLES' })
  })
})

describe('the real world', () => {
  const looksAtTheClock = Behaviors.receive<'Look'>(() => {
    void Date.now()
    return Behaviors.same
  })

  it('is out of reach for actors: the one that reads the real clock fails the test', async () => {
    await using cluster = await TestCluster.start({ nodes: 2 })
    const [a] = cluster.nodes

    a.system.systemActorOf(looksAtTheClock, 'clockwatcher').tell('Look')

    await expect(cluster.clock.advance('1s')).rejects.toThrow(
      'Date.now() was called in a simulated world',
    )
  })

  it.each<readonly [what: string, use: () => unknown]>([
    ['new Date()', () => new Date()],
    ['Math.random()', () => Math.random()],
    ['performance.now()', () => performance.now()],
    ['crypto.randomUUID()', () => crypto.randomUUID()],
    ['setTimeout()', () => setTimeout(() => {}, 0)],
    ['setImmediate()', () => setImmediate(() => {})],
  ])('%s fails while a world runs, and works before and after', async (what, use) => {
    const cluster = new TestCluster({ nodes: 1 })

    expect(use).not.toThrow()
    const failure = cluster.run(Promise.resolve().then(use))

    await expect(failure).rejects.toThrow(`${what} was called`)
    expect(use).not.toThrow()
  })

  it('leaves dates that are made from a number alone', async () => {
    const cluster = new TestCluster({ nodes: 1 })

    const date = await cluster.run(Promise.resolve().then(() => new Date(0)))

    expect(date).toBeInstanceOf(Date)
    expect(date.getTime()).toBe(0)
  })
})
