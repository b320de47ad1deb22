import { describe, expect, it } from 'vitest'
import { colours, InPlace } from './terminal.ts'

/** A terminal as far as needed: what is on it after the codes that `InPlace` writes. */
function screenOf(columns: number, rows: number) {
  const lines: string[] = ['']
  let row = 0
  let text = ''
  const write = (written: string): void => {
    text += written
    // oxlint-disable-next-line no-control-regex -- terminals are driven by control characters
    for (const [token] of written.matchAll(/\u001b\[\??[0-9;]*[A-Za-z]|\n|\r|[^\u001b\n\r]+/g)) {
      const code = token.startsWith('\u001b') ? token.at(-1) : undefined
      if (token === '\n') lines[++row] ??= ''
      else if (code === 'A') row -= Number(token.slice(2, -1))
      else if (code === 'J') lines.splice(row + 1)
      else if (code === undefined && token !== '\r') lines[row] = token
    }
  }
  return { columns, rows, write, shown: () => lines.slice(0, row), text: () => text }
}

describe('a summary in place', () => {
  it('covers the one before', () => {
    const screen = screenOf(80, 24)
    const inPlace = new InPlace(screen)

    inPlace.show(['one', 'two', 'three'])
    inPlace.show(['four', 'five'])

    expect(screen.shown()).toEqual(['four', 'five'])
  })

  it('cuts what does not fit, so that no line wraps', () => {
    const screen = screenOf(6, 3)
    new InPlace(screen).show(['abcdefghij', 'two', 'three'])

    expect(screen.shown()).toEqual(['abcde', 'two'])
  })

  it('leaves out empty lines where there is not room for all', () => {
    const screen = screenOf(80, 4)
    const inPlace = new InPlace(screen)

    inPlace.show(['one', '', 'two'])
    expect(screen.shown()).toEqual(['one', '', 'two'])
    inPlace.show(['one', '', 'two', 'three', 'four'])
    expect(screen.shown()).toEqual(['one', 'two', 'three'])
  })

  it('does not count colours as width, and ends them when it cuts', () => {
    const screen = screenOf(6, 3)
    new InPlace(screen).show([colours('good', 'abcde'), colours('bad', 'abcdefgh')])

    expect(screen.text()).toContain('\u001b[32mabcde\u001b[0m')
    expect(screen.text()).toContain('\u001b[31;1mabcde\u001b[0m')
    expect(screen.text()).not.toContain('f')
  })

  it('hides the cursor while it shows, and gives it back', () => {
    const screen = screenOf(80, 24)
    const inPlace = new InPlace(screen)
    inPlace.show(['one'])
    inPlace.end()
    inPlace.end()

    expect(screen.text().split('\u001b[?25l')).toHaveLength(2)
    expect(screen.text().split('\u001b[?25h')).toHaveLength(2)
  })
})
