import { describe, expect, it } from 'vitest'
import { Peer } from './peer.ts'

const node = { address: 'b:1', uid: 'B' }

function peer(settings: Partial<{ windowBytes: number; resendMs: number }> = {}): Peer {
  return new Peer(node, { windowBytes: 1_000, resendMs: 500, ...settings })
}

/** A peer that has got, and knows that it has got, all that was here when it came. */
function knownPeer(settings: Partial<{ windowBytes: number; resendMs: number }> = {}): Peer {
  const known = peer(settings)
  known.acknowledged(known.announced(0), 1)
  return known
}

describe('a node that keeps up', () => {
  it('costs nothing once it has acknowledged', () => {
    const b = knownPeer()
    b.needs('k', 3, 5)
    const number = b.sent('k', 3, 5, 10, 0)

    expect([...b.due]).toEqual([])
    expect(b.has('k', 5)).toBe(false)
    b.acknowledged(number, 1)
    expect(b.has('k', 5)).toBe(true)
    expect([b.behind, b.inFlight]).toEqual([0, 0])
  })

  it('is sent the next change while the last is still on its way', () => {
    const b = knownPeer()
    b.needs('k', 3, 5)
    const first = b.sent('k', 3, 5, 10, 0)
    b.needs('k', 5, 6)

    expect(b.nextOf('k')).toBe(5)
    const second = b.sent('k', 5, 6, 10, 1)
    b.acknowledged(first, 1)
    expect(b.has('k', 5)).toBe(true)
    expect(b.has('k', 6)).toBe(false)
    b.acknowledged(second, 1)
    expect(b.behind).toBe(0)
  })
})

describe('a message that is not acknowledged', () => {
  it('is sent again after its time, from the last acknowledged change on', () => {
    const b = knownPeer()
    b.needs('k', 3, 5)
    b.sent('k', 3, 5, 10, 0)
    b.needs('k', 5, 6)
    b.sent('k', 5, 6, 10, 100)

    expect(b.overdue(499)).toBe(false)
    expect(b.overdue(500)).toBe(true)
    expect([...b.due]).toEqual(['k'])
    expect(b.nextOf('k')).toBe(3)
  })

  it('leaves a gap that later acknowledgements do not cover up', () => {
    const b = knownPeer()
    b.needs('k', 3, 5)
    b.sent('k', 3, 5, 10, 0)
    b.needs('k', 5, 6)
    b.acknowledged(b.sent('k', 5, 6, 10, 1), 1)

    expect(b.has('k', 6)).toBe(false)
    b.overdue(500)
    expect(b.nextOf('k')).toBe(3)
  })

  it('is not believed any more after it counted as lost', () => {
    const b = knownPeer()
    b.needs('k', 3, 5)
    const number = b.sent('k', 3, 5, 10, 0)
    b.overdue(500)

    expect(b.acknowledged(number, 1)).toBeUndefined()
    expect(b.has('k', 5)).toBe(false)
  })

  it('makes the next attempts rarer, until something comes back', () => {
    const b = knownPeer()
    b.needs('k', 0, 1)
    b.sent('k', 0, 1, 10, 0)
    b.overdue(500)
    b.sent('k', 0, 1, 10, 500)

    expect(b.overdue(1_499)).toBe(false)
    expect(b.overdue(1_500)).toBe(true)
    const number = b.sent('k', 0, 1, 10, 1_500)
    b.acknowledged(number, 1)
    b.needs('k', 1, 2)
    b.sent('k', 1, 2, 10, 1_600)
    expect(b.overdue(2_100)).toBe(true)
  })

  it('is waited for longer when the node has been answering late', () => {
    const b = knownPeer()
    for (let at = 0; at < 20_000; at += 1_000) {
      b.needs('k', at, at + 1)
      const number = b.sent('k', at, at + 1, 10, at)
      b.acknowledged(number, at + 400)
    }
    b.needs('k', 20_000, 20_001)
    b.sent('k', 20_000, 20_001, 10, 20_000)

    expect(b.overdue(21_000)).toBe(false)
    expect(b.overdue(21_700)).toBe(true)
  })

  it('goes at once when the node can be reached again', () => {
    const b = knownPeer()
    b.needs('k', 0, 1)
    b.sent('k', 0, 1, 10, 0)
    b.overdue(500)
    b.sent('k', 0, 1, 10, 500)
    b.reachable()

    expect(b.nextOf('k')).toBe(0)
    expect(b.hasRoom).toBe(true)
  })
})

it('a node that has answered already is not sent again what is on its way', () => {
  const b = knownPeer()
  b.needs('k', 0, 1)
  const number = b.sent('k', 0, 1, 10, 0)
  b.reachable()

  expect(b.nextOf('k')).toBeUndefined()
  b.acknowledged(number, 1)
  expect(b.behind).toBe(0)
})

describe('the window', () => {
  it('lets so many bytes be on their way and no more', () => {
    const b = knownPeer({ windowBytes: 100 })
    b.needs('k', 0, 9)
    const first = b.sent('k', 0, 3, 60, 0)
    expect(b.hasRoom).toBe(true)
    b.sent('k', 3, 6, 60, 0)

    expect(b.hasRoom).toBe(false)
    b.acknowledged(first, 1)
    expect(b.hasRoom).toBe(true)
    expect(b.nextOf('k')).toBe(6)
  })

  it('is a few messages for a node that does not answer', () => {
    const b = knownPeer({ windowBytes: 1_000_000 })
    for (let i = 0; i < 20; i++) b.needs(`k${i}`, 0, 1)
    for (const name of b.due) b.sent(name, 0, 1, 1, 0)
    b.overdue(500)
    let probes = 0
    for (const name of b.due) {
      if (!b.hasRoom) break
      b.sent(name, 0, 1, 1, 500)
      probes++
    }

    expect(probes).toBe(8)
  })
})

describe('a new node', () => {
  it('is told that it has everything after the last key was acknowledged, not before', () => {
    const b = peer()
    b.needsInitially('k', 4)
    b.needsInitially('l', 1)
    expect(b.wantsAnnouncement).toBe(false)
    b.acknowledged(b.sent('k', 0, 2, 10, 0), 1)
    b.acknowledged(b.sent('l', 0, 1, 10, 0), 1)
    expect(b.wantsAnnouncement).toBe(false)
    b.acknowledged(b.sent('k', 2, 4, 10, 0), 1)

    expect(b.wantsAnnouncement).toBe(true)
    const number = b.announced(1)
    expect(b.wantsAnnouncement).toBe(false)
    b.overdue(501)
    expect(b.wantsAnnouncement).toBe(true)
    expect(b.acknowledged(number, 1)).toBeUndefined()
    b.acknowledged(b.announced(501), 1)
    expect(b.isUpToDate).toBe(true)
  })

  it('has everything also when it refuses a key', () => {
    const b = peer()
    b.needsInitially('k', 4)
    b.refused(b.sent('k', 0, 4, 10, 0))

    expect(b.wantsAnnouncement).toBe(true)
    expect(b.behind).toBe(0)
  })
})

it('a repair begins at the beginning, whatever was acknowledged', () => {
  const b = knownPeer()
  b.needs('k', 3, 5)
  const number = b.sent('k', 3, 5, 10, 0)
  b.needsAgain('k', 5)

  expect(b.nextOf('k')).toBe(0)
  b.acknowledged(number, 1)
  expect(b.has('k', 5)).toBe(false)
  b.acknowledged(b.sent('k', 0, 5, 10, 1), 1)
  expect(b.has('k', 5)).toBe(true)
})
