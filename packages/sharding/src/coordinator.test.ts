import type { UniqueAddress } from '@troupe/cluster'
import { nodeKey } from '@troupe/cluster/spi'
import { describe, expect, it } from 'vitest'
import { Coordinator, type HostsView } from './coordinator.ts'
import type { CoordinatorEffect, ShardHome } from './messages.ts'
import { firstEpochOf, type StoredHome } from './stored-homes.ts'

const a: UniqueAddress = { address: 'a:1', uid: 'A' }
const b: UniqueAddress = { address: 'b:1', uid: 'B' }
const c: UniqueAddress = { address: 'c:1', uid: 'C' }
const proxy: UniqueAddress = { address: 'p:1', uid: 'P' }

const settings = { shards: 10, hostsMin: 1, movesMax: 10, handOffTimeoutMs: 5_000 }
const OPENS_AT = 3_000

function hostsOf(
  nodes: readonly UniqueAddress[],
  options: { readonly unreachable?: readonly UniqueAddress[] } = {},
): HostsView {
  const up = nodes.map(nodeKey)
  const out = (options.unreachable ?? []).map(nodeKey)
  return {
    up: new Set(up),
    reachable: new Set(up.filter((key) => !out.includes(key))),
    isSettled: out.length === 0,
  }
}

/** What a coordinator does, as words: `b HostShard 3 @1`. Persisting is acknowledged at once unless held back. */
class Script {
  readonly coordinator: Coordinator
  readonly stored: { shard: number; home: ShardHome | undefined; epoch: number }[] = []
  holdsWrites = false
  #said: string[] = []

  constructor(
    options: {
      readonly stored?: ReadonlyMap<number, StoredHome>
      readonly term?: number
      readonly hostsMin?: number
    } = {},
  ) {
    this.coordinator = new Coordinator(
      options.stored ?? new Map(),
      { ...settings, hostsMin: options.hostsMin ?? 1 },
      { term: options.term ?? 1, opensAt: OPENS_AT },
    )
  }

  do(effects: readonly CoordinatorEffect[], now = 0): this {
    for (const effect of effects) {
      if (effect.type === 'Persist') {
        const { shard, home, epoch } = effect
        this.stored.push({ shard, home, epoch })
        this.#said.push(`store ${shard} ${home?.node.uid ?? 'nowhere'}`)
        if (!this.holdsWrites) this.do(this.coordinator.persisted(shard, home, now), now)
      } else if (effect.type === 'Log') this.#said.push(`log ${effect.phrase}`)
      else this.#said.push(`${effect.to.uid} ${wordsOf(effect.message)}`)
    }
    return this
  }

  /** Acknowledges the last write that was held back. */
  written(now = 0): this {
    const last = this.stored.at(-1)
    if (last === undefined) throw new Error('nothing was written')
    return this.do(this.coordinator.persisted(last.shard, last.home, now), now)
  }

  registered(
    node: UniqueAddress,
    options: {
      hosted?: [number, number][]
      isHosting?: boolean
      isLeaving?: boolean
      now?: number
    } = {},
  ): this {
    const { hosted = [], isHosting = true, isLeaving = false, now = 0 } = options
    const registration = { shards: 10, hosted: new Map(hosted), isHosting, isLeaving }
    return this.do(this.coordinator.registered(node, registration, now), now)
  }

  /** What it said since it was last asked. */
  get said(): readonly string[] {
    const said = this.#said
    this.#said = []
    return said
  }

  epochOf(shard: number): number {
    return this.coordinator.homes.get(shard)?.epoch ?? -1
  }
}

function wordsOf(message: (CoordinatorEffect & { type: 'Send' })['message']): string {
  switch (message.type) {
    case 'Home':
      return `Home ${message.shard} ${message.home.node.uid}`
    case 'HostShard':
    case 'HandOff':
    case 'BeginHandOff':
      return `${message.type} ${message.shard}`
    case 'Refused':
    case 'RegisterAck':
    case 'LeavingAck':
    case 'NobodyTakesOver':
      return message.type
    default:
      return message satisfies never
  }
}

/** A coordinator with the given nodes registered, all of them Up. */
function withNodes(...nodes: readonly UniqueAddress[]): Script {
  const script = new Script()
  script.do(script.coordinator.hostsChanged(hostsOf(nodes), 0))
  for (const node of nodes) script.registered(node)
  void script.said
  return script
}

