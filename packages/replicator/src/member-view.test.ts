import type { Member, MemberStatus, UniqueAddress } from '@troupe/cluster'
import { nodeKey } from '@troupe/cluster/spi'
import { describe, expect, it } from 'vitest'
import { MemberView } from './member-view.ts'

const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => ({
  address: `${name}:1`,
  uid: name.toUpperCase(),
})) as [UniqueAddress, UniqueAddress, UniqueAddress, UniqueAddress]

function member(node: UniqueAddress, status: MemberStatus): Member {
  return { node, status, roles: [], upNumber: 1, isReplaced: false }
}

function viewOf(...members: readonly Member[]): MemberView {
  const view = new MemberView(a)
  view.update(members)
  return view
}

describe('who counts', () => {
  it.each([
    ['Joining', false],
    ['Up', true],
    ['Leaving', true],
    ['Exiting', false],
    ['Down', false],
  ] as const)('a member that is %s: %s', (status, counts) => {
    const view = viewOf(member(a, 'Up'), member(b, status))

    expect(view.counted).toEqual(counts ? [nodeKey(b)] : [])
  })

  it('takes messages of members that are not Down, and of nobody else', () => {
    const view = viewOf(
      member(a, 'Up'),
      member(b, 'Joining'),
      member(c, 'Down'),
      member(d, 'Exiting'),
    )

    expect(view.accepts(nodeKey(b))).toBe(true)
    expect(view.accepts(nodeKey(d))).toBe(true)
    expect(view.accepts(nodeKey(c))).toBe(false)
    expect(view.accepts('x:1#X')).toBe(false)
  })

  it('another incarnation at the same address is another node', () => {
    const again = { ...b, uid: 'B2' }
    const view = viewOf(member(a, 'Up'), member(b, 'Up'))

    expect(view.update([member(a, 'Up'), member(again, 'Up')])).toEqual([
      { type: 'Removed', node: nodeKey(b) },
      { type: 'Joined', node: again },
    ])
  })
})

describe('a node is complete', () => {
  it('at once when it is the first', () => {
    expect(viewOf(member(a, 'Joining')).isComplete).toBe(false)
    expect(viewOf(member(a, 'Up')).isComplete).toBe(true)
  })

  it('when all who were there before have sent everything', () => {
    const view = viewOf(member(a, 'Joining'), member(b, 'Up'), member(c, 'Leaving'))
    view.gotAllFrom(nodeKey(b))
    view.update([member(a, 'Up'), member(b, 'Up'), member(c, 'Leaving')])

    expect(view.isComplete).toBe(false)
    expect(view.awaited).toEqual([nodeKey(c)])
    view.gotAllFrom(nodeKey(c))
    expect(view.isComplete).toBe(true)
  })

  it('also when one of them is gone for good', () => {
    const view = viewOf(member(a, 'Up'), member(b, 'Up'))
    expect(view.isComplete).toBe(false)
    view.update([member(a, 'Up'), member(b, 'Down')])

    expect(view.isComplete).toBe(true)
  })

  it('and stays it when others come later', () => {
    const view = viewOf(member(a, 'Up'))
    view.update([member(a, 'Up'), member(b, 'Up')])

    expect(view.isComplete).toBe(true)
  })
})
