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

/** How many of `others` (members but ourselves, unreachable ones included) have to answer. */
export function neededAnswers(
  consistency: WriteConsistency | ReadConsistency,
  others: number,
): number {
  switch (consistency.type) {
    case 'WriteLocal':
    case 'ReadLocal':
      return 0
    case 'WriteTo':
    case 'ReadFrom':
      return consistency.replicas - 1
    case 'WriteMajority':
    case 'ReadMajority':
      return Math.floor((others + 1) / 2)
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