describe('a shard without a home', () => {
  it('gets one when somebody asks, stored before anybody is told', () => {
    const script = withNodes(a, b)
    script.holdsWrites = true

    expect(script.do(script.coordinator.asked(b, 3)).said).toEqual(['store 3 A'])
    expect(script.written().said).toEqual(['A HostShard 3', 'B Home 3 A'])
  })

  it('gets one home however many ask while it is being stored', () => {
    const script = withNodes(a, b)
    script.holdsWrites = true
    script.do(script.coordinator.asked(b, 3))
    script.do(script.coordinator.asked(a, 3)).do(script.coordinator.asked(b, 3))

    expect(script.said).toEqual(['store 3 A'])
    expect(script.written().said).toEqual(['A HostShard 3', 'B Home 3 A', 'A Home 3 A'])
    expect(script.do(script.coordinator.asked(a, 3)).said).toEqual(['A Home 3 A'])
  })

  it('goes to the node with the fewest, counting homes that are being stored', () => {
    const script = withNodes(a, b)
    script.holdsWrites = true
    for (const shard of [1, 2, 3, 4]) script.do(script.coordinator.asked(a, shard))

    expect(script.said).toEqual(['store 1 A', 'store 2 B', 'store 3 A', 'store 4 B'])
  })

  it('never goes to a node that only routes, is unreachable, or leaves', () => {
    const script = withNodes(a, b, c)
    script.registered(proxy, { isHosting: false })
    script.do(script.coordinator.hostsChanged(hostsOf([a, b, c], { unreachable: [a] }), 0))
    script.do(script.coordinator.leaving(b, 0))
    void script.said
    for (const shard of [1, 2, 3]) script.do(script.coordinator.asked(proxy, shard))

    expect(script.said.filter((word) => word.startsWith('store'))).toEqual([
      'store 1 C',
      'store 2 C',
      'store 3 C',
    ])
  })

  it('waits until enough hosts are Up and have registered when the cluster is new', () => {
    const script = new Script({ hostsMin: 2 })
    script.do(script.coordinator.hostsChanged(hostsOf([a]), 0)).registered(a)
    script.do(script.coordinator.asked(a, 1)).do(script.coordinator.tick(60_000), 60_000)

    expect(script.said).toEqual(['A RegisterAck'])
    expect(script.registered(b, { now: 60_000 }).said).toEqual(['B RegisterAck'])
    script.do(script.coordinator.hostsChanged(hostsOf([a, b]), 0))
    expect(script.said).toContain('store 1 A')
  })

  it('is not given to a node whose region has not registered', () => {
    const script = withNodes(a)

    expect(script.do(script.coordinator.asked(b, 1)).said).toEqual([])
  })
})

describe('a successor', () => {
  const stored = new Map<number, StoredHome>([
    [1, { home: { node: b, epoch: 7 }, epoch: 7 }],
    [2, { home: undefined, epoch: 9 }],
  ])

  it('knows the homes of its predecessors at once, and gives new ones only when all nodes have reported', () => {
    const script = new Script({ stored, term: 2 })
    script.do(script.coordinator.hostsChanged(hostsOf([a, b]), 0)).registered(a)
    script.do(script.coordinator.asked(a, 1)).do(script.coordinator.asked(a, 5))

    expect(script.said).toEqual(['A RegisterAck', 'A Home 1 B'])
    expect(script.registered(b, { hosted: [[1, 7]] }).said).toContain('store 5 A')
  })

  it('does not wait for ever for a node that does not report', () => {
    const script = new Script({ stored, term: 2 })
    script.do(script.coordinator.hostsChanged(hostsOf([a, b]), 0)).registered(a)
    script.do(script.coordinator.asked(a, 5)).do(script.coordinator.tick(OPENS_AT - 1))

    expect(script.said).toEqual(['A RegisterAck'])
    expect(script.do(script.coordinator.tick(OPENS_AT), OPENS_AT).said).toContain('store 5 A')
  })

  it('has its epochs above all of its predecessors', () => {
    const script = new Script({ stored, term: 2 })
    script
      .do(script.coordinator.hostsChanged(hostsOf([a, b]), 0))
      .registered(a)
      .registered(b)
    script.do(script.coordinator.asked(a, 2))

    expect(script.epochOf(2)).toBeGreaterThanOrEqual(firstEpochOf(2))
  })

  it('has a region that lost its shard host it again', () => {
    const script = new Script({ stored })

    expect(script.registered(b).said).toEqual(['B RegisterAck', 'B HostShard 1'])
  })

  it('believes a region that knows of a later home than what was stored', () => {
    const script = new Script({ stored })
    script.do(script.coordinator.hostsChanged(hostsOf([b, c]), 0))
    script.registered(c, { hosted: [[1, 8]] }).registered(b)

    expect(script.said).toContain('store 1 C')
    expect(script.coordinator.homes.get(1)).toEqual({ node: c, epoch: 8 })
  })

  it('has a region stop what is not its own any more', () => {
    const script = new Script({ stored })

    expect(
      script.registered(c, {
        hosted: [
          [1, 6],
          [2, 9],
        ],
      }).said,
    ).toEqual(['C RegisterAck', 'C HandOff 1', 'C HandOff 2'])
  })

  it('lets nodes go that all leave, as it would if it had been there before', () => {
    const script = new Script({ stored, term: 2 })
    script.do(script.coordinator.hostsChanged(hostsOf([a, b]), 0))
    script.registered(a, { isLeaving: true })
    expect(script.said).toEqual(['A RegisterAck'])

    script.registered(b, { hosted: [[1, 7]], isLeaving: true })
    expect(script.said).toContain('B NobodyTakesOver')
  })

  it('finds the homes whose nodes are no members', () => {
    const script = new Script({ stored })

    expect(script.coordinator.homesWithout((node) => node.uid !== 'B')).toEqual([b])
  })
})

