import type { RowCounts } from './traffic.ts'

/** Counts what becomes of each row of one recorded file. A row ends in exactly one of the two ways. */
export class RowTally {
  readonly #file: string
  readonly #refused = new Map<string, number>()
  #used = 0

  constructor(file: string) {
    this.#file = file
  }

  get used(): number {
    return this.#used
  }

  use(): void {
    this.#used++
  }

  /** `reason` names what is wrong, never the row's content: there must be few different ones. */
  refuse(reason: string): undefined {
    this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1)
  }

  counts(): RowCounts {
    const refused = Object.fromEntries([...this.#refused].sort(([, a], [, b]) => b - a))
    const read = [...this.#refused.values()].reduce((sum, count) => sum + count, this.#used)
    return { file: this.#file, read, used: this.#used, refused }
  }
}

/** The lines of a file without its header; a file may lack it. Blank lines are no rows. */
export function rowsOf(text: string, header: string): string[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '')
  if (lines[0]?.replace(/^\uFEFF/, '') === header) lines.shift()
  return lines
}

/** Reads `2011-07-01 00:00:01`, which is UTC, or the same in ISO form. */
export function timeOf(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:Z|\+00:00)?$/.test(text)) return undefined
  const ms = Date.parse(`${text.slice(0, 10)}T${text.slice(11, 19)}Z`)
  // `Date.parse` takes the 30th of February for the 2nd of March; a round trip shows it.
  return Number.isFinite(ms) && new Date(ms).toISOString().startsWith(text.slice(0, 10))
    ? ms
    : undefined
}
