import type { Paint, Tone } from './text-table.ts'

const ESC = '\u001b'
/** What gives a terminal its cursor back. */
export const SHOW_CURSOR: string = `${ESC}[?25h`

/** The part of a terminal that the summary needs. */
export interface Screen {
  readonly columns: number
  readonly rows: number
  write(text: string): void
}

/**
 * Shows lines in place: each `show` covers what the last one wrote, and nothing else. Lines that do
 * not fit are cut, because a wrapped line would shift everything below it.
 */
export class InPlace {
  readonly #screen: Screen
  #linesShown = 0

  constructor(screen: Screen) {
    this.#screen = screen
  }

  show(lines: readonly string[]): void {
    const { columns, rows } = this.#screen
    const room = Math.max(1, rows - 1)
    // On a low terminal the figures are worth more than the space between them.
    const dense = lines.length > room ? lines.filter((line) => line !== '') : lines
    const fitting = dense.slice(0, room).map((line) => cut(line, columns - 1))
    const up = this.#linesShown > 0 ? `${ESC}[${this.#linesShown}A\r` : HIDE_CURSOR
    // Each line is written over the old one and the rest of it erased: nothing flickers.
    const text = fitting.map((line) => `${line}${ESC}[K\n`).join('')
    this.#screen.write(`${up}${text}${ESC}[J`)
    this.#linesShown = fitting.length
  }

  /** Leaves what is shown where it is and gives the cursor back. */
  end(): void {
    if (this.#linesShown > 0) this.#screen.write(SHOW_CURSOR)
    this.#linesShown = 0
  }
}

/** Colours of the terminal's own palette, so that they fit its background. */
export const colours: Paint = (tone, text) => {
  const code = CODES[tone]
  return code === '' ? text : `${ESC}[${code}m${text}${ESC}[0m`
}

export const noColours: Paint = (_, text) => text

/** Cuts to `width` visible characters; colours take no room. */
function cut(line: string, width: number): string {
  let visible = 0
  let at = 0
  while (at < line.length) {
    const colour = COLOUR.exec(line.slice(at))?.[0]
    if (colour !== undefined) {
      at += colour.length
      continue
    }
    if (visible === width) return `${line.slice(0, at)}${line.includes(ESC) ? `${ESC}[0m` : ''}`
    visible++
    at++
  }
  return line
}

const COLOUR = new RegExp(`^${ESC}\\[[0-9;]*m`)
const HIDE_CURSOR = `${ESC}[?25l`
const CODES: Readonly<Record<Tone, string>> = {
  plain: '',
  strong: '1',
  quiet: '2',
  good: '32',
  bad: '31;1',
}
