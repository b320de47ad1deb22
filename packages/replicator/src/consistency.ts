import { ReplicatorError } from './errors.ts'

/** When a write counts as done. Whatever is chosen, the write is applied here at once and spreads to everybody. */
export type WriteConsistency =
  | { readonly type: 'WriteLocal' }
  | { readonly type: 'WriteTo'; readonly replicas: number; readonly timeoutMs: number }
  | { readonly type: 'WriteMajority'; readonly timeoutMs: number }
  | { readonly type: 'WriteAll'; readonly timeoutMs: number }

/** From how many replicas a read collects before it answers. */
export type ReadConsistency =
  | { readonly type: 'ReadLocal' }
  | { readonly type: 'ReadFrom'; readonly replicas: number; readonly timeoutMs: number }
  | { readonly type: 'ReadMajority'; readonly timeoutMs: number }
  | { readonly type: 'ReadAll'; readonly timeoutMs: number }

interface Timeout {
  /** How long to wait for the other replicas, in milliseconds, > 0. */
  readonly timeoutMs: number
}

/** Done when it is here. */
export const writeLocal: WriteConsistency = { type: 'WriteLocal' }
/** Done when `replicas` (>= 2, this one included) have it. */
export function writeTo(replicas: number, { timeoutMs }: Timeout): WriteConsistency {
  return { type: 'WriteTo', replicas: checkReplicas(replicas), timeoutMs: checkTimeout(timeoutMs) }
}
/** Done when more than half of all members have it, unreachable ones counted. */
export function writeMajority({ timeoutMs }: Timeout): WriteConsistency {
  return { type: 'WriteMajority', timeoutMs: checkTimeout(timeoutMs) }
}
/** Done when every member has it. */
export function writeAll({ timeoutMs }: Timeout): WriteConsistency {
  return { type: 'WriteAll', timeoutMs: checkTimeout(timeoutMs) }
}

/** What this replica has. */
export const readLocal: ReadConsistency = { type: 'ReadLocal' }
/** What `replicas` (>= 2, this one included) have together. */
export function readFrom(replicas: number, { timeoutMs }: Timeout): ReadConsistency {
  return { type: 'ReadFrom', replicas: checkReplicas(replicas), timeoutMs: checkTimeout(timeoutMs) }
}
/** What more than half of all members have together: sees every majority write that succeeded before. */
export function readMajority({ timeoutMs }: Timeout): ReadConsistency {
  return { type: 'ReadMajority', timeoutMs: checkTimeout(timeoutMs) }
}
export function readAll({ timeoutMs }: Timeout): ReadConsistency {
  return { type: 'ReadAll', timeoutMs: checkTimeout(timeoutMs) }
}

/** Who could answer, as this node sees it. */
export interface Replicas {
  /** Members but this node, unreachable ones included. */
  readonly others: number
  /** This node is a member: the others count it when they count a majority. */
  readonly isMember: boolean
  /** What is here may be counted as an answer. */
  readonly hasOwnAnswer: boolean
}

/** How many of the others have to answer. More than there are: it cannot be done. */
export function neededAnswers(
  consistency: WriteConsistency | ReadConsistency,
  { others, isMember, hasOwnAnswer }: Replicas,
): number {
  const own = hasOwnAnswer ? 1 : 0
  switch (consistency.type) {
    case 'WriteLocal':
    case 'ReadLocal':
      return 0
    case 'WriteTo':
    case 'ReadFrom':
      return consistency.replicas - own
    case 'WriteMajority':
    case 'ReadMajority':
      return Math.floor((others + (isMember ? 1 : 0)) / 2) + 1 - own
    case 'WriteAll':
    case 'ReadAll':
      return others
    default:
      return consistency satisfies never
  }
}

function checkTimeout(timeoutMs: number): number {
  if (timeoutMs > 0) return timeoutMs
  throw new ReplicatorError('INVALID_CONSISTENCY', `timeoutMs must be > 0, got ${timeoutMs}`)
}

function checkReplicas(replicas: number): number {
  if (Number.isSafeInteger(replicas) && replicas >= 2) return replicas
  throw new ReplicatorError(
    'INVALID_CONSISTENCY',
    `replicas must be a whole number >= 2 (this one included), got ${replicas}; for one use the local level`,
  )
}
