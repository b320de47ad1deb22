import { describe, expect, it } from 'vitest'
import { Quorum } from './quorum.ts'

const others = ['b', 'c', 'd', 'e']

describe('a quorum of two of four', () => {
  it('asks everybody at once, and is done with the second answer', () => {
    const quorum = new Quorum(others, 2)

    expect(quorum.start()).toEqual(others.map((to) => ({ type: 'Send', to })))
    expect(quorum.answered('b')).toEqual([])
    expect(quorum.answered('d')).toEqual([{ type: 'Done', outcome: 'Success' }])
  })

  it('counts a node once, however often it answers, and strangers never', () => {
    const quorum = new Quorum(others, 2)
    quorum.start()

    expect([...quorum.answered('b'), ...quorum.answered('b'), ...quorum.answered('x')]).toEqual([])
    expect(quorum.answered('c')).toEqual([{ type: 'Done', outcome: 'Success' }])
  })

  it('asks those again who have said nothing', () => {
    const quorum = new Quorum(others, 2)
    quorum.start()
    quorum.answered('b')
    quorum.refused('c')

    expect(quorum.again()).toEqual([
      { type: 'Send', to: 'd' },
      { type: 'Send', to: 'e' },
    ])
  })

  it('fails as soon as the others are not enough', () => {
    const quorum = new Quorum(others, 2)
    quorum.start()
    quorum.refused('b')
    quorum.refused('c')

    expect(quorum.refused('d')).toEqual([{ type: 'Done', outcome: 'Failure' }])
  })

  it('does not count the answer of a node that is gone', () => {
    const quorum = new Quorum(others, 2)
    quorum.start()
    quorum.answered('b')
    quorum.refused('b')

    expect(quorum.answered('c')).toEqual([])
    expect(quorum.answered('b')).toEqual([])
    expect(quorum.answered('d')).toEqual([{ type: 'Done', outcome: 'Success' }])
  })

  it('says nothing after it has said Timeout', () => {
    const quorum = new Quorum(others, 2)
    quorum.start()

    expect(quorum.timedOut()).toEqual([{ type: 'Done', outcome: 'Timeout' }])
    expect([
      ...quorum.answered('b'),
      ...quorum.answered('c'),
      ...quorum.refused('d'),
      ...quorum.again(),
      ...quorum.timedOut(),
    ]).toEqual([])
  })
})

it('is done at once when nobody has to answer', () => {
  expect(new Quorum(others, 0).start()).toEqual([{ type: 'Done', outcome: 'Success' }])
})

it('fails at once when there are too few, and asks them nevertheless', () => {
  expect(new Quorum(['b'], 2).start()).toEqual([
    { type: 'Send', to: 'b' },
    { type: 'Done', outcome: 'Failure' },
  ])
})
