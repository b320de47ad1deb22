import { Behaviors } from '@troupe/actor'
import { type ClusterEvent, localClusterSettings } from '@troupe/cluster'
import { type SimulatedNode, TestCluster } from '@troupe/testkit/cluster'
import { describe, expect, it } from 'vitest'
import { speakerOn, watcherOn } from './watcher.ts'

/** The types of all events that a subscriber on `node` hears from now on, with the member's name. */
function eventsOn(node: SimulatedNode): string[] {
  const heard: string[] = []
  const subscriber = node.system.systemActorOf<ClusterEvent>(
    Behaviors.receive((event) => {
      heard.push('member' in event ? `${event.type} ${event.member.node.address[0]}` : event.type)
      return Behaviors.same
    }),
    'subscriber',
  )
  node.cluster.subscribe(subscriber)
  return heard
}

function membersOf(node: SimulatedNode): string {
  const letters = node.cluster.state.members.map(
    (member) => `${member.node.address[0]}:${member.status}`,
  )
  return letters.join(' ')
}

describe('joining', () => {
  it('takes a few seconds with the settings of production', async () => {
    await using cluster = await TestCluster.start({ nodes: 5 })

    expect(cluster.clock.now).toBeLessThan(6_000)
    for (const node of cluster.nodes) expect(membersOf(node)).toBe('a:Up b:Up c:Up d:Up e:Up')
    expect(cluster.nodes[3].cluster.state.leader?.address).toBe('a:2551')
  })

  it('waits for the first seed: nobody else starts a cluster', async () => {
    await using cluster = new TestCluster({ nodes: 3 })
    const [a, b, c] = cluster.nodes
    await Promise.all([b.start(), c.start()])
    await cluster.clock.advance('60s')
    expect([membersOf(b), membersOf(c)]).toEqual(['', ''])

    await a.start()
    await cluster.clock.until(() => cluster.isFormed(), '10s')

    expect(a.cluster.selfMember?.upNumber).toBe(1)
  })

  it('brings the first seed back into the cluster it once started', async () => {
    await using cluster = await TestCluster.start({ nodes: 3 })
    const [a, b] = cluster.nodes

    a.crash()
    await cluster.clock.until(() => b.cluster.state.members.length === 2)
    await a.start()
    await cluster.clock.until(() => cluster.isFormed(), '10s')

    expect(a.cluster.selfMember?.upNumber).toBe(4)
  })

  it('tells who is not let in for long why', async () => {
    await using cluster = new TestCluster({ nodes: 2 })
    const [, b] = cluster.nodes
    await b.start()

    const failure = cluster.run(
      b.cluster.whenUp({ timeoutMs: 5_000 }).catch((error: unknown) => error),
    )

    expect(await failure).toMatchObject({
      code: 'JOIN_TIMED_OUT',
      message: expect.stringMatching(
        /b:2551 is not a member after 5000 ms.*a:2551: .*refused/,
      ) as string,
    })
  })
})

describe('a subscriber', () => {
  it('hears the present state first and then what happens, in order', async () => {
    await using cluster = new TestCluster({ nodes: 2 })
    const [a, b] = cluster.nodes
    await a.start()
    await cluster.clock.advance('100ms')
    const heard = eventsOn(a)
    await b.start()
    await cluster.clock.until(() => cluster.isFormed())

    await b.stop()
    await cluster.clock.until(() => a.cluster.state.members.length === 1)
    await cluster.clock.settle()

    expect(heard).toEqual([
      'CurrentClusterState',
      'MemberJoined a',
      'LeaderChanged',
      'MemberUp a',
      'MemberJoined b',
      'MemberUp b',
      'MemberLeft b',
      'MemberExited b',
      'MemberRemoved b',
    ])
  })

  it('that has stopped is forgotten', async () => {
    await using cluster = await TestCluster.start({ nodes: 2 })
    const [a, b] = cluster.nodes
    const fleeting = a.system.systemActorOf<ClusterEvent>(
      Behaviors.receive(() => Behaviors.stopped),
      'fleeting',
    )
    a.cluster.subscribe(fleeting)
    await cluster.clock.advance('100ms')

    await b.stop()
    await cluster.clock.advance('10s')

    expect(a.system.deadLetters.total).toBe(0)
  })
})

