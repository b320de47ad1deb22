import type { Member, UniqueAddress } from '@troupe/cluster'
import { readMajority, writeAll, writeLocal, writeMajority, writeTo } from '@troupe/replicator'
import { describe, expect, it } from 'vitest'
import type { ReplicatorMessage } from '../../packages/replicator/src/protocol.ts'
import type { ReadResult } from '../../packages/replicator/src/results.ts'
import { Node, Nodes, Prices, three, timeoutMs } from './machines.ts'

describe('a write', () => {
  it('goes to everybody at the end of the turn, all changes of the turn in one message each', () => {
    const { a } = three()
    a.put('apple', 1)
    a.put('pear', 2)
    expect(a.sent).toEqual([])
    a.flush()

    expect(a.types()).toEqual(['Delta to b', 'Delta to c'])
  })

  it('is not passed on by those who get it', () => {
    const { nodes, a, b } = three()
    a.put('apple', 1)
    a.flush()
    const said: string[] = []
    nodes.loses = (from, to, message) => {
      if (from === b) said.push(`${message.type} to ${to.address.address[0]}`)
      return false
    }
    nodes.deliver()

    expect(said).toEqual(['Ack to a'])
    expect(nodes.areEqual()).toBe(true)
  })

  it('to a majority is done when one of two others has it', () => {
    const { nodes, a, c } = three()
    nodes.loses = (from) => from === c
    const results = a.put('apple', 1, writeMajority({ timeoutMs }))
    expect(results).toEqual([])
    nodes.deliver()

    expect(results).toEqual([{ type: 'Success' }])
  })

  it('to all is not done while one has not got it', () => {
    const { nodes, a, c } = three()
    nodes.loses = (_from, to) => to === c
    const results = a.put('apple', 1, writeAll({ timeoutMs }))
    nodes.deliver()
    expect(results).toEqual([])
    nodes.advance(timeoutMs / 4)
    nodes.advance(timeoutMs / 4)
    nodes.advance(timeoutMs / 4)
    nodes.advance(timeoutMs / 4)

    expect(results).toEqual([{ type: 'Shortfall', reason: 'Timeout' }])
    expect(a.prices()).toEqual({ apple: 1 })
  })

  it('is asked for again after a quarter of its time', () => {
    const { nodes, a } = three()
    let isLossy = true
    nodes.loses = () => isLossy
    const results = a.put('apple', 1, writeAll({ timeoutMs }))
    nodes.deliver()
    isLossy = false
    nodes.advance(timeoutMs / 4 - 1)
    expect(results).toEqual([])
    nodes.advance(1)

    expect(results).toEqual([{ type: 'Success' }])
  })

  it('does not count an acknowledgement of something else of the same key', () => {
    const { nodes, a, b, c } = three()
    nodes.loses = (_from, to) => to === c
    a.put('apple', 1)
    a.flush()
    const [first] = a.sent.splice(0)
    const results = a.put('pear', 2, writeMajority({ timeoutMs }))
    b.replicator.receive(a.address, first?.message as ReplicatorMessage)
    b.flush()
    for (const { message } of b.sent.splice(0)) a.replicator.receive(b.address, message)

    expect(results).toEqual([])
  })

  it('does not count what a removed member acknowledged', () => {
    const { nodes, a, b, c } = three()
    nodes.loses = (_from, to) => to === c
    const results = a.put('apple', 1, writeAll({ timeoutMs }))
    nodes.deliver()
    nodes.members([
      [a, 'Up'],
      [b, 'Down'],
      [c, 'Up'],
    ])

    expect(results).toEqual([{ type: 'Shortfall', reason: 'NotEnoughReplicas' }])
  })

  it('to more nodes than there are fails at once, and spreads nevertheless', () => {
    const { nodes, a, b } = three()
    const results = a.put('apple', 1, writeTo(4, { timeoutMs }))

    expect(results).toEqual([{ type: 'Shortfall', reason: 'NotEnoughReplicas' }])
    nodes.deliver()
    expect(b.prices()).toEqual({ apple: 1 })
  })

  it('of a node alone is on a majority at once', () => {
    const [a] = new Nodes('a').all as [Node]

    expect(a.put('apple', 1, writeMajority({ timeoutMs }))).toEqual([{ type: 'Success' }])
  })

  it('of a node that is no member yet is on no majority', () => {
    const a = new Node('a')

    expect(a.put('apple', 1, writeMajority({ timeoutMs }))).toEqual([
      { type: 'Shortfall', reason: 'NotEnoughReplicas' },
    ])
  })

  it('that changes nothing sends nothing, and is done when the last one is', () => {
    const { nodes, a } = three()
    const first = a.put('apple', 1, writeLocal)
    const nothing = a.update(Prices, () => undefined, writeMajority({ timeoutMs }))
    expect([first, nothing]).toEqual([[{ type: 'Success' }], []])
    nodes.deliver()
    expect(nothing).toEqual([{ type: 'Success' }])
    const again = a.update(Prices, () => undefined, writeMajority({ timeoutMs }))

    expect(again).toEqual([{ type: 'Success' }])
    expect([a.sent, a.wantsFlush]).toEqual([[], false])
  })

  it('goes past what a node is behind with', () => {
    const { nodes, a, b } = three({ messageBytesMax: 2_000, windowBytes: 2_000 })
    nodes.loses = () => true
    for (let i = 0; i < 500; i++) a.put(`key-${i}`, i)
    nodes.deliver()
    a.put('urgent', 1, writeMajority({ timeoutMs }))
    nodes.loses = (_from, to, message) => to === b && message.type === 'Ack'
    nodes.deliver()

    expect(b.prices()).toEqual(expect.objectContaining({ urgent: 1 }))
    expect(b.prices()).not.toEqual(expect.objectContaining({ 'key-400': 400 }))
  })

  it('of a value in several messages arrives whole', () => {
    const { nodes, a, b } = three({ messageBytesMax: 1_000, windowBytes: 3_000 })
    const results = a.update(
      Prices,
      (map) => {
        for (let i = 0; i < 500; i++) map.put(`key-${i}`, i)
      },
      writeAll({ timeoutMs }),
    )
    nodes.deliver()

    expect(results).toEqual([{ type: 'Success' }])
    expect(Object.keys(b.prices() as object)).toHaveLength(500)
  })
})

