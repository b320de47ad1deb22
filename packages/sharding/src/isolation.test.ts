import type { Member, MemberStatus } from '@troupe/cluster'
import { describe, expect, it } from 'vitest'
import { isInMinority } from './isolation.ts'

/** `a! b c-`: in address order; `!` unreachable, `-` Down, `~` Joining, `<` Leaving. */
function stateOf(text: string): Parameters<typeof isInMinority>[0] {
  const STATUS: Record<string, MemberStatus> = { '-': 'Down', '~': 'Joining', '<': 'Leaving' }
  const members: Member[] = []
  const unreachable: Member[] = []
  for (const [i, word] of text.split(' ').entries()) {
    const [name = '', ...marks] = word
    const member: Member = {
      node: { address: `${name}:1`, uid: name },
      status: marks.map((mark) => STATUS[mark]).find((status) => status !== undefined) ?? 'Up',
      roles: [],
      upNumber: i,
      isReplaced: false,
    }
    members.push(member)
    if (marks.includes('!')) unreachable.push(member)
  }
  return { members, unreachable, leader: undefined }
}

describe('a node is in the minority', () => {
  it.each([
    ['a', false],
    ['a b c', false],
    ['a b c!', false],
    ['a! b! c', true],
    ['a b!', false],
    ['a! b', true],
    ['a b c! d!', false],
    ['a! b! c d', true],
    // Who does not vote does not count.
    ['a b!- c!-', false],
    ['a! b c~ d~', true],
    ['a!- b c!', false],
    ['a! b! c< d e', false],
    ['a! b! c!< d e', true],
  ])('with %s: %s', (text, expected) => {
    expect(isInMinority(stateOf(text))).toBe(expected)
  })
})
