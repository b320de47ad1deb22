import { compareText } from '../node-address.ts'

/** What one node says about those it monitors. Only the unreachable ones are listed. */
export interface Observations {
  /** Rises with every change; the higher one wins a merge. */
  readonly version: number
  readonly unreachable: ReadonlySet<string>
}

/**
 * Who cannot reach whom. Each node writes only its own row, so rows merge by version without conflict.
 * A node counts as unreachable if anybody says so. Nodes are named by their keys. Immutable.
 */
export class Reachability {
  static readonly none: Reachability = new Reachability(new Map())
  readonly #rows: ReadonlyMap<string, Observations>

  constructor(rows: ReadonlyMap<string, Observations>) {
    this.#rows = rows
  }

  get rows(): ReadonlyMap<string, Observations> {
    return this.#rows
  }

  get isAllReachable(): boolean {
    for (const { unreachable } of this.#rows.values()) if (unreachable.size > 0) return false
    return true
  }

  /** What `observer` says of `subject` from now on. Unchanged opinions change nothing. */
  observed(observer: string, subject: string, isReachable: boolean): Reachability {
    const row = this.#rows.get(observer) ?? { version: 0, unreachable: NOBODY }
    if (row.unreachable.has(subject) === !isReachable) return this
    const unreachable = new Set(row.unreachable)
    if (isReachable) unreachable.delete(subject)
    else unreachable.add(subject)
    const rows = new Map(this.#rows)
    rows.set(observer, { version: row.version + 1, unreachable })
    return new Reachability(rows)
  }

  saysUnreachable(observer: string, subject: string): boolean {
    return this.#rows.get(observer)?.unreachable.has(subject) === true
  }

  /** All who are unreachable for somebody, not counting what `ignored` observers say. */
  unreachable(ignored: ReadonlySet<string> = NOBODY): ReadonlySet<string> {
    const all = new Set<string>()
    for (const [observer, row] of this.#rows) {
      if (ignored.has(observer)) continue
      for (const subject of row.unreachable) all.add(subject)
    }
    return all
  }

  merge(that: Reachability, isMember: (key: string) => boolean): Reachability {
    const rows = new Map<string, Observations>()
    for (const observer of new Set([...this.#rows.keys(), ...that.#rows.keys()])) {
      if (!isMember(observer)) continue
      const mine = this.#rows.get(observer)
      const theirs = that.#rows.get(observer)
      const row = (mine?.version ?? -1) >= (theirs?.version ?? -1) ? mine : theirs
      if (row !== undefined) rows.set(observer, pruned(row, isMember))
    }
    return new Reachability(rows)
  }

  /** Without rows of, and opinions about, those who are no members any more. */
  retain(isMember: (key: string) => boolean): Reachability {
    return this.merge(Reachability.none, isMember)
  }

  equals(that: Reachability): boolean {
    return this.toString() === that.toString()
  }

  toString(): string {
    return [...this.#rows]
      .sort(([a], [b]) => compareText(a, b))
      .map(
        ([observer, row]) =>
          `${observer}@${row.version}:${[...row.unreachable].sort(compareText).join()}`,
      )
      .join(' ')
  }
}

function pruned(row: Observations, isMember: (key: string) => boolean): Observations {
  const unreachable = [...row.unreachable].filter(isMember)
  return unreachable.length === row.unreachable.size
    ? row
    : { version: row.version, unreachable: new Set(unreachable) }
}

const NOBODY: ReadonlySet<string> = new Set()
