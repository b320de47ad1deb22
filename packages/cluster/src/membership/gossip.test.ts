import { VersionVector } from '@troupe/crdt'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareText, nodeKey } from '../node-address.ts'
import {
  byAge,
  changed,
  emptyGossip,
  type Gossip,
  isConverged,
  leaderOf,
  mergeGossip,
  seenBy,
  unreachableOf,
  without,
  withStatus,
} from './gossip.ts'
import { type Member, MEMBER_STATUSES, type MemberStatus, UP_NUMBER_NONE } from './member.ts'
import { type Observations, Reachability } from './reachability.ts'

const NAMES = ['a', 'b', 'c', 'd']
const node = (name: string) => ({ address: `${name}:1`, uid: `uid-${name}` })
const key = (name: string) => nodeKey(node(name))

function member(name: string, status: MemberStatus = 'Up', upNumber = 1): Member {
  return { node: node(name), status, roles: [], upNumber, isReplaced: false }
}

function gossip(members: readonly Member[], seen: readonly string[] = []): Gossip {
  return {
    ...emptyGossip,
    members: new Map(members.map((each) => [nodeKey(each.node), each])),
    seen: new Set(seen.map(key)),
  }
}

/** Views as nodes can have them: what one observer says under one version is the same everywhere. */
const views: fc.Arbitrary<Gossip> = fc
  .record({
    statuses: fc.array(fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined }), {
      minLength: 4,
      maxLength: 4,
    }),
    ups: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 4, maxLength: 4 }),
    replaced: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
    removed: fc.array(fc.option(fc.nat(100), { nil: undefined }), { minLength: 4, maxLength: 4 }),
    rows: fc.array(fc.nat(3), { minLength: 4, maxLength: 4 }),
    steps: fc.array(fc.nat(5), { minLength: 4, maxLength: 4 }),
  })
  .map(({ statuses, ups, replaced, removed, rows, steps }) => {
    const members = new Map<string, Member>()
    const tombstones = new Map<string, number>()
    const observations = new Map<string, Observations>()
    for (const [i, name] of NAMES.entries()) {
      const status = MEMBER_STATUSES[statuses[i] ?? -1]
      const at = removed[i]
      if (at !== undefined) tombstones.set(key(name), at)
      else if (status !== undefined) {
        const upNumber = status === 'Joining' ? UP_NUMBER_NONE : (ups[i] ?? 1)
        members.set(key(name), {
          ...member(name, status, upNumber),
          isReplaced: status === 'Down' && replaced[i] === true,
        })
      }
    }
    const isMember = (each: string): boolean => members.has(each)
    for (const [i, name] of NAMES.entries()) {
      const version = rows[i] ?? 0
      const unreachable = new Set(NAMES.filter((_, j) => j !== i && j < version).map(key))
      observations.set(key(name), { version, unreachable })
    }
    const version = NAMES.map((name, i) => [key(name), steps[i] ?? 0] as const).filter(
      ([each]) => !tombstones.has(each),
    )
    return {
      members,
      tombstones,
      reachability: new Reachability(observations).retain(isMember),
      version: VersionVector.of(new Map(version)),
      seen: new Set<string>(),
    }
  })

function canonical(view: Gossip): string {
  return JSON.stringify([
    sorted(view.members),
    sorted(view.tombstones),
    sorted(view.version.entries()),
    view.reachability.toString(),
  ])
}

function sorted(
  entries: Iterable<readonly [string, unknown]>,
): readonly (readonly [string, unknown])[] {
  return [...entries].sort(([a], [b]) => compareText(a, b))
}

describe('two views merge', () => {
  it('into the same, whoever merges', () => {
    fc.assert(
      fc.property(views, views, (a, b) => {
        expect(canonical(mergeGossip(a, b))).toBe(canonical(mergeGossip(b, a)))
      }),
      { seed: 1 },
    )
  })

  it('into the same in any order', () => {
    fc.assert(
      fc.property(views, views, views, (a, b, c) => {
        expect(canonical(mergeGossip(mergeGossip(a, b), c))).toBe(
          canonical(mergeGossip(a, mergeGossip(b, c))),
        )
      }),
      { seed: 1 },
    )
  })

  it('into themselves when they are equal', () => {
    fc.assert(
      fc.property(views, (a) => {
        expect(canonical(mergeGossip(a, a))).toBe(canonical(mergeGossip(mergeGossip(a, a), a)))
        expect(canonical(mergeGossip(a, a))).toBe(canonical(a))
      }),
      { seed: 1 },
    )
  })

  it('into a view that nobody has seen yet', () => {
    const [a, b] = [
      seenBy(gossip([member('a')]), node('a')),
      seenBy(gossip([member('a')]), node('b')),
    ]

    expect(mergeGossip(a, b).seen).toEqual(new Set())
  })

  it('without moving any member backward or bringing a removed one back', () => {
    fc.assert(
      fc.property(views, views, (a, b) => {
        const merged = mergeGossip(a, b)

        for (const [each, { status }] of merged.members) {
          for (const view of [a, b]) {
            expect(view.tombstones.has(each)).toBe(false)
            const before = view.members.get(each)?.status ?? 'Joining'
            expect(MEMBER_STATUSES.indexOf(status)).toBeGreaterThanOrEqual(
              MEMBER_STATUSES.indexOf(before),
            )
          }
        }
      }),
      { seed: 1 },
    )
  })
})