describe('a node that crashes', () => {
  it('is unreachable, then down, then removed; with the settings of production within 30 s', async () => {
    await using cluster = await TestCluster.start({ nodes: 3 })
    const [a, b, c] = cluster.nodes
    const heard = eventsOn(a)
    await cluster.clock.advance('10s')
    const crashedAt = cluster.clock.now

    c.crash()
    await cluster.clock.until(() => a.cluster.state.unreachable.length === 1, '10s')
    expect(cluster.clock.now - crashedAt).toBeGreaterThan(4_000)
    await cluster.clock.until(() => a.cluster.state.members.length === 2, '30s')
    await cluster.clock.settle()

    expect(cluster.clock.now - crashedAt).toBeLessThan(30_000)
    expect(heard.slice(-3)).toEqual(['UnreachableMember c', 'MemberDowned c', 'MemberRemoved c'])
    await cluster.clock.until(() => membersOf(b) === 'a:Up b:Up', '5s')
  })

  it('and starts again replaces itself at once, whoever it was', async () => {
    await using cluster = await TestCluster.start({ nodes: 3 })

    for (const node of cluster.nodes.slice(0, 3)) {
      await cluster.clock.advance('10s')
      const crashedAt = cluster.clock.now
      await node.restart()
      await cluster.clock.until(() => cluster.isFormed(), '10s')
      expect(cluster.clock.now - crashedAt).toBeLessThan(6_000)
    }
  })
})

describe('a node whose membership fails', () => {
  it('ends, instead of answering heartbeats and taking part in nothing', async () => {
    await using cluster = await TestCluster.start({ nodes: 3 })
    const [a, b] = cluster.nodes

    const planted = {
      identity: 'planted',
      tellSystem: () => {},
      tell: () => {
        throw new Error('planted')
      },
    }
    b.cluster.subscribe(planted as never)
    await cluster.clock.until(() => !b.isRunning, '15s')

    await cluster.clock.until(() => membersOf(a) === 'a:Up c:Up', '60s')
  })
})

describe('a node that leaves', () => {
  it('goes within seconds, and nobody has to find it unreachable', async () => {
    await using cluster = await TestCluster.start({ nodes: 3 })
    const [a, , c] = cluster.nodes
    const heard = eventsOn(a)
    const leavesAt = cluster.clock.now

    await c.stop()
    await cluster.clock.until(() => a.cluster.state.members.length === 2, '5s')
    await cluster.clock.settle()

    expect(cluster.clock.now - leavesAt).toBeLessThan(8_000)
    expect(heard).not.toContain('UnreachableMember c')
    expect(heard.at(-1)).toBe('MemberRemoved c')
  })

  it('goes as fast if it is the leader, and the next one leads at once', async () => {
    await using cluster = await TestCluster.start({ nodes: 3, settings: localClusterSettings() })
    const [a, b, c] = cluster.nodes
    const heard = eventsOn(b)

    await a.stop()
    const endedAt = cluster.clock.now
    await cluster.clock.until(() => membersOf(b) === 'b:Up c:Up', '10s')
    await cluster.clock.settle()

    expect(cluster.clock.now - endedAt).toBeLessThan(1_500)
    expect(heard).not.toContain('UnreachableMember a')
    expect(c.cluster.state.leader?.address).toBe(b.address)
  })

  it('can be told to by any other node, and its system ends', async () => {
    await using cluster = await TestCluster.start({ nodes: 3 })
    const [a, b] = cluster.nodes

    a.cluster.leave(b.address)
    await cluster.clock.until(() => !b.isRunning, '15s')

    await cluster.clock.until(() => membersOf(a) === 'a:Up c:Up', '5s')
  })

  it('is heard to the end: what it said last arrives before its end is known', async () => {
    await using cluster = await TestCluster.start({ nodes: 3 })
    const [a, , c] = cluster.nodes
    const watcher = watcherOn(a)
    const speaker = speakerOn(c)
    watcher.watch(c.refFor(a, speaker))
    await cluster.clock.advance('1s')
    cluster.network.delay({ minMs: 200, meanExtraMs: 100 }, a, c)
    c.system.coordinatedShutdown.addTask('cluster-exiting-done', 'last words', () =>
      speaker.tell({ type: 'Say', texts: ['good', 'bye'], to: a.refFor(c, watcher.ref) }),
    )

    await c.stop()
    await cluster.clock.until(() => watcher.heard.length === 3, '10s')

    expect(watcher.heard).toEqual(['good', 'bye', 'end of troupe://c:2551/system/speaker'])
  })

  it.each([2, 3])('together with all %i others finds an end', async (nodes) => {
    await using cluster = await TestCluster.start({ nodes })
    const startedAt = cluster.clock.now

    await Promise.all(cluster.nodes.map((node) => node.stop()))

    expect(cluster.clock.now - startedAt).toBeLessThan(15_000)
  })
})

