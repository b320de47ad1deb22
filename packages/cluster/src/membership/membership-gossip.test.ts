import { describe, expect, it } from 'vitest'
import { nodeKey } from '../node-address.ts'
import { emptyGossip } from './gossip.ts'
import { three, town } from './membership-town.test-support.ts'

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
