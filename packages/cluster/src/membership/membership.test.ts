import { describe, expect, it } from 'vitest'
import { nodeKey, type UniqueAddress } from '../node-address.ts'
import { ALL_UP, three, TOMBSTONE_MS, Town } from './membership-town.test-support.ts'

describe('joining', () => {
  it('makes the one who starts a cluster Up at once, and the oldest', () => {
    const world = new Town()
    const a = world.add('a')

    world.do(a, (machine) => machine.startCluster(0))

    expect(world.at(a).selfMember).toMatchObject({ status: 'Up', upNumber: 1 })
  })

  it('makes everybody Up for everybody, each with an age of its own', () => {
    const { town: world, a, b, c } = three()

    for (const node of [a, b, c]) expect(world.statuses(node)).toEqual(ALL_UP)
    const ages = [...world.at(a).gossip.members.values()].map(({ upNumber }) => upNumber)
    expect(new Set(ages)).toEqual(new Set([1, 2, 3]))
  })

  it('is Joining until all members have seen it', () => {
    const { town: world, a, b } = three()
    const d = world.add('d')

    world.send(d, a, { type: 'Join', roles: [] })

    expect(world.statuses(a)['d']).toBe('Joining')
    world.do(a, (machine) => machine.leaderTick(0))
    expect(world.statuses(a)['d']).toBe('Joining')
    world.rounds(3)
    expect(world.statuses(b)['d']).toBe('Up')
  })

  it('answers a question for a cluster with yes only from inside', () => {
    const world = new Town()
    const [a, b] = [world.add('a'), world.add('b')]

    expect(world.at(a).receive(b, { type: 'InitJoin' })).toMatchObject([
      { message: { type: 'InitJoinNack' } },
    ])
    world.do(a, (machine) => machine.startCluster(0))
    expect(world.at(a).receive(b, { type: 'InitJoin' })).toMatchObject([
      { message: { type: 'InitJoinAck' } },
    ])
  })

  it('welcomes a member again that has not heard its welcome', () => {
    const { town: world, a, b } = three()

    expect(world.at(a).receive(b, { type: 'Join', roles: [] })).toMatchObject([
      { to: b, message: { type: 'Welcome' } },
    ])
  })

  it('is not possible through a node that is going itself', () => {
    const { town: world, a, b } = three()
    const d = world.add('d')
    world.do(a, (machine) => machine.leave(b.address))
    world.rounds(3)

    expect(world.statuses(b)['b']).toBe('Exiting')
    expect(world.at(b).receive(d, { type: 'Join', roles: [] })).toEqual([])
  })

  it('begins anew when the one who let a node in has gone without telling anybody', () => {
    const { town: world, a, b, c } = three()
    const d = world.add('d')
    world.cut(c, a)
    world.cut(c, b)
    world.send(d, c, { type: 'Join', roles: [] })
    world.kill(c)
    for (const node of [a, b]) world.do(node, (machine) => machine.observed(c, false))
    world.do(a, (machine) => machine.down(c.address))
    world.rounds(3)
    expect(world.statuses(d)).toEqual({ ...ALL_UP, d: 'Joining' })

    world.send(d, a, { type: 'Join', roles: [] })
    world.rounds(3)

    for (const node of [a, b, d])
      expect(world.statuses(node)).toEqual({ a: 'Up', b: 'Up', d: 'Up' })
  })
})

describe('a node that starts again at its address', () => {
  it('replaces its predecessor, without anybody having to find it unreachable first', () => {
    const { town: world, a, b, c } = three()
    world.kill(c)
    const again = world.add('c', 'uid-again')

    world.send(again, a, { type: 'Join', roles: [] })
    expect(world.at(a).gossip.members.get(nodeKey(c))).toMatchObject({
      status: 'Down',
      isReplaced: true,
    })
    world.rounds(2)
    expect(world.at(b).gossip.members.has(nodeKey(c))).toBe(false)

    world.send(again, a, { type: 'Join', roles: [] })
    world.rounds(3)
    expect(world.statuses(b)).toEqual(ALL_UP)
    expect(world.at(b).gossip.members.get(nodeKey(again))?.status).toBe('Up')
  })

  it('is never in the view together with its predecessor, if both are Up', () => {
    const { town: world, a, c } = three()
    world.kill(c)
    const again = world.add('c', 'uid-again')

    for (let i = 0; i < 5; i++) {
      world.send(again, a, { type: 'Join', roles: [] })
      world.rounds(1)
      const there = [...world.at(a).gossip.members.values()].filter(
        ({ node, status }) => node.address === 'c:1' && status === 'Up',
      )
      expect(there.length).toBeLessThanOrEqual(1)
    }
    expect(world.at(a).gossip.members.get(nodeKey(again))?.status).toBe('Up')
  })
})

