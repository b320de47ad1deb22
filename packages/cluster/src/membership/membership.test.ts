import { describe, expect, it } from 'vitest'
import { nodeKey, type UniqueAddress } from '../node-address.ts'
import { emptyGossip } from './gossip.ts'
import { Membership, type MembershipEffect } from './membership.ts'
import type { MembershipMessage } from './messages.ts'

const TOMBSTONE_MS = 60_000

/** Membership machines that talk to each other in one queue; time and gossip happen when the test says so. */
class Town {
  readonly #machines = new Map<string, Membership>()
  readonly #queue: { from: UniqueAddress; to: UniqueAddress; message: MembershipMessage }[] = []
  readonly ended = new Map<string, string>()
  /** Pairs of addresses between which nothing gets through. */
  readonly cuts = new Set<string>()
  now = 0

  add(name: string, uid = `uid-${name}`): UniqueAddress {
    const node = { address: `${name}:1`, uid }
    this.#machines.set(nodeKey(node), new Membership(node, [name], TOMBSTONE_MS))
    return node
  }

  at(node: UniqueAddress): Membership {
    const machine = this.#machines.get(nodeKey(node))
    if (machine === undefined) throw new Error(`no machine for ${nodeKey(node)}`)
    return machine
  }

  /** The process ends without a word. */
  kill(node: UniqueAddress): void {
    this.#machines.delete(nodeKey(node))
  }

  do(node: UniqueAddress, step: (machine: Membership) => readonly MembershipEffect[]): void {
    this.#perform(node, step(this.at(node)))
    this.#deliver()
  }

  send(from: UniqueAddress, to: UniqueAddress, message: MembershipMessage): void {
    this.#queue.push({ from, to, message })
    this.#deliver()
  }

  /** Everybody gossips with everybody and whoever leads takes a step, `rounds` times. */
  rounds(rounds: number): void {
    for (let round = 0; round < rounds; round++) {
      for (const key of this.#machines.keys()) {
        const machine = this.#machines.get(key)
        if (machine === undefined) continue
        const node = { address: key.slice(0, 3), uid: key.slice(4) }
        for (const random of [0, 0.34, 0.67, 0.99]) {
          this.do(node, (each) => each.gossipTick(random))
        }
        this.do(node, (each) => each.leaderTick(this.now))
      }
      this.now += 1_000
    }
  }

  #perform(node: UniqueAddress, effects: readonly MembershipEffect[]): void {
    for (const effect of effects) {
      if (effect.type === 'Send')
        this.#queue.push({ from: node, to: effect.to, message: effect.message })
      if (effect.type === 'ShutDown') this.ended.set(nodeKey(node), effect.reason)
    }
  }

  #deliver(): void {
    for (let each = this.#queue.shift(); each !== undefined; each = this.#queue.shift()) {
      const { from, to, message } = each
      const machine = this.#machines.get(nodeKey(to))
      const isCut = this.cuts.has(`${from.address}${to.address}`)
      if (machine === undefined || isCut) continue
      this.#perform(to, machine.receive(from, message))
    }
  }

  cut(a: UniqueAddress, b: UniqueAddress): void {
    this.cuts.add(`${a.address}${b.address}`).add(`${b.address}${a.address}`)
  }

  /** First letter of each member's address, and its status. */
  statuses(node: UniqueAddress): Record<string, string> {
    const statuses: Record<string, string> = {}
    for (const { node: each, status } of this.at(node).gossip.members.values()) {
      statuses[each.address.slice(0, 1)] = status
    }
    return statuses
  }
}

/** A cluster of `names`, all Up for all. */
function town(names: string): { town: Town; nodes: readonly UniqueAddress[] } {
  const world = new Town()
  const nodes = names.split('').map((name) => world.add(name))
  const [first] = nodes
  if (first === undefined) throw new Error('a town of nobody')
  world.do(first, (machine) => machine.startCluster(0))
  for (const node of nodes.slice(1)) world.send(node, first, { type: 'Join', roles: [] })
  world.rounds(4)
  return { town: world, nodes }
}

