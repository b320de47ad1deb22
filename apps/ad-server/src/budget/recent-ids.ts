/**
 * Remembers ids for a while: at least the newest `idsMax`, as long as they are younger than `windowMs`.
 *
 * Forgetting goes from the oldest, and only while adding: no timer, and no walk through all.
 */
export class RecentIds {
  readonly #windowMs: number
  readonly #idsMax: number
  /** In order of arrival, with the time of it. */
  readonly #ids = new Map<string, number>()

  constructor(windowMs: number, idsMax: number) {
    this.#windowMs = windowMs
    this.#idsMax = idsMax
  }

  get size(): number {
    return this.#ids.size
  }

  has(id: string, now: number): boolean {
    const at = this.#ids.get(id)
    return at !== undefined && now - at < this.#windowMs
  }

  add(id: string, now: number): void {
    this.#ids.delete(id)
    this.#ids.set(id, now)
    for (const [oldest, at] of this.#ids) {
      if (this.#ids.size <= this.#idsMax && now - at < this.#windowMs) return
      this.#ids.delete(oldest)
    }
  }

  /** Oldest first. */
  list(): string[] {
    return [...this.#ids.keys()]
  }
}