describe('a view', () => {
  it('has converged when every Up and Leaving member has seen it', () => {
    const members = [member('a'), member('b', 'Leaving'), member('c', 'Joining')]

    expect(isConverged(gossip(members, ['a']), node('a'), new Set())).toBe(false)
    expect(isConverged(gossip(members, ['a', 'b']), node('a'), new Set())).toBe(true)
  })

  it('has not converged while somebody is unreachable who is not on the way out', () => {
    const seen = ['a', 'b', 'c']
    const reachability = Reachability.none.observed(key('a'), key('b'), false)
    const view = (status: MemberStatus): Gossip => ({
      ...gossip([member('a'), member('b', status), member('c')], seen),
      reachability,
    })

    expect(isConverged(view('Up'), node('a'), new Set())).toBe(false)
    expect(isConverged(view('Joining'), node('a'), new Set())).toBe(false)
    expect(isConverged(view('Down'), node('a'), new Set())).toBe(true)
    expect(isConverged(view('Exiting'), node('a'), new Set())).toBe(true)
  })

  it('does not count what members say that are Down', () => {
    const reachability = Reachability.none.observed(key('b'), key('c'), false)
    const view = { ...gossip([member('a'), member('b', 'Down'), member('c')]), reachability }

    expect(unreachableOf(view, node('a'))).toEqual(new Set())
  })

  it('does not make us unreachable to ourselves', () => {
    const reachability = Reachability.none.observed(key('b'), key('a'), false)
    const view = { ...gossip([member('a'), member('b')]), reachability }

    expect(unreachableOf(view, node('a'))).toEqual(new Set())
    expect(unreachableOf(view, node('b'))).toEqual(new Set([key('a')]))
  })

  it('is led by the first reachable member in address order that is Up or Leaving', () => {
    const leader = (...members: Member[]): string | undefined =>
      leaderOf(gossip(members), node('z'))?.address

    expect(leader(member('b'), member('a', 'Joining'), member('c'))).toBe('b:1')
    expect(leader(member('b', 'Leaving'), member('a', 'Down'), member('c'))).toBe('b:1')
    expect(leader(member('a', 'Exiting'), member('b', 'Joining'))).toBe('b:1')
    expect(leader(member('b', 'Exiting'), member('a', 'Down'))).toBe('b:1')
    expect(leader(member('a', 'Down'))).toBeUndefined()
  })

  it('passes the lead on when the leader is unreachable', () => {
    const reachability = Reachability.none.observed(key('b'), key('a'), false)
    const view = { ...gossip([member('a'), member('b')]), reachability }

    expect(leaderOf(view, node('b'))).toEqual(node('b'))
    expect(leaderOf(view, node('a'))).toEqual(node('a'))
  })

  it('is newer after a change and seen by the one who made it only', () => {
    const before = seenBy(gossip([member('a')], ['b']), node('c'))

    const after = changed(before, node('a'), { members: new Map() })

    expect(after.version.compareTo(before.version)).toBe('After')
    expect(after.seen).toEqual(new Set([key('a')]))
  })

  it('remembers whom it removed, and forgets what the removed ones have said', () => {
    const reachability = Reachability.none
      .observed(key('b'), key('a'), false)
      .observed(key('a'), key('b'), false)
    const before = changed({ ...gossip([member('a'), member('b')]), reachability }, node('b'), {})

    const after = without(before, node('a'), [member('b', 'Down')], 1_000)

    expect([...after.members.keys()]).toEqual([key('a')])
    expect(after.tombstones).toEqual(new Map([[key('b'), 1_000]]))
    expect(after.version.at(key('b'))).toBe(0)
    expect(after.reachability.isAllReachable).toBe(true)
  })

  it('orders members by age, and leaves out those that were never Up', () => {
    const members = [
      member('a', 'Up', 3),
      member('b', 'Joining', UP_NUMBER_NONE),
      member('c', 'Up', 1),
    ]

    expect(byAge(members).map((each) => each.node.address)).toEqual(['c:1', 'a:1'])
  })
})

describe('a status', () => {
  it('only moves forward', () => {
    expect(withStatus(member('a', 'Up'), 'Leaving').status).toBe('Leaving')
    expect(() => withStatus(member('a', 'Down'), 'Up')).toThrow('cannot go from Down to Up')
    expect(() => withStatus(member('a', 'Up'), 'Exiting')).toThrow('cannot go from Up to Exiting')
  })
})
