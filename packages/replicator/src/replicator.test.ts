import type { TimerService, TimerTask } from '@troupe/actor'
import type { Member, MemberStatus, UniqueAddress } from '@troupe/cluster'
import { type Crdt, HybridClock } from '@troupe/crdt'
import { describe, expect, it } from 'vitest'
import { readMajority, writeAll, writeLocal, writeMajority, writeTo } from './consistency.ts'
import { GCounterKey, type Key, LWWMapKey, ORSetKey } from './key.ts'
import type { ReplicatorMessage } from './protocol.ts'
import { type ReadResult, Replicator, type WriteResult } from './replicator.ts'
import { replicatorSettings } from './settings.ts'

const Prices = LWWMapKey.create<string, number>('prices')
const Views = GCounterKey.create('views')
const timeoutMs = 800

/** One replicator with its mailbox and its timers in the hands of the test. */
class Node implements TimerService {
  readonly address: UniqueAddress
  readonly replicator: Replicator
  readonly sent: { readonly to: UniqueAddress; readonly message: ReplicatorMessage }[] = []
  readonly refused: string[] = []
  readonly #timers = new Map<TimerTask, number>()
  now = 0
  wantsFlush = false

  constructor(name: string, settings: Parameters<typeof replicatorSettings>[0] = {}) {
    this.address = { address: `${name}:1`, uid: name.toUpperCase() }
    this.replicator = new Replicator(
      {
        self: this.address,
        replica: new HybridClock(this.address.uid, { wallMs: () => 1_000_000 + this.now }),
        timers: this,
        now: () => this.now,
        below: () => 0,
        post: (to, message) => void this.sent.push({ to, message }),
        soon: () => void (this.wantsFlush = true),
        refused: (_from, key, reason) => void this.refused.push(`${key}: ${reason}`),
        listenerFailed: () => {},
      },
      replicatorSettings(settings),
    )
  }

  start(task: TimerTask, delayMs: number): void {
    this.#timers.set(task, this.now + delayMs)
  }

  cancel(task: TimerTask): void {
    this.#timers.delete(task)
  }

  advance(ms: number): void {
    this.now += ms
    for (const [task, dueAt] of this.#timers) {
      if (dueAt > this.now) continue
      this.#timers.delete(task)
      task.fire()
    }
  }

  flush(): void {
    this.wantsFlush = false
    this.replicator.flush()
  }

  types(): readonly string[] {
    return this.sent.map(({ to, message }) => `${message.type} to ${to.address[0]}`)
  }

  /** Writes, and returns where the outcome will be. */
  update<T extends Crdt, View>(
    key: Key<T, View>,
    modify: (value: T) => unknown,
    consistency: Parameters<Replicator['update']>[2] = writeLocal,
  ): WriteResult[] {
    const results: WriteResult[] = []
    const change = modify as (value: never) => unknown
    this.replicator.update(key, change, consistency, (result) => results.push(result))
    return results
  }

  put(name: string, value: number, consistency?: Parameters<Replicator['update']>[2]) {
    return this.update(Prices, (map) => map.put(name, value), consistency)
  }

  prices(): unknown {
    return this.replicator.table.find('prices')?.value?.toJSON()
  }
}

/** Several nodes that are members for each other; `deliver` carries what they say. */
class Nodes {
  readonly all: readonly Node[]
  /** Messages that get lost on the way. */
  loses: (from: Node, to: Node, message: ReplicatorMessage) => boolean = () => false

  constructor(names: string, settings?: Parameters<typeof replicatorSettings>[0]) {
    this.all = names.split('').map((name) => new Node(name, settings))
    this.members(this.all.map((node) => [node, 'Up']))
    this.deliver()
  }

  members(members: readonly (readonly [Node, MemberStatus])[]): void {
    const list = members.map(([{ address }, status]): Member => {
      return { node: address, status, roles: [], upNumber: 1, isReplaced: false }
    })
    for (const [{ replicator }] of members) replicator.membersChanged(list)
  }

  /** Carries messages and ends turns until there are no more. */
  deliver(): void {
    for (let isBusy = true; isBusy;) {
      isBusy = false
      for (const node of this.all) {
        if (node.wantsFlush) node.flush()
        for (const { to, message } of node.sent.splice(0)) {
          const target = this.all.find(({ address }) => address.uid === to.uid)
          if (target === undefined || this.loses(node, target, message)) continue
          target.replicator.receive(node.address, message)
          isBusy = true
        }
        isBusy ||= node.wantsFlush
      }
    }
  }

  advance(ms: number): void {
    for (const node of this.all) node.advance(ms)
    this.deliver()
  }

  areEqual(): boolean {
    const roots = this.all.map((node) => JSON.stringify(node.replicator.table.digests.root))
    return new Set(roots).size === 1
  }
}

function three(settings?: Parameters<typeof replicatorSettings>[0]) {
  const nodes = new Nodes('abc', settings)
  const [a, b, c] = nodes.all as [Node, Node, Node]
  return { nodes, a, b, c }
}

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
