import { describe, expect, it } from 'vitest'
import {
  compareAge,
  compareMembers,
  laterOf,
  mayBecome,
  type Member,
  UP_NUMBER_NONE,
} from './member.ts'

const member = (changes: Partial<Member> = {}): Member => ({
  node: { address: 'a:1', uid: 'u' },
  status: 'Up',
  roles: [],
  upNumber: 1,
  isReplaced: false,
  ...changes,
})

describe('the life of a member', () => {
  it.each([
    ['Joining', 'Up', true],
    ['Joining', 'Exiting', false],
    ['Up', 'Leaving', true],
    ['Up', 'Exiting', false],
    ['Up', 'Joining', false],
    ['Leaving', 'Exiting', true],
    ['Leaving', 'Up', false],
    ['Exiting', 'Removed', true],
    ['Exiting', 'Up', false],
    ['Down', 'Removed', true],
    ['Down', 'Up', false],
    ['Removed', 'Joining', false],
    ['Up', 'Up', true],
  ] as const)('from %s to %s: %s', (from, to, may) => {
    expect(mayBecome(from, to)).toBe(may)
  })

  it.each(['Joining', 'Up', 'Leaving', 'Exiting'] as const)('can end by Down from %s', (from) => {
    expect(mayBecome(from, 'Down')).toBe(true)
  })
})

describe('of two opinions about a member', () => {
  it('the later status counts', () => {
    expect(laterOf(member(), member({ status: 'Down' })).status).toBe('Down')
    expect(laterOf(member({ status: 'Leaving' }), member({ status: 'Up' })).status).toBe('Leaving')
  })

  it('then the one that knows of a replacement, then the older', () => {
    const down = member({ status: 'Down', upNumber: 5 })
    const replaced = { ...down, isReplaced: true, upNumber: 9 }

    expect(laterOf(down, replaced)).toBe(replaced)
    expect(laterOf(replaced, down)).toBe(replaced)
    expect(laterOf(member({ upNumber: 3 }), member({ upNumber: 2 })).upNumber).toBe(2)
  })
})

it('members are ordered by address and incarnation, or by age', () => {
  const a = member({ node: { address: 'a:1', uid: '2' }, upNumber: 7 })
  const older = member({ node: { address: 'b:1', uid: '1' }, upNumber: 2 })
  const joining = member({ node: { address: 'a:1', uid: '1' }, upNumber: UP_NUMBER_NONE })

  expect([older, a, joining].sort(compareMembers)).toEqual([joining, a, older])
  expect([joining, a, older].sort(compareAge)).toEqual([older, a, joining])
})
