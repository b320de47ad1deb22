import type { MemberStatus } from '@troupe/cluster'
import { type CrdtType, GCounter } from '@troupe/crdt'
import { GCounterKey, keyOf, ORSetKey, writeLocal, writeMajority } from '@troupe/replicator'
import { describe, expect, it } from 'vitest'
import type { ReplicatorMessage } from '../../packages/replicator/src/protocol.ts'
import type { WriteResult } from '../../packages/replicator/src/results.ts'
import { Node, Nodes, Prices, three, timeoutMs, Views } from './machines.ts'

describe('what gets lost', () => {
  it('is sent again until it is acknowledged', () => {
    const { nodes, a, b } = three()
    let left = 3
    nodes.loses = (_from, to, message) => to === b && message.type === 'Delta' && left-- > 0
    a.put('apple', 1)
    nodes.deliver()
    for (let i = 0; i < 20; i++) nodes.advance(250)

    expect(b.prices()).toEqual({ apple: 1 })
  })

  it('by a writer that is gone is found by comparing digests', () => {
    const { nodes, a, b, c } = three()
    nodes.loses = (from, to) => from === a && to === c
    a.put('apple', 1)
    a.update(Views, (counter) => counter.increment())
    nodes.deliver()
    nodes.members([
      [b, 'Up'],
      [c, 'Up'],
    ])
    nodes.advance(1_000)
    b.replicator.gossipTick()
    nodes.deliver()

    expect(c.prices()).toEqual({ apple: 1 })
    expect(b.replicator.repairedKeys).toBe(2)
  })

  it('is repaired both ways in one round, deletions included', () => {
    const nodes = new Nodes('ab')
    const [a, b] = nodes.all as [Node, Node]
    nodes.loses = () => true
    a.put('apple', 1)
    b.update(Views, (counter) => counter.increment())
    b.update(ORSetKey.create<string>('gone'), (set) => set.add('x'))
    b.replicator.delete(ORSetKey.create('gone'), writeLocal, () => {})
    nodes.deliver()
    // As if both had crashed with what they were about to send again.
    for (const node of nodes.all) node.replicator.membersChanged([])
    nodes.loses = (_from, _to, { type }) => type === 'Delta' || type === 'Deletion'
    nodes.members([
      [a, 'Up'],
      [b, 'Up'],
    ])
    nodes.deliver()
    nodes.loses = () => false
    nodes.advance(1_000)
    a.replicator.gossipTick()
    nodes.deliver()

    expect(nodes.areEqual()).toBe(true)
    expect(a.replicator.table.find('gone')?.isDeleted).toBe(true)
  })
})

it('what arrives while two replicas compare is not sent once more', () => {
  const nodes = new Nodes('ab')
  const [a, b] = nodes.all as [Node, Node]
  const late: ReplicatorMessage[] = []
  const said: string[] = []
  nodes.loses = (_from, _to, message) => {
    said.push(message.type)
    if (message.type === 'Differing') for (const each of late) a.replicator.receive(b.address, each)
    if (message.type === 'Delta') late.push(message)
    return message.type === 'Delta'
  }
  b.put('apple', 1)
  nodes.deliver()
  b.now += 200
  a.replicator.gossipTick()
  nodes.deliver()

  expect(said).toContain('Differing')
  expect(said).not.toContain('Wanted')
  expect([a.replicator.repairedKeys, b.replicator.repairedKeys]).toEqual([0, 0])
  expect(nodes.areEqual()).toBe(true)
})

it('replicas that agree exchange one number', () => {
  const { nodes, a } = three()
  for (let i = 0; i < 100; i++) a.put(`key-${i}`, i)
  nodes.deliver()
  const said: string[] = []
  nodes.loses = (_from, _to, { type }) => {
    said.push(type)
    return false
  }
  a.replicator.gossipTick()
  nodes.deliver()

  expect(said).toEqual(['Root'])
})

it('nobody compares with a node that is still being sent everything, and that node with nobody', () => {
  const nodes = new Nodes('ab', { messageBytesMax: 200, windowBytes: 200 })
  const [a, b] = nodes.all as [Node, Node]
  nodes.members([[a, 'Up']])
  for (let i = 0; i < 50; i++) a.put(`key-${i}`, i)
  nodes.deliver()
  const said: string[] = []
  let left = 6
  nodes.loses = (_from, _to, { type }) => {
    said.push(type)
    return type === 'Root' || left-- <= 0
  }
  const fresh = new Node('b')
  ;(nodes.all as Node[])[1] = fresh
  nodes.members([
    [a, 'Up'],
    [fresh, 'Up'],
  ])
  nodes.deliver()
  expect(fresh.replicator.members.isComplete).toBe(false)
  a.replicator.gossipTick()
  fresh.replicator.gossipTick()
  nodes.deliver()

  expect(said).toContain('Delta')
  expect(said).not.toContain('Root')
  expect(b.prices()).toBeUndefined()
})