describe('those who are Joining when the last one who is Up dies', () => {
  it('do not let in each other: two of them could do so at once. They end', () => {
    const world = new Town()
    const [a, b, c] = [world.add('a'), world.add('b'), world.add('c')]
    world.do(c, (machine) => machine.startCluster(0))
    world.send(b, c, { type: 'Join', roles: [] })
    world.send(a, c, { type: 'Join', roles: [] })
    world.kill(c)

    for (const node of [a, b]) {
      world.do(node, (machine) => machine.observed(c, false))
      world.do(node, (machine) => machine.leaderTick(0))
      expect(world.statuses(node)[node.address.slice(0, 1)]).toBe('Joining')
      expect(world.ended.size).toBe(0)
    }
    for (const node of [a, b]) {
      world.do(node, (machine) => machine.down(c.address))
    }
    for (const node of [a, b]) {
      world.do(node, (machine) => machine.leaderTick(0))
    }

    expect([...world.ended.values()]).toEqual(['removed', 'removed'])
  })
})

describe("two incarnations of a node, let in by members that do not know of each other's", () => {
  const doubled = () => {
    const { town: world, a, b, c } = three()
    const first = world.add('d', 'uid-first')
    const second = world.add('d', 'uid-second')
    world.cut(b, a)
    world.cut(b, c)
    world.send(first, b, { type: 'Join', roles: [] })
    world.kill(first)
    world.send(second, a, { type: 'Join', roles: [] })
    world.cuts.clear()
    return { world, a, b, c, first, second }
  }
  const status = (world: Town, at: UniqueAddress, of: UniqueAddress) =>
    world.at(at).gossip.members.get(nodeKey(of))?.status

  it('are never both Up', () => {
    const { world, a, b, c, first, second } = doubled()
    world.kill(second)

    world.rounds(5)

    for (const node of [a, b, c]) {
      expect([status(world, node, first), status(world, node, second)]).toEqual([
        'Joining',
        'Joining',
      ])
    }
  })

  it('become one as soon as the one that lives hears of the other', () => {
    const { world, a, b, c, first, second } = doubled()

    world.rounds(5)

    for (const node of [a, b, c, second]) {
      expect(status(world, node, first)).toBeUndefined()
      expect(status(world, node, second)).toBe('Up')
    }
  })

  it('are told apart when one of them is downed', () => {
    const { world, a, first, second } = doubled()
    world.kill(second)
    world.rounds(1)

    world.do(a, (machine) => machine.down(second.address, second.uid))

    expect([status(world, a, first), status(world, a, second)]).toEqual(['Joining', 'Down'])
  })
})

describe('leaving', () => {
  it('goes through Leaving and Exiting, and ends when the node says that it is done', () => {
    const { town: world, a, b, c } = three()
    world.do(c, (machine) => machine.leave(c.address))
    world.rounds(3)
    expect(world.statuses(a)['c']).toBe('Exiting')
    world.rounds(5)
    expect(world.statuses(a)['c']).toBe('Exiting')

    world.do(c, (machine) => machine.exitingDone())
    world.rounds(2)

    for (const node of [a, b]) expect(world.statuses(node)).toEqual({ a: 'Up', b: 'Up' })
  })

  it('tells the one who leaves at once that it may go', () => {
    const { town: world, a, c } = three()
    world.do(c, (machine) => machine.leave(c.address))
    world.rounds(1)
    while (world.statuses(a)['c'] !== 'Exiting') world.rounds(1)

    expect(world.statuses(c)['c']).toBe('Exiting')
  })

  it('works for the leader, and the next one removes it', () => {
    const { town: world, a, b, c } = three()
    world.do(a, (machine) => machine.leave(a.address))
    world.rounds(3)
    expect(world.statuses(b)['a']).toBe('Exiting')
    expect(world.at(b).leader).toEqual(b)

    world.do(a, (machine) => machine.exitingDone())
    world.rounds(2)

    for (const node of [b, c]) expect(world.statuses(node)).toEqual({ b: 'Up', c: 'Up' })
  })

  it('of the leader is known to those who lead next as soon as the leader knows', () => {
    const { town: world, a, b, c } = three()
    allKnowThatItLeaves(world, a)

    world.do(a, (machine) => machine.leaderTick(world.now))

    for (const node of [b, c]) expect(world.statuses(node)['a']).toBe('Exiting')
  })

  it('of the leader is known at its end at the latest: nobody has to find it unreachable', () => {
    const { town: world, a, b, c } = three()
    allKnowThatItLeaves(world, a)
    world.cut(a, b)
    world.cut(a, c)
    world.do(a, (machine) => machine.leaderTick(world.now))
    world.cuts.clear()
    expect([a, b].map((node) => world.statuses(node)['a'])).toEqual(['Exiting', 'Leaving'])

    world.do(a, (machine) => machine.exitingDone())
    world.kill(a)
    world.rounds(2)

    for (const node of [b, c]) expect(world.statuses(node)).toEqual({ b: 'Up', c: 'Up' })
  })
})