describe('a region', () => {
  it('with another number of shards is refused', () => {
    const { coordinator } = withNodes(a)
    const registration = { shards: 11, hosted: new Map(), isHosting: true, isLeaving: false }

    expect(coordinator.registered(b, registration, 0)).toEqual([
      { type: 'Send', to: b, message: { type: 'Refused', shards: 10 } },
    ])
  })
})

/** Shard 3 on a; b and the proxy are there too. */
function beforeMove(): Script {
  const script = withNodes(a)
  script.do(script.coordinator.asked(a, 3)).do(script.coordinator.asked(a, 4))
  script.registered(b).registered(proxy, { isHosting: false })
  script.do(script.coordinator.hostsChanged(hostsOf([a, b]), 0))
  void script.said
  return script
}

describe('a move', () => {
  it('waits for everybody, then for the old home, then stores the new one, then tells', () => {
    const script = beforeMove()

    script.do(script.coordinator.rebalance(0))
    expect(script.said).toEqual(['A BeginHandOff 3', 'B BeginHandOff 3', 'P BeginHandOff 3'])

    script.do(script.coordinator.asked(proxy, 3))
    script.do(script.coordinator.drained(a, 3)).do(script.coordinator.drained(b, 3))
    expect(script.said).toEqual([])

    script.do(script.coordinator.drained(proxy, 3))
    expect(script.said).toEqual(['A HandOff 3'])

    const before = script.epochOf(3)
    script.do(script.coordinator.stopped(a, 3, before))
    expect(script.said).toEqual(['store 3 B', 'B HostShard 3', 'P Home 3 B'])
    expect(script.epochOf(3)).toBeGreaterThan(before)
  })

  it('does not begin while another one is under way, or the cluster is not settled', () => {
    const script = beforeMove()
    script.do(script.coordinator.hostsChanged(hostsOf([a, b], { unreachable: [b] }), 0))
    expect(script.do(script.coordinator.rebalance(0)).said).toEqual([])

    script.do(script.coordinator.hostsChanged(hostsOf([a, b]), 0))
    expect(script.do(script.coordinator.rebalance(0)).said).toHaveLength(3)
    expect(script.do(script.coordinator.rebalance(0)).said).toEqual([])
  })

  it('reminds whoever has not answered, and goes on without those that stay silent', () => {
    const script = beforeMove()
    script.do(script.coordinator.rebalance(0))
    script.do(script.coordinator.drained(a, 3)).do(script.coordinator.drained(b, 3))
    void script.said

    expect(script.do(script.coordinator.tick(1_000)).said).toEqual(['P BeginHandOff 3'])
    expect(script.do(script.coordinator.tick(5_001)).said).toEqual([
      'log shard moves on without waiting for nodes that do not answer',
      'A HandOff 3',
    ])
    expect(script.do(script.coordinator.tick(6_000)).said).toEqual(['A HandOff 3'])
  })

  it('does not wait for a node that is gone', () => {
    const script = beforeMove()
    script.do(script.coordinator.rebalance(0))
    script.do(script.coordinator.drained(a, 3)).do(script.coordinator.drained(b, 3))
    void script.said

    expect(script.do(script.coordinator.removed(proxy, 0, 0)).said).toContain('A HandOff 3')
  })

  it('waits also for a region that registers meanwhile: it may have messages under way', () => {
    const script = beforeMove()
    script.do(script.coordinator.rebalance(0))
    script.registered(c, { isHosting: false })
    for (const node of [a, b, proxy]) script.do(script.coordinator.drained(node, 3))

    expect(script.said).not.toContain('A HandOff 3')
    expect(script.do(script.coordinator.drained(c, 3)).said).toEqual(['A HandOff 3'])
  })

  it('takes no word about an epoch that is not the present one', () => {
    const script = beforeMove()
    script.do(script.coordinator.rebalance(0))
    void script.said

    expect(script.do(script.coordinator.stopped(a, 3, script.epochOf(3) - 1)).said).toEqual([])
    expect(script.do(script.coordinator.stopped(b, 3, script.epochOf(3))).said).toEqual([])
  })

  it('of all shards of a leaving node leaves none behind', () => {
    const script = beforeMove()
    script.do(script.coordinator.leaving(a, 0))
    for (const shard of [3, 4]) {
      for (const node of [a, b, proxy]) script.do(script.coordinator.drained(node, shard))
      script.do(script.coordinator.stopped(a, shard, script.epochOf(shard)))
    }

    expect([...script.coordinator.homes.values()].map(({ node }) => node)).toEqual([b, b])
  })

  it('does not even begin when the home leaves before it was told: another one is found', () => {
    const script = withNodes(a, b)
    script.holdsWrites = true
    script.do(script.coordinator.asked(b, 3)).do(script.coordinator.leaving(a, 0))
    expect(script.said).toEqual(['store 3 A', 'A LeavingAck'])

    expect(script.written().said).toEqual(['store 3 B'])
    expect(script.written().said).toEqual(['B HostShard 3', 'B Home 3 B'])
  })

  it('to nobody is called off: whoever leaves is told when all others leave too', () => {
    const script = beforeMove()
    script.do(script.coordinator.leaving(a, 0))
    void script.said

    expect(script.do(script.coordinator.leaving(b, 0)).said).toEqual([
      'B LeavingAck',
      'A NobodyTakesOver',
      'B NobodyTakesOver',
    ])
  })
})