it('a key that is changing just now is not repaired, but not for ever', () => {
  const nodes = new Nodes('ab')
  const [a, b] = nodes.all as [Node, Node]
  nodes.loses = (_from, _to, { type }) => type === 'Delta'
  const repairs: number[] = []
  for (let round = 0; round < 6; round++) {
    b.put('apple', round)
    nodes.deliver()
    a.replicator.gossipTick()
    nodes.deliver()
    repairs.push(a.replicator.repairedKeys + b.replicator.repairedKeys)
  }

  expect(repairs.slice(0, 4)).toEqual([0, 0, 0, 0])
  expect(repairs.at(-1)).toBeGreaterThan(0)
})

describe('a new node', () => {
  it('is sent everything, and told when it has it', () => {
    const nodes = new Nodes('ab', { messageBytesMax: 500, windowBytes: 1_000 })
    const [a, b] = nodes.all as [Node, Node]
    nodes.members([[a, 'Up']])
    for (let i = 0; i < 100; i++) a.put(`key-${i}`, i)
    a.update(Views, (counter) => counter.increment())
    const fresh = new Node('b')
    const members: readonly (readonly [Node, MemberStatus])[] = [
      [a, 'Up'],
      [fresh, 'Up'],
    ]
    ;(nodes.all as Node[])[1] = fresh
    nodes.members(members)
    expect(fresh.replicator.members.isComplete).toBe(false)
    nodes.deliver()

    expect(fresh.replicator.members.isComplete).toBe(true)
    expect(nodes.areEqual()).toBe(true)
    expect(b.prices()).toBeUndefined()
  })
})

describe('what cannot be taken', () => {
  it('is refused and counted, fails the write that waits for it, and harms no other key', () => {
    const nodes = new Nodes('ab')
    const [a, b] = nodes.all as [Node, Node]
    nodes.loses = () => true
    b.update(GCounterKey.create('prices'), (counter) => counter.increment())
    nodes.deliver()
    nodes.loses = (from, _to, { type }) => from === b && type === 'Delta'
    const results = a.put('apple', 1, writeMajority({ timeoutMs }))
    const fine = a.update(Views, (counter) => counter.increment(), writeMajority({ timeoutMs }))
    nodes.deliver()

    expect(results).toEqual([{ type: 'Shortfall', reason: 'NotEnoughReplicas' }])
    expect(fine).toEqual([{ type: 'Success' }])
    expect(b.refused).toEqual(['prices: OtherType'])
    expect(b.replicator.refusals.get('OtherType')).toBe(1)
  })

  it('is a value that cannot write itself, and all other keys go on', () => {
    const { nodes, a, b } = three()
    const broken: CrdtType<GCounter> = {
      typeName: 'Broken',
      create: (replica) =>
        Object.assign(GCounter.create(replica), {
          writeChanges: () => {
            throw new Error('cannot')
          },
        }),
    }
    a.update(keyOf<GCounter, GCounter>('broken', broken), (counter) => counter.increment())
    a.put('apple', 1)
    nodes.deliver()

    expect(b.prices()).toEqual({ apple: 1 })
    expect(a.refused).toEqual(['broken: NotEncodable', 'broken: NotEncodable'])
    expect(a.replicator.refusals.get('NotEncodable')).toBe(2)
    expect(a.replicator.isDrained).toBe(true)
  })

  it('is a message of somebody who is no member', () => {
    const { a } = three()
    const stranger = { address: 'x:1', uid: 'X' }
    a.replicator.receive(stranger, { type: 'Deletion', number: 1, name: 'prices' })

    expect(a.replicator.table.find('prices')).toBeUndefined()
    expect(a.replicator.refusals.get('UnknownNode')).toBe(1)
  })
})

it('a node that writes to a deleted key is told, and so deletes it too', () => {
  const nodes = new Nodes('ab')
  const [a, b] = nodes.all as [Node, Node]
  let isCut = true
  nodes.loses = () => isCut
  const deleted: WriteResult[] = []
  a.put('apple', 1)
  a.replicator.delete(Prices, writeLocal, (result) => deleted.push(result))
  nodes.deliver()
  b.put('pear', 2)
  isCut = false
  for (let i = 0; i < 20; i++) nodes.advance(250)

  expect(deleted).toEqual([{ type: 'Success' }])
  expect(b.replicator.table.find('prices')?.isDeleted).toBe(true)
  expect(b.put('plum', 3)).toEqual([{ type: 'Deleted' }])
  expect(nodes.areEqual()).toBe(true)
})