describe('a cut through the net', () => {
  it('that heals in time costs nobody his place', async () => {
    await using cluster = await TestCluster.start({ nodes: 5 })
    const [a, b, c, d, e] = cluster.nodes
    const watcher = watcherOn(a)
    watcher.watch(e.refFor(a, speakerOn(e)))
    await cluster.clock.advance('1s')

    cluster.network.partition([a, b, c], [d, e])
    await cluster.clock.advance('20s')
    expect(a.cluster.state.unreachable).toHaveLength(2)
    cluster.network.heal()
    await cluster.clock.until(() => cluster.isFormed(), '10s')
    await cluster.clock.advance('60s')

    expect(cluster.isFormed()).toBe(true)
    expect(watcher.heard).toEqual([])
  })

  it('that lasts ends the smaller side, and the larger one goes on without it', async () => {
    await using cluster = await TestCluster.start({ nodes: 5 })
    const [a, b, c, d, e] = cluster.nodes

    cluster.network.partition([a, b], [c, d, e])
    await cluster.clock.until(() => !a.isRunning && !b.isRunning, '60s')
    await cluster.clock.until(() => membersOf(c) === 'c:Up d:Up e:Up', '60s')

    await cluster.clock.until(() => membersOf(e) === membersOf(c), '5s')

    expect([c, d, e].map(({ isRunning }) => isRunning)).toEqual([true, true, true])
  })

  it('between two equal halves leaves the one with the lowest address', async () => {
    await using cluster = await TestCluster.start({ nodes: 4 })
    const [a, b, c, d] = cluster.nodes

    cluster.network.partition([b, c], [a, d])
    await cluster.clock.until(() => !b.isRunning && !c.isRunning, '60s')
    await cluster.clock.until(() => membersOf(a) === 'a:Up d:Up', '60s')
  })

  it('through one link only takes both its ends, and the others stay', async () => {
    await using cluster = await TestCluster.start({ nodes: 5 })
    const [a, b, c] = cluster.nodes

    cluster.network.partition([a], [b])
    await cluster.clock.until(() => !a.isRunning && !b.isRunning, '60s')

    await cluster.clock.until(() => membersOf(c) === 'c:Up d:Up e:Up', '60s')
  })

  it('is no way back for a node that was removed meanwhile: it is told, and stops', async () => {
    await using cluster = await TestCluster.start({
      nodes: 3,
      settings: { stableAfterMs: 300_000 },
    })
    const [a, b, c] = cluster.nodes
    cluster.network.partition([a, b], [c])
    await cluster.clock.until(() => a.cluster.state.unreachable.length === 1, '60s')
    a.cluster.down(c.address)
    await cluster.clock.until(() => membersOf(b) === 'a:Up b:Up', '60s')
    expect(c.isRunning).toBe(true)

    cluster.network.heal()
    await cluster.clock.until(() => !c.isRunning, '15s')

    expect(membersOf(a)).toBe('a:Up b:Up')
  })
})
