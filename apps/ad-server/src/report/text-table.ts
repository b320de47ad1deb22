/** How a piece of text is meant; a terminal shows it in its own way. */
export type Tone = 'plain' | 'strong' | 'quiet' | 'good' | 'bad'

/** Dresses a text for its reader; must not change how wide it is. */
export type Paint = (tone: Tone, text: string) => string

export interface Cell {
  readonly text: string
  readonly tone?: Tone
}

export interface Column {
  readonly title: string
  readonly align: 'left' | 'right'
}

/** Rows under quiet titles, each column as wide as its widest cell. */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  paint: Paint,
): string[] {
  const titles = columns.map(({ title }): Cell => ({ text: title, tone: 'quiet' }))
  const all = [titles, ...rows]
  const widths = columns.map((_, i) => Math.max(...all.map((row) => row[i]?.text.length ?? 0)))
  return all.map((row) => {
    const cells = columns.map(({ align }, i) => {
      const { text, tone = 'plain' } = row[i] ?? { text: '' }
      const isLast = i === columns.length - 1
      const gap = ' '.repeat((widths[i] ?? 0) - text.length)
      const painted = text === '' ? '' : paint(tone, text)
      if (align === 'right') return gap + painted
      return isLast ? painted : painted + gap
    })
    return cells.join('  ').trimEnd()
  })
}

/** A bar of `width` places, filled to the share `part / whole`. */
export function barText(part: number, whole: number, width: number): string {
  const share = whole <= 0 ? 0 : Math.min(1, Math.max(0, part / whole))
  const full = Math.round(share * width)
  return '█'.repeat(full) + '░'.repeat(width - full)
}
