import type { GCounter, ReadonlyGCounter } from '@troupe/crdt'
import { GCounterKey, type Key } from '@troupe/replicator'

/** One run of the program: some ads, each of which may be shown so often. Plain data, fit to be sent. */
export interface Round {
  readonly name: 'online' | 'offline'
  readonly adIds: readonly string[]
  /** Views after which an ad is not shown any more. */
  readonly limit: number
}

/** The replicated counter of one ad's views. */
export function viewsOf(round: Round, adId: string): Key<GCounter, ReadonlyGCounter> {
  return GCounterKey.create(`${round.name}/${adId}`)
}

export function namesOf(what: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${what}-${index + 1}`)
}
