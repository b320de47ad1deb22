import { compareText, nodeKey, type UniqueAddress } from '../node-address.ts'

/** The life of a member, in order. A status only ever moves forward. */
export const MEMBER_STATUSES = ['Joining', 'Up', 'Leaving', 'Exiting', 'Down', 'Removed'] as const
export type MemberStatus = (typeof MEMBER_STATUSES)[number]

/** One incarnation of a node in the cluster. */
export interface Member {
  readonly node: UniqueAddress
  readonly status: MemberStatus
  readonly roles: readonly string[]
  /** Age: the lower, the longer it has been Up. UP_NUMBER_NONE until then. */
  readonly upNumber: number
  /** Down because another process runs at its address now: this one has certainly ended. */
  readonly isReplaced: boolean
}

export const UP_NUMBER_NONE: number = Number.MAX_SAFE_INTEGER

const NEXT: Readonly<Record<MemberStatus, readonly MemberStatus[]>> = {
  Joining: ['Up', 'Leaving', 'Down', 'Removed'],
  Up: ['Leaving', 'Down', 'Removed'],
  Leaving: ['Exiting', 'Down', 'Removed'],
  Exiting: ['Down', 'Removed'],
  Down: ['Removed'],
  Removed: [],
}

export function mayBecome(from: MemberStatus, to: MemberStatus): boolean {
  return from === to || NEXT[from].includes(to)
}

/** What a merge of two views keeps: the later status; between equals the one that knows of a replacement, then the older. */
export function laterOf(a: Member, b: Member): Member {
  const difference = MEMBER_STATUSES.indexOf(a.status) - MEMBER_STATUSES.indexOf(b.status)
  if (difference !== 0) return difference > 0 ? a : b
  if (a.isReplaced !== b.isReplaced) return a.isReplaced ? a : b
  return a.upNumber <= b.upNumber ? a : b
}

/** By address, then incarnation: the order in which leaders are found. */
export function compareMembers(a: Member, b: Member): number {
  return compareText(nodeKey(a.node), nodeKey(b.node))
}

/** Oldest first; equals (not Up yet) by address. */
export function compareAge(a: Member, b: Member): number {
  return a.upNumber - b.upNumber || compareMembers(a, b)
}
