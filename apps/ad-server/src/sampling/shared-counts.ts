import type { CreativeCounts } from '../serve-index/serve-view.ts'
import type { OwnMinute } from './creative-stats.ts'

/**
 * What every node says it has counted, per creative and minute, and the sums over all but one.
 *
 * Each node keeps a ring of 60 places per creative; a report for a place replaces what the same node
 * said of it before, be it of the same minute or of the one an hour ago. So the numbers of a place are
 * counters of one writer, and reports may come twice and in any order of nodes.
 */
export class SharedCounts {
  readonly #places = new Map<string, Map<string, MinuteCounts>>()

  /** A node reports one of its places. Returns what all reporting nodes together have in that minute. */
  report(node: string, place: string, counts: MinuteCounts): OwnMinute {
    let reports = this.#places.get(place)
    if (reports === undefined) this.#places.set(place, (reports = new Map()))
    reports.set(node, counts)
    let [impressions, clicks] = [0, 0]
    for (const each of reports.values()) {
      if (each.minute !== counts.minute) continue
      impressions += each.impressions
      clicks += each.clicks
    }
    return { creativeId: creativeIdOf(place), minute: counts.minute, impressions, clicks }
  }

  /** Places that somebody has reported. */
  get places(): number {
    return this.#places.size
  }

  /** A node is gone, and nothing it counted counts any more. */
  forget(node: string): void {
    for (const [place, reports] of this.#places)
      if (reports.delete(node) && reports.size === 0) this.#places.delete(place)
  }
}

export interface MinuteCounts extends CreativeCounts {
  /** Minutes since 1970. */
  readonly minute: number
}

/** The place of a minute in a creative's ring. */
export function placeOf(creativeId: string, minute: number): string {
  return `${creativeId}|${minute % 60}`
}

function creativeIdOf(place: string): string {
  return place.slice(0, place.lastIndexOf('|'))
}
