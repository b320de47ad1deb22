import { describe, expect, it } from 'vitest'
import { encodeState, formatDigest } from './crdt.ts'
import { CrdtError } from './errors.ts'
import { HybridClock } from './hybrid-clock.ts'
import { ORSet } from './or-set.ts'
import { ByteReader, ByteWriter } from './wire/index.ts'

const set = (id: string) => ORSet.create<unknown>(new HybridClock(id, { wallMs: () => 1 }))
type Elements = ORSet<unknown>
const merge = (into: Elements, from: Elements) => into.merge(new ByteReader(encodeState(from)))

function deltaOf(from: Elements, since: number, bytesMax = 1_000_000): [Uint8Array, number] {
  const writer = new ByteWriter()
  const upTo = from.writeChanges(writer, since, bytesMax)
  return [writer.finish(), upTo]
}

describe('a set in which adding wins', () => {
  it('keeps an element that is added while it is removed elsewhere', () => {
    const [a, b] = [set('a'), set('b')]
    a.add('x')
    merge(b, a)
    a.remove('x')
    b.add('x')
    merge(a, b)
    merge(b, a)

    expect([a.has('x'), b.has('x')]).toEqual([true, true])
  })

  it('removes what the remover has seen, everywhere', () => {
    const [a, b] = [set('a'), set('b')]
    a.add('x')
    b.add('x')
    merge(b, a)

    expect(b.remove('x')).toBe(true)
    merge(a, b)
    expect(a.size).toBe(0)
    merge(a, set('c'))
    expect(a.size).toBe(0)
  })

  it('does not bring back an element when an old delta comes again', () => {
    const [a, b] = [set('a'), set('b')]
    a.add('x')
    const [added] = deltaOf(a, 0)
    a.remove('x')
    merge(b, a)

    expect(b.merge(new ByteReader(added))).toBe(false)
    expect(b.has('x')).toBe(false)
  })

  it('heals a delta that was lost and came late, out of order', () => {
    const [a, b] = [set('a'), set('b')]
    a.add('x')
    const [first, upTo] = deltaOf(a, 0)
    a.add('y')
    const [second] = deltaOf(a, upTo)
    b.merge(new ByteReader(second))
    expect(b.toJSON()).toEqual(['y'])
    b.merge(new ByteReader(first))

    expect(new Set(b.values())).toEqual(new Set(['x', 'y']))
    expect(formatDigest(b.digest)).toBe(formatDigest(a.digest))
  })

  it('compares elements by content and keeps kinds apart', () => {
    const a = set('a')
    for (const each of [1, '1', { k: 1, l: 2 }, { l: 2, k: 1 }, [1], [1], '\u0000x', null])
      a.add(each)

    expect(a.size).toBe(6)
    expect(a.has({ l: 2, k: 1 })).toBe(true)
    expect(a.has('\u0000y')).toBe(false)
  })

  it('is small when all has been removed', () => {
    const a = set('a')
    for (let i = 0; i < 10_000; i++) a.add(i)
    for (let i = 0; i < 10_000; i++) a.remove((i * 7_919) % 10_000)

    expect(a.size).toBe(0)
    expect(encodeState(a).length).toBeLessThan(20)
  })

  it('tells a peer that is far behind about removals it has stopped keeping apart', () => {
    const [a, behind] = [set('a'), set('behind')]
    for (let i = 0; i < 6_000; i++) a.add(i)
    merge(behind, a)
    const { changes } = a
    for (let i = 0; i < 6_000; i += 2) a.remove(i)
    a.add('new')
    for (let since = changes; since < a.changes;) {
      const [delta, upTo] = deltaOf(a, since, 500)
      expect(upTo).toBeGreaterThan(since)
      behind.merge(new ByteReader(delta))
      since = upTo
    }

    expect(behind.size).toBe(3_001)
    expect(formatDigest(behind.digest)).toBe(formatDigest(a.digest))
    expect(encodeState(behind)).toEqual(encodeState(a))
  })

  it('never lacks an element in between while it is added again', () => {
    const [a, b] = [set('a'), set('b')]
    a.add('x')
    merge(b, a)
    let since = a.changes
    a.add('x')
    while (since < a.changes) {
      const [delta, upTo] = deltaOf(a, since, 1)
      b.merge(new ByteReader(delta))
      since = upTo
      expect(b.has('x')).toBe(true)
    }
  })

  it('names what was added and what was removed since', () => {
    const a = set('a')
    a.add('old')
    a.add('gone')
    const { changes } = a
    a.add('new')
    a.remove('gone')

    expect(new Set(a.changedSince(changes))).toEqual(new Set(['gone', 'new']))
  })

  it('is empty after clear, and removing what is not there changes nothing', () => {
    const a = set('a')
    a.add('x')
    a.add('y')
    a.clear()
    const { changes } = a

    expect(a.toJSON()).toEqual([])
    expect(a.remove('x')).toBe(false)
    expect(a.changes).toBe(changes)
  })

  it('refuses what cannot be sent', () => {
    const a = set('a')

    expect(() => a.add(() => 1)).toThrow(CrdtError)
    expect(() => a.has(() => 1)).toThrow(CrdtError)
    expect(a.changes).toBe(0)
  })
})
