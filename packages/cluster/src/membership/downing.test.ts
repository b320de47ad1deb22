import { describe, expect, it } from 'vitest'
import { nodeKey } from '../node-address.ts'
import { Downing, keepMajority } from './downing.ts'
import { emptyGossip, type Gossip } from './gossip.ts'
import { type Member, type MemberStatus } from './member.ts'
import { Reachability } from './reachability.ts'

const node = (name: string) => ({ address: `${name}:1`, uid: `uid-${name}` })
const key = (name: string) => nodeKey(node(name))
const NAMES = ['a', 'b', 'c', 'd', 'e']

function member(name: string, status: MemberStatus = 'Up'): Member {
  return { node: node(name), status, roles: [], upNumber: 1, isReplaced: false }
}

/** The view of a side after a split: all of `here` say that all of `there` are unreachable. */
function split(here: string, there: string, statuses: Record<string, MemberStatus> = {}): Gossip {
  let reachability = Reachability.none
  for (const observer of here) {
    for (const subject of there) {
      reachability = reachability.observed(key(observer), key(subject), false)
    }
  }
  const members = (here + there).split('').map((name) => member(name, statuses[name]))
  return {
    ...emptyGossip,
    members: new Map(members.map((each) => [nodeKey(each.node), each])),
    seen: new Set(here.split('').map(key)),
    reachability,
  }
}

/** Whom the side `here` downs. */
function downed(here: string, there: string, statuses?: Record<string, MemberStatus>): string {
  const unreachable = new Set(there.split('').map(key))
  const { nodes } = keepMajority(split(here, there, statuses), unreachable, node(here[0] ?? ''))
  return nodes
    .map(({ address }) => address.slice(0, 1))
    .sort()
    .join('')
}

describe('keep the majority', () => {
  it.each([
    ['abc', 'de', 'de'],
    ['de', 'abc', 'de'],
    ['ab', 'c', 'c'],
    ['c', 'ab', 'c'],
    ['bcd', 'ae', 'ae'],
  ])('of %s | %s: %s goes', (here, there, gone) => {
    expect(downed(here, there)).toBe(gone)
  })

  it.each([
    ['ad', 'bc', 'bc'],
    ['bc', 'ad', 'bc'],
    ['a', 'b', 'b'],
    ['b', 'a', 'b'],
  ])('with equal halves %s | %s: the lowest address stays, %s goes', (here, there, gone) => {
    expect(downed(here, there)).toBe(gone)
  })

  it('counts members that are Up or Leaving only, but downs the others with their side', () => {
    expect(downed('ab', 'cde', { c: 'Joining', d: 'Joining' })).toBe('cde')
    expect(downed('ab', 'cde', { c: 'Leaving', d: 'Exiting' })).toBe('ce')
  })

  it('lets at most one side of any split stay', () => {
    for (let mask = 1; mask < 31; mask++) {
      const here = NAMES.filter((_, i) => (mask & (1 << i)) !== 0).join('')
      const there = NAMES.filter((_, i) => (mask & (1 << i)) === 0).join('')

      expect([downed(here, there), downed(there, here)]).toEqual(
        downed(here, there) === there ? [there, there] : [here, here],
      )
    }
  })

  it('says why, and names ourselves last', () => {
    const { nodes, reason } = keepMajority(
      split('ab', 'cde'),
      new Set(['c', 'd', 'e'].map(key)),
      node('a'),
    )

    expect(nodes.map(({ address }) => address)).toEqual(['b:1', 'a:1'])
    expect(reason).toBe('we go: 2 of 5 voting members are on this side')
  })

  it('downs both ends of a broken link, whoever looks at it', () => {
    const view = {
      ...split('abc', ''),
      reachability: Reachability.none
        .observed(key('a'), key('b'), false)
        .observed(key('b'), key('a'), false),
    }

    for (const self of ['a', 'b', 'c']) {
      const unreachable = new Set(['a', 'b'].filter((name) => name !== self).map(key))
      const { nodes } = keepMajority(view, unreachable, node(self))
      expect(nodes.map(({ address }) => address).sort()).toEqual(['a:1', 'b:1'])
    }
  })

  it('does not take an old complaint from the other side for a broken link', () => {
    const view = split('ab', 'cde')
    const old = {
      ...view,
      reachability: view.reachability.observed(key('d'), key('e'), false),
    }

    const { nodes } = keepMajority(old, new Set(['c', 'd', 'e'].map(key)), node('a'))

    expect(nodes.map(({ address }) => address).sort()).toEqual(['a:1', 'b:1'])
  })
})

describe('downing', () => {
  it('decides when nothing has changed for long enough, and not before', () => {
    const downing = new Downing(node('a'), 1_000)
    const view = split('abc', 'de')

    expect(downing.tick(view, 5_000)).toBeUndefined()
    expect(downing.tick(view, 5_999)).toBeUndefined()
    expect(downing.tick(view, 6_000)?.nodes).toEqual([node('d'), node('e')])
  })

  it('waits anew when reachability changes', () => {
    const downing = new Downing(node('a'), 1_000)
    downing.tick(split('abc', 'de'), 0)
    downing.tick(split('abcd', 'e'), 900)

    expect(downing.tick(split('abcd', 'e'), 1_500)).toBeUndefined()
    expect(downing.tick(split('abcd', 'e'), 1_900)?.nodes).toEqual([node('e')])
  })

  it('does not wait anew because somebody joins', () => {
    const downing = new Downing(node('a'), 1_000)
    downing.tick(split('abc', 'd'), 0)

    const view = split('abce', 'd', { e: 'Joining' })

    expect(downing.tick(view, 1_000)?.nodes).toEqual([node('d')])
  })

  it('never decides while everybody is reachable', () => {
    const downing = new Downing(node('a'), 1_000)

    for (let now = 0; now < 1_000_000; now += 1_000) {
      expect(downing.tick(split('abcde', ''), now)).toBeUndefined()
    }
  })

  it('is left to the leader', () => {
    const downing = new Downing(node('b'), 1_000)
    downing.tick(split('abc', 'de'), 0)

    expect(downing.tick(split('abc', 'de'), 60_000)).toBeUndefined()
  })

  it('has nothing to decide about members that are Down already', () => {
    const downing = new Downing(node('a'), 1_000)
    const view = split('abc', 'd', { d: 'Down' })
    downing.tick(view, 0)

    expect(downing.tick(view, 60_000)).toBeUndefined()
  })
})
