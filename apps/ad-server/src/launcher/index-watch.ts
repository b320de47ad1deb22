/**
 * Whether the nodes' indexes are filled: all have the same number of entries, and have had it for a
 * while. The first auctions take some moments; visitors who come before find empty slots.
 */
export class IndexWatch {
  #entries = 0
  #since = -Infinity

  /** `entries`: of each node, now. */
  isFilled(entries: readonly number[], now: number): boolean {
    const [first = 0] = entries
    const areEqual = entries.every((count) => count === first)
    if (!areEqual || first !== this.#entries) this.#since = now
    this.#entries = areEqual ? first : 0
    return this.#entries > 0 && now - this.#since >= STEADY_MS
  }
}

/** Longer than a node takes to tell its figures anew. */
const STEADY_MS = 700