describe('a shard whose node was removed', () => {
  it('has no home before that node has certainly stopped', () => {
    const script = beforeMove()
    script.do(script.coordinator.removed(a, 20_000, 0))
    script.do(script.coordinator.asked(b, 3)).do(script.coordinator.tick(19_999))

    expect(script.said).toEqual([])
    expect(script.do(script.coordinator.tick(20_000)).said).toEqual([
      'store 3 B',
      'B HostShard 3',
      'B Home 3 B',
    ])
  })

  it('gets a new home at once when the node was replaced', () => {
    const script = beforeMove()
    script.do(script.coordinator.asked(b, 7))
    script.do(script.coordinator.removed(a, 0, 0)).do(script.coordinator.asked(b, 3))

    expect(script.said).toContain('B Home 3 B')
  })

  it('waits also when it ran there by what the region said, and that was not stored yet', () => {
    const script = withNodes(a, b)
    script.holdsWrites = true
    script.registered(a, { hosted: [[3, firstEpochOf(9)]] })
    script.do(script.coordinator.removed(a, 20_000, 0)).do(script.coordinator.asked(b, 3))
    script.do(script.coordinator.tick(19_999))
    expect(script.said.filter((word) => word.startsWith('store'))).toEqual(['store 3 A'])

    expect(script.do(script.coordinator.tick(20_000)).said).toEqual(['store 3 B'])
  })

  it('goes elsewhere at once when the node was removed before it was told', () => {
    const script = withNodes(a, b)
    script.holdsWrites = true
    script.do(script.coordinator.asked(b, 3))
    script.do(script.coordinator.removed(a, 20_000, 0))

    expect(script.said).toEqual(['store 3 A', 'store 3 B'])
    expect(script.written().said).toEqual(['B HostShard 3', 'B Home 3 B'])
  })

  it('ignores the late acknowledgement of a home that is not wanted any more', () => {
    const script = withNodes(a, b)
    script.holdsWrites = true
    script.do(script.coordinator.asked(b, 3))
    const [first] = script.stored
    script.do(script.coordinator.removed(a, 20_000, 0))
    void script.said

    expect(script.do(script.coordinator.persisted(3, first?.home, 0)).said).toEqual([])
  })
})

describe('a home that gives a shard up by itself', () => {
  it('is followed by a new one in a new epoch', () => {
    const script = beforeMove()
    const before = script.epochOf(3)
    script.do(script.coordinator.stopped(a, 3, before))

    expect(script.said[0]).toBe('store 3 B')
    expect(script.epochOf(3)).toBeGreaterThan(before)
  })
})
