import { describe, expect, it } from 'vitest'
import { checkName, generatedName, nameFor } from './actor-path.ts'

describe('the name of an actor', () => {
  it.each(['account-1', 'a', 'A_b.c*d', "x+:@&=,!~';", 'caf%c3%a9', 'a$b'])('may be %s', (name) => {
    expect(() => checkName(name)).not.toThrow()
  })

  it.each(['', '$a', 'a/b', 'a b', 'ä', '%', '%4', 'a%zz', 'a#1', 'a\n'])(
    'may not be %j, and the error says what may be',
    (name) => {
      expect(() => checkName(name)).toThrow(/cannot name an actor: use letters/)
    },
  )

  it('is made of any text, and different texts get different names', () => {
    const texts = ['plain', '', 'ä', 'a b', 'a%20b', '%20', '$a', 'a/b', '雪', '%00', '\u0000']
    const names = texts.map(nameFor)

    for (const name of names) expect(() => checkName(name)).not.toThrow()
    expect(new Set(names).size).toBe(texts.length)
    expect(nameFor('plain')).toBe('plain')
  })

  it('is given to nameless children in order', () => {
    expect([0, 1, 25, 26, 35, 36, 37].map(generatedName)).toEqual([
      '$a',
      '$b',
      '$z',
      '$0',
      '$9',
      '$ba',
      '$bb',
    ])
  })
})
