/** How two versions stand to each other. `Concurrent`: each knows something the other does not. */
export type Ordering = 'Same' | 'Before' | 'After' | 'Concurrent'

/**
 * Counts the steps of each of several writers, and so tells which of two states knows more. Immutable;
 * a writer that is not in it has made no step. Source: version vectors (Parker et al., 1983).
 */
export class VersionVector {
  static readonly empty: VersionVector = new VersionVector(new Map())
  readonly #steps: ReadonlyMap<string, number>

  private constructor(steps: ReadonlyMap<string, number>) {
    this.#steps = steps
  }

  /** `steps`: writer to number of steps; zeros are left out. */
  static of(steps: ReadonlyMap<string, number>): VersionVector {
    return new VersionVector(new Map([...steps].filter(([, count]) => count > 0)))
  }

  get size(): number {
    return this.#steps.size
  }

  /** Steps of one writer. */
  at(writer: string): number {
    return this.#steps.get(writer) ?? 0
  }

  entries(): IterableIterator<[string, number]> {
    return this.#steps.entries()
  }

  increment(writer: string): VersionVector {
    return new VersionVector(new Map(this.#steps).set(writer, this.at(writer) + 1))
  }

  /** Forgets a writer, who must never write again. */
  without(writer: string): VersionVector {
    if (!this.#steps.has(writer)) return this
    const steps = new Map(this.#steps)
    steps.delete(writer)
    return new VersionVector(steps)
  }

  /** The version that knows what either knows. */
  merge(that: VersionVector): VersionVector {
    const steps = new Map(this.#steps)
    for (const [writer, count] of that.#steps) {
      if (count > this.at(writer)) steps.set(writer, count)
    }
    return new VersionVector(steps)
  }

  compareTo(that: VersionVector): Ordering {
    const hasMore = this.#exceeds(that)
    const lacksSome = that.#exceeds(this)
    if (hasMore) return lacksSome ? 'Concurrent' : 'After'
    return lacksSome ? 'Before' : 'Same'
  }

  #exceeds(that: VersionVector): boolean {
    for (const [writer, count] of this.#steps) if (count > that.at(writer)) return true
    return false
  }
}
