import type { Replicator } from './replicator.ts'

/** What a replicator holds and has counted since it started. */
export interface ReplicatorMetrics {
  /** Keys that are not deleted. */
  readonly keys: number
  /** Entries of maps, elements of sets; a counter or a register is one. */
  readonly entries: number
  readonly updates: number
  readonly deltasSent: number
  readonly deltasReceived: number
  /** Bytes of state and names, without the frames around them. */
  readonly bytesSent: number
  readonly bytesReceived: number
  /** Rounds of comparing digests that this node began. */
  readonly digestRounds: number
  /** Keys sent to others because digests differed. */
  readonly repairs: number
  /** Changes and calls that were turned away, by reason. */
  readonly refused: ReadonlyMap<string, number>
}

/** Counts keys and entries when asked: not for hot paths. */
export function metricsOf(replicator: Replicator): ReplicatorMetrics {
  let keys = 0
  let entries = 0
  for (const { value } of replicator.table.entries) {
    if (value === undefined) continue
    keys++
    const { size } = value as { readonly size?: number }
    entries += size ?? 1
  }
  return {
    keys,
    entries,
    updates: replicator.updates,
    deltasSent: replicator.deltasSent,
    deltasReceived: replicator.deltasReceived,
    bytesSent: replicator.bytesSent,
    bytesReceived: replicator.bytesReceived,
    digestRounds: replicator.repairRounds,
    repairs: replicator.repairedKeys,
    refused: new Map(replicator.refusals),
  }
}
