/**
 * A queue in a circle of places that grows by doubling: nothing is allocated or moved per entry.
 * `undefined` cannot be an entry.
 *
 * Invariant: at least one place stays free, so that `#head === #tail` means empty.
 */
export class Ring {
  #places: unknown[] = slots(PLACES_MIN)
  #mask = PLACES_MIN - 1
  #head = 0
  #tail = 0

  get size(): number {
    return (this.#tail - this.#head) & this.#mask
  }

  get isEmpty(): boolean {
    return this.#head === this.#tail
  }

  /** How many places there are: what the queue costs, however empty it is. */
  get places(): number {
    return this.#mask + 1
  }

  push(entry: unknown): void {
    const tail = this.#tail
    this.#places[tail] = entry
    this.#tail = (tail + 1) & this.#mask
    if (this.#tail === this.#head) this.#grow()
  }

  /** Puts `entry` in front of all others. */
  pushFront(entry: unknown): void {
    this.#head = (this.#head - 1) & this.#mask
    this.#places[this.#head] = entry
    if (this.#tail === this.#head) this.#grow()
  }

  /** The oldest entry; undefined when there is none. */
  take(): unknown {
    const head = this.#head
    if (head === this.#tail) return undefined
    const entry = this.#places[head]
    this.#places[head] = undefined
    this.#head = (head + 1) & this.#mask
    return entry
  }

  /** Called with every place taken. */
  #grow(): void {
    const old = this.#places
    const size = old.length
    const places = slots(size * 2)
    for (let i = 0; i < size; i++) places[i] = old[(this.#head + i) & this.#mask]
    this.#places = places
    this.#mask = size * 2 - 1
    this.#head = 0
    this.#tail = size
  }
}

/** Filling at once is many times faster than `Array.from`, which calls a function for each place. */
function slots(count: number): unknown[] {
  const places: unknown[] = []
  places.length = count
  return places.fill(undefined)
}

const PLACES_MIN = 8
