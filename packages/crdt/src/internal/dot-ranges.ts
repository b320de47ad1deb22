/** From one number to another, both included. */
export interface Range {
  readonly from: number
  readonly to: number
}

/**
 * A set of positive whole numbers as ranges in order, none touching the next: the dots of one replica.
 * One range when they were learnt in order; more while some are missing, which may come later.
 */
export class DotRanges {
  readonly #ranges: { from: number; to: number }[] = []

  get ranges(): readonly Range[] {
    return this.#ranges
  }

  /** The largest number in it, 0 when empty. */
  get max(): number {
    return this.#ranges.at(-1)?.to ?? 0
  }

  has(number: number): boolean {
    const range = this.#ranges[this.#indexOf(number)]
    return range !== undefined && range.from <= number
  }

  /** Whether all from `from` to `to` are in it. */
  covers(from: number, to: number): boolean {
    const range = this.#ranges[this.#indexOf(from)]
    return range !== undefined && range.from <= from && range.to >= to
  }

  add(from: number, to: number): void {
    const ranges = this.#ranges
    const last = ranges.at(-1)
    if (last !== undefined && last.to + 1 === from) {
      last.to = to
      return
    }
    // All ranges that overlap or touch the new one become one with it.
    const first = this.#indexOf(from - 1)
    let end = first
    let joined = { from, to }
    for (
      let range = ranges[end];
      range !== undefined && range.from <= to + 1;
      range = ranges[end]
    ) {
      joined = { from: Math.min(joined.from, range.from), to: Math.max(joined.to, range.to) }
      end++
    }
    ranges.splice(first, end - first, joined)
  }

  /** The ranges of this without the numbers in `without`, which are in ascending order. */
  except(without: readonly number[]): Range[] {
    const left: Range[] = []
    let next = 0
    for (const range of this.#ranges) {
      let { from } = range
      for (; next < without.length && (without[next] as number) <= range.to; next++) {
        const hole = without[next] as number
        if (hole < from) continue
        if (hole > from) left.push({ from, to: hole - 1 })
        from = hole + 1
      }
      if (from <= range.to) left.push({ from, to: range.to })
    }
    return left
  }

  /** Index of the first range that ends at `number` or later. */
  #indexOf(number: number): number {
    const ranges = this.#ranges
    let low = 0
    let high = ranges.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((ranges[middle] as Range).to < number) low = middle + 1
      else high = middle
    }
    return low
  }
}
