import type { LWWMap, ReadonlyLWWMap } from '@troupe/crdt'
import { LWWMapKey, type DistributedData, type Key } from '@troupe/replicator'
import { minuteOf, type CreativeStats } from '../sampling/creative-stats.ts'
import { placeOf, SharedCounts, type MinuteCounts } from '../sampling/shared-counts.ts'

/**
 * Shares how often creatives were shown and clicked: each node writes a map of its own, and reads
 * everybody else's. An entry is replaced an hour later by the same place of the ring, so the maps do not
 * grow, and nothing has to be removed.
 */
export class StatsReplica {
  readonly #data: DistributedData
  readonly #stats: CreativeStats
  readonly #self: string
  readonly #key: Key<LWWMap<string, MinuteCounts>, ReadonlyLWWMap<string, MinuteCounts>>
  readonly #shared = new SharedCounts()
  #purgedAt = -1

  /** `self`: this incarnation of the node. A node that starts again counts from nothing, in a new map. */
  constructor(data: DistributedData, stats: CreativeStats, self: string) {
    this.#data = data
    this.#stats = stats
    this.#self = `${PREFIX}${self}`
    this.#key = LWWMapKey.create<string, MinuteCounts>(this.#self)
  }

  /** Writes what this node has counted since the last call. Once a minute forgets creatives nobody shows. */
  share(wallMs: number): void {
    const changes = this.#stats.takeChanges()
    if (minuteOf(wallMs) !== this.#purgedAt) this.#stats.purge(wallMs)
    this.#purgedAt = minuteOf(wallMs)
    if (changes.length === 0) return
    void this.#data.update(this.#key, (map) => {
      for (const { creativeId, minute, impressions, clicks } of changes)
        map.put(placeOf(creativeId, minute), { minute, impressions, clicks })
    })
  }

  /** Takes in what the others write; `wallMs` tells the time. Returns how to end it. */
  follow(wallMs: () => number): () => void {
    return this.#data.subscribePrefix<ReadonlyLWWMap<string, MinuteCounts>>(
      PREFIX,
      ({ name, value, changed }) => {
        if (name === this.#self) return
        const now = wallMs()
        for (const place of changed as Iterable<string>) {
          const counts = value.get(place)
          if (counts === undefined) continue
          const sum = this.#shared.report(name, place, counts)
          this.#stats.replaceOthers(sum.creativeId, sum.minute, sum, now)
        }
      },
      { onDeleted: (name) => this.#shared.forget(name) },
    )
  }

  /** Forgets maps of nodes that are gone once nothing in them counts any more. For one node to call. */
  forgetGone(isMember: (nodeId: string) => boolean, wallMs: number): void {
    const oldest = Math.floor(wallMs / 60_000) - 60
    for (const name of this.#data.keys()) {
      if (!name.startsWith(PREFIX) || isMember(name.slice(PREFIX.length))) continue
      const key = LWWMapKey.create<string, MinuteCounts>(name)
      const counts = this.#data.read(key)?.values() ?? []
      if ([...counts].every(({ minute }) => minute < oldest)) void this.#data.delete(key)
    }
  }
}

const PREFIX = 'creative-stats|'