function three(): { town: Town; a: UniqueAddress; b: UniqueAddress; c: UniqueAddress } {
  const { town: world, nodes } = town('abc')
  const [a, b, c] = nodes
  if (a === undefined || b === undefined || c === undefined) throw new Error('three nodes')
  return { town: world, a, b, c }
}

const ALL_UP = { a: 'Up', b: 'Up', c: 'Up' }

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

describe('gossip', () => {
  it('of strangers, of those we call unreachable, and without us in it is not listened to', () => {
    const { town: world, a, b, c } = three()
    const theirs = { ...world.at(b).gossip, members: new Map() }
    const stranger = { address: 'x:1', uid: 'uid-x' }

    expect(world.at(a).receive(stranger, { type: 'Gossip', gossip: world.at(b).gossip })).toEqual(
      [],
    )
    expect(world.at(a).receive(b, { type: 'Gossip', gossip: theirs })).toEqual([])
    world.do(a, (machine) => machine.observed(c, false))
    expect(world.at(a).receive(c, { type: 'Gossip', gossip: world.at(c).gossip })).toEqual([])
    expect(
      world.at(a).receive(c, { type: 'Status', version: emptyGossip.version, seen: new Set() }),
    ).toEqual([])
  })

  it('goes to those first who have not seen our view, and never to those we call unreachable', () => {
    const { town: world, a, b, c } = three()
    world.do(a, (machine) => machine.observed(c, false))

    for (const random of [0, 0.5, 0.99]) {
      expect(world.at(a).gossipTick(random)).toMatchObject([{ to: b }])
    }
  })

  it('is a mere status for those who have seen our view', () => {
    const { town: world, a } = three()

    expect(world.at(a).gossipTick(0)).toMatchObject([{ message: { type: 'Status' } }])
    world.do(a, (machine) => machine.leave('c:1'))
    expect(world.at(a).gossipTick(0)).toMatchObject([{ message: { type: 'Gossip' } }])
  })

  it('that brings nothing new is answered when the other side does not know that we have it', () => {
    const { town: world, a, b, c } = three()
    world.do(a, (machine) => machine.leave(a.address))
    const { gossip } = world.at(a)
    const fromC = { ...gossip, seen: new Set([nodeKey(a), nodeKey(c)]) }
    world.at(b).receive(c, { type: 'Gossip', gossip: fromC })

    const answers = world.at(b).receive(a, { type: 'Gossip', gossip })

    expect(answers.map((effect) => effect.type === 'Send' && effect.message)).toMatchObject([
      { type: 'Status', seen: new Set([a, b, c].map(nodeKey)) },
    ])
  })

  it('is urgent while few have seen the news, and while somebody is Down', () => {
    const { town: world, nodes } = town('abcde')
    const [a, b] = nodes
    if (a === undefined || b === undefined) throw new Error('five nodes')
    expect(world.at(a).isUrgent).toBe(false)

    const effects = world.at(a).leave('e:1')

    expect(effects).toMatchObject([{ type: 'Changed' }])
    expect(world.at(a).isUrgent).toBe(true)
    world.rounds(3)
    expect(world.at(a).isUrgent).toBe(false)
    world.do(a, (machine) => machine.down('d:1'))
    expect(world.at(a).isUrgent).toBe(true)
  })

  it('brings two sides together that have both changed something', () => {
    const { town: world, nodes } = town('abcd')
    const [a, b, c, d] = nodes
    if (a === undefined || b === undefined || c === undefined || d === undefined)
      throw new Error('four nodes')
    for (const left of [a, b]) for (const right of [c, d]) world.cut(left, right)
    world.do(a, (machine) => machine.observed(c, false))
    world.do(d, (machine) => machine.leave(d.address))
    world.rounds(2)

    world.cuts.clear()
    world.do(a, (machine) => machine.observed(c, true))
    world.rounds(6)

    for (const node of nodes) {
      expect(world.statuses(node)).toEqual({ a: 'Up', b: 'Up', c: 'Up', d: 'Exiting' })
    }
  })
})