/** The leader is Leaving for everybody, and has not yet taken the step that makes it Exiting. */
function allKnowThatItLeaves(world: Town, leader: UniqueAddress): void {
  world.do(leader, (machine) => machine.leave(leader.address))
  for (const random of [0, 0.5, 0.99]) world.do(leader, (machine) => machine.gossipTick(random))
  expect(world.at(leader).isConverged).toBe(true)
}

describe('downing', () => {
  it('tells the downed, who stops', () => {
    const { town: world, a, c } = three()

    world.do(a, (machine) => machine.down(c.address))

    expect(world.ended.get(nodeKey(c))).toBe('downed')
  })

  it('removes a dead node once all who are left have seen that it is Down', () => {
    const { town: world, a, b, c } = three()
    world.kill(c)
    for (const node of [a, b]) world.do(node, (machine) => machine.observed(c, false))
    world.rounds(3)
    expect(world.statuses(a)).toEqual(ALL_UP)

    world.do(a, (machine) => machine.down(c.address))
    world.rounds(2)

    for (const node of [a, b]) expect(world.statuses(node)).toEqual({ a: 'Up', b: 'Up' })
  })

  it('stops all other steps while somebody is unreachable', () => {
    const { town: world, a, b, c } = three()
    const d = world.add('d')
    for (const node of [a, b]) world.do(node, (machine) => machine.observed(c, false))
    world.send(d, a, { type: 'Join', roles: [] })
    world.rounds(5)
    expect(world.statuses(b)['d']).toBe('Joining')

    for (const node of [a, b]) world.do(node, (machine) => machine.observed(c, true))
    world.rounds(3)

    expect(world.statuses(b)['d']).toBe('Up')
  })

  it('is final: old gossip does not bring a removed node back, nor can it join again', () => {
    const { town: world, a, b, c } = three()
    const old = world.at(b).gossip
    world.kill(c)
    world.do(a, (machine) => machine.observed(c, false))
    world.do(a, (machine) => machine.down(c.address))
    world.rounds(3)
    expect(world.statuses(a)).toEqual({ a: 'Up', b: 'Up' })

    world.send(b, a, { type: 'Gossip', gossip: old })
    world.send(c, a, { type: 'Join', roles: [] })
    world.rounds(2)

    expect(world.statuses(a)).toEqual({ a: 'Up', b: 'Up' })
  })

  it('is forgotten after a day, with its tombstone', () => {
    const { town: world, a, b, c } = three()
    world.kill(c)
    world.do(a, (machine) => machine.observed(c, false))
    world.do(a, (machine) => machine.down(c.address))
    world.rounds(3)
    expect(world.at(b).gossip.tombstones.size).toBe(1)

    world.now += TOMBSTONE_MS
    world.rounds(2)

    expect(world.at(a).gossip.tombstones.size).toBe(0)
    expect(world.at(b).gossip.tombstones.size).toBe(0)
  })

  it('is believed when a member says on its link that we were removed, and nobody else', () => {
    const { town: world, a, b } = three()
    const stranger = { address: 'x:1', uid: 'uid-x' }

    expect(world.at(a).toldRemoved(stranger)).toEqual([])
    expect(world.at(a).toldRemoved(b)).toEqual([{ type: 'ShutDown', reason: 'removed' }])
    expect(world.at(a).toldRemoved(b)).toEqual([])
  })
})