describe('a read from a majority', () => {
  const read = (node: Node): ReadResult[] => {
    const results: ReadResult[] = []
    node.replicator.read(Prices, readMajority({ timeoutMs }), (result) => results.push(result))
    return results
  }

  it('brings here what others have', () => {
    const { nodes, a, b, c } = three({ messageBytesMax: 500 })
    nodes.loses = (from, _to, { type }) => type === 'Delta' || from === c
    for (let i = 0; i < 100; i++) a.put(`key-${i}`, i)
    nodes.deliver()
    const results = read(b)
    nodes.deliver()

    expect(results).toEqual([{ type: 'Success' }])
    expect(Object.keys(b.prices() as object)).toHaveLength(100)
  })

  it('does not take an answer for whole that has a hole', () => {
    const nodes = new Nodes('ab', { messageBytesMax: 500 })
    const [a, b] = nodes.all as [Node, Node]
    nodes.loses = (_from, _to, message) =>
      message.type === 'Delta' || (message.type === 'ReadPart' && message.part === 1)
    for (let i = 0; i < 100; i++) a.put(`key-${i}`, i)
    nodes.deliver()
    const results = read(b)
    nodes.deliver()
    expect(results).toEqual([])
    nodes.loses = (_from, _to, message) => message.type === 'Delta'
    nodes.advance(timeoutMs / 4)

    expect(results).toEqual([{ type: 'Success' }])
    expect(Object.keys(b.prices() as object)).toHaveLength(100)
  })

  it('gets no answer from a node that has not caught up', () => {
    const nodes = new Nodes('abc')
    const [a, b, c] = nodes.all as [Node, Node, Node]
    a.put('apple', 1)
    nodes.deliver()
    // b and c come back without their memory; c hears nothing yet.
    const fresh = new Node('c')
    fresh.replicator.membersChanged(
      [a, b, fresh].map(({ address }): Member => {
        return { node: address, status: 'Up', roles: [], upNumber: 1, isReplaced: false }
      }),
    )
    const question: ReplicatorMessage = {
      type: 'Read',
      id: 1,
      attempt: 1,
      name: 'prices',
      digest: { high: 0, low: 0 },
    }
    fresh.replicator.receive(a.address, question)
    expect(fresh.sent).toEqual([])
    fresh.replicator.receive(a.address, { type: 'Complete', number: 1 })
    fresh.replicator.receive(b.address, { type: 'Complete', number: 1 })
    fresh.replicator.receive(a.address, question)

    expect(fresh.types()).toEqual(['ReadAnswer to a'])
    expect(c.replicator.members.isComplete).toBe(true)
  })

  it('does not count what is here while this node has not caught up', () => {
    const { nodes, a, b } = three()
    const fresh = new Node('c')
    const others = [a, b].map(({ address }): Member => {
      return { node: address, status: 'Up', roles: [], upNumber: 1, isReplaced: false }
    })
    fresh.replicator.membersChanged([
      ...others,
      { node: fresh.address, status: 'Up', roles: [], upNumber: 1, isReplaced: false },
    ])
    const results = read(fresh)
    const [first, second] = fresh.sent
      .filter(({ message }) => message.type === 'Read')
      .map(({ to }) => to) as [UniqueAddress, UniqueAddress]
    fresh.replicator.receive(first, { type: 'ReadAnswer', id: 1, answer: 'Nothing' })
    expect(results).toEqual([])
    fresh.replicator.receive(second, { type: 'ReadAnswer', id: 1, answer: 'Nothing' })

    expect(results).toEqual([{ type: 'Success' }])
    nodes.deliver()
  })

  it('fails when too few answer in time', () => {
    const { nodes, b } = three()
    nodes.loses = () => true
    const results = read(b)
    for (let i = 0; i < 4; i++) nodes.advance(timeoutMs / 4)

    expect(results).toEqual([{ type: 'Shortfall', reason: 'Timeout' }])
  })
})
