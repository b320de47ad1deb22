import type { Outcome } from './pending-quorum.ts'

/** What became of a write: applied or not, and on how many nodes. */
export type WriteResult =
  | { readonly type: 'Success' }
  | { readonly type: 'Shortfall'; readonly reason: 'Timeout' | 'NotEnoughReplicas' }
  | { readonly type: 'Deleted' }
  | { readonly type: 'Threw'; readonly cause: unknown }
/** What became of a read. The value itself is then read here. */
export type ReadResult =
  | { readonly type: 'Success' }
  | { readonly type: 'Shortfall'; readonly reason: 'Timeout' | 'NotEnoughReplicas' }

/** What the outcome of a quorum means for who asked for it. */
export function resultOf(outcome: Outcome): ReadResult {
  switch (outcome) {
    case 'Success':
      return { type: 'Success' }
    case 'Timeout':
      return { type: 'Shortfall', reason: 'Timeout' }
    case 'Failure':
      return { type: 'Shortfall', reason: 'NotEnoughReplicas' }
    default:
      return outcome satisfies never
  }
}
