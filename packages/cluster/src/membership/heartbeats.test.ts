import { describe, expect, it } from 'vitest'
import { nodeKey } from '../node-address.ts'
import { Heartbeats } from './heartbeats.ts'

const node = (name: string, uid = `uid-${name}`) => ({ address: `${name}:1`, uid })
const SETTINGS = {
  phiThreshold: 8,
  acceptablePauseMs: 3_000,
  heartbeatIntervalMs: 1_000,
  monitoredBy: 9,
}
const NOBODY: ReadonlySet<string> = new Set()

function monitor(names: readonly string[], monitoredBy = 9): Heartbeats {
  const heartbeats = new Heartbeats(node('self'), { ...SETTINGS, monitoredBy })
  heartbeats.membersChanged([node('self'), ...names.map((name) => node(name))], NOBODY, 0)
  return heartbeats
}

const addresses = (heartbeats: Heartbeats): readonly string[] =>
  heartbeats.watched.map(({ address }) => address).sort()

describe('the ring', () => {
  it('has everybody watch everybody in a small cluster, and nobody itself', () => {
    expect(addresses(monitor(['a', 'b', 'c']))).toEqual(['a:1', 'b:1', 'c:1'])
    expect(addresses(monitor([]))).toEqual([])
  })

  it('has every node watched by as many as it should be, however large the cluster', () => {
    const nodes = Array.from({ length: 50 }, (_, i) => node(`n${i}`))
    const watchers = new Map<string, number>()
    for (const self of nodes) {
      const heartbeats = new Heartbeats(self, { ...SETTINGS, monitoredBy: 5 })
      heartbeats.membersChanged(nodes, NOBODY, 0)
      for (const { address } of heartbeats.watched) {
        watchers.set(address, (watchers.get(address) ?? 0) + 1)
      }
    }

    expect(new Set(watchers.values())).toEqual(new Set([5]))
    expect(watchers.size).toBe(50)
  })

  it('watches unreachable nodes on the way in addition', () => {
    const heartbeats = monitor(['a', 'b', 'c', 'd', 'e', 'f'], 2)
    const before = heartbeats.watched

    const all = [node('self'), ...['a', 'b', 'c', 'd', 'e', 'f'].map((name) => node(name))]
    heartbeats.membersChanged(all, new Set(before.map(nodeKey)), 0)

    expect(heartbeats.watched).toHaveLength(4)
    expect(heartbeats.watched).toEqual(expect.arrayContaining([...before]))
  })

  it('goes on asking one that is suspected, even when others should do it now', () => {
    const heartbeats = monitor(['a', 'b', 'c', 'd'], 1)
    const [suspected] = heartbeats.watched
    if (suspected === undefined) throw new Error('somebody is watched')
    const all = ['self', 'a', 'b', 'c', 'd'].map((name) => node(name))
    heartbeats.tick(9_000)
    expect(heartbeats.check(9_000)).toEqual([{ node: suspected, isReachable: false }])

    heartbeats.membersChanged(all, new Set([nodeKey(suspected)]), 9_000)

    expect(heartbeats.watched).toContainEqual(suspected)
    expect(heartbeats.watched).toHaveLength(2)
  })

  it('forgets who is no member any more', () => {
    const heartbeats = monitor(['a', 'b'])

    heartbeats.membersChanged([node('self'), node('b')], NOBODY, 0)

    expect(addresses(heartbeats)).toEqual(['b:1'])
  })
})

describe('heartbeats', () => {
  /** Ticks and answers every second up to `until`. */
  function play(heartbeats: Heartbeats, until: number): void {
    for (let now = 1_000; now <= until; now += 1_000) {
      for (const each of heartbeats.tick(now).to) heartbeats.answered(each, now)
      expect(heartbeats.check(now)).toEqual([])
    }
  }

  it('report a silent node once, and once more when it answers again', () => {
    const heartbeats = monitor(['a'])
    play(heartbeats, 10_000)

    const reports: object[] = []
    for (let now = 11_000; now <= 20_000; now += 1_000) {
      heartbeats.tick(now)
      reports.push(...heartbeats.check(now))
    }
    heartbeats.answered(node('a'), 20_500)
    reports.push(...heartbeats.check(21_000), ...heartbeats.check(21_500))

    expect(reports).toEqual([
      { node: node('a'), isReachable: false },
      { node: node('a'), isReachable: true },
    ])
  })

  it('do not take the answer of another incarnation for an answer', () => {
    const heartbeats = monitor(['a'])
    play(heartbeats, 10_000)

    const reports: object[] = []
    for (let now = 11_000; now <= 20_000; now += 1_000) {
      heartbeats.tick(now)
      heartbeats.answered(node('a', 'another'), now)
      reports.push(...heartbeats.check(now))
    }

    expect(reports).toEqual([{ node: node('a'), isReachable: false }])
  })

  it('suspect nobody when it was we who stood still', () => {
    const heartbeats = monitor(['a', 'b'])
    play(heartbeats, 10_000)

    heartbeats.tick(40_000)

    expect(heartbeats.check(40_000)).toEqual([])
    for (let now = 41_000; now <= 43_000; now += 1_000) heartbeats.tick(now)
    expect(heartbeats.check(43_000)).toEqual([])
  })

  it('suspect one that is silent after our pause as well', () => {
    const heartbeats = monitor(['a'])
    play(heartbeats, 10_000)
    heartbeats.tick(40_000)

    const reports: object[] = []
    for (let now = 41_000; now <= 46_000; now += 1_000) {
      heartbeats.tick(now)
      reports.push(...heartbeats.check(now))
    }

    expect(reports).toEqual([{ node: node('a'), isReachable: false }])
  })
})
