import { describe, expect, it } from 'vitest'
import { encodeState, formatDigest, type Replica } from './crdt.ts'
import { CrdtError } from './errors.ts'
import { HybridClock } from './hybrid-clock.ts'
import { LWWMap } from './lww-map.ts'
import { ByteReader, ByteWriter } from './wire/index.ts'

function fixture() {
  let now = 1_000_000
  const replica = (id: string, skewMs = 0) => new HybridClock(id, { wallMs: () => now + skewMs })
  const map = (clock: Replica) => LWWMap.create<string, unknown>(clock)
  return {
    replica,
    map,
    a: map(replica('a')),
    b: map(replica('b')),
    advance: (byMs: number) => void (now += byMs),
  }
}

type Numbers = LWWMap<string, unknown>
const merge = (into: Numbers, from: Numbers) => into.merge(new ByteReader(encodeState(from)))
const sync = (a: Numbers, b: Numbers) => [merge(a, b), merge(b, a)]

describe('a map of the last writers', () => {
  it('keeps the later of two puts on all replicas', () => {
    const { a, b, advance } = fixture()
    b.put('k', 'early')
    advance(1)
    a.put('k', 'late')
    sync(a, b)

    expect([a.get('k'), b.get('k')]).toEqual(['late', 'late'])
  })

  it('lets the greater replica id win within the same stamp', () => {
    const { a, b } = fixture()
    a.put('k', 'from a')
    b.put('k', 'from b')
    sync(a, b)

    expect([a.get('k'), b.get('k')]).toEqual(['from b', 'from b'])
  })

  it('lets a put win over what its writer has seen, even from a slow clock', () => {
    const { map, replica } = fixture()
    const fast = map(replica('fast', 5_000))
    const slow = map(replica('slow', -5_000))
    fast.put('k', 'seen')
    merge(slow, fast)
    slow.put('k', 'corrected')
    sync(slow, fast)

    expect(fast.get('k')).toBe('corrected')
  })

  it('lets a removal beat an older put that arrives later', () => {
    const { a, b, advance } = fixture()
    b.put('k', 1)
    advance(1)
    a.remove('k')
    merge(a, b)

    expect(a.has('k')).toBe(false)
    expect(a.get('k')).toBeUndefined()
    expect([a.size, a.tombstones]).toEqual([0, 1])
  })

  it('lets a put come back after a removal', () => {
    const { a, b } = fixture()
    a.put('k', 1)
    a.remove('k')
    a.put('k', 2)
    sync(a, b)

    expect([...b.entries()]).toEqual([['k', 2]])
    expect(b.tombstones).toBe(0)
  })

  it('forgets removals only when told to, and only old ones', () => {
    const { a, advance } = fixture()
    a.remove('old')
    advance(100)
    a.remove('new')

    expect(a.forgetTombstones(1_000_050)).toBe(1)
    expect(a.tombstones).toBe(1)
    expect([...a.changedSince(0)]).toEqual(['new'])
  })

  it('refuses entries stamped more than a minute ahead and takes the others', () => {
    const { map, replica, a } = fixture()
    const astray = map(replica('astray', 60_001))
    const good = map(replica('good'))
    astray.put('future', 1)
    good.put('now', 2)
    merge(good, astray)
    merge(astray, good)

    expect(merge(a, astray)).toBe(true)
    expect(a.toJSON()).toEqual({ now: 2 })
  })

  it('has the same digest as a replica that never saw what is gone', () => {
    const { a, b } = fixture()
    a.put('k', 1)
    const before = formatDigest(a.digest)
    a.put('gone', 1)
    expect(formatDigest(a.digest)).not.toBe(before)
    a.remove('gone')

    expect(formatDigest(a.digest)).toBe(before)
    expect(formatDigest(b.digest)).toBe('0000000000000000')
  })

  it('sends a hundredth of a large map for one change', () => {
    const { a } = fixture()
    for (let i = 0; i < 1_000; i++) a.put(`key-${i}`, i)
    const { changes } = a
    a.put('key-5', -1)
    const writer = new ByteWriter()
    const upTo = a.writeChanges(writer, changes, 1_000)

    expect(upTo).toBe(a.changes)
    expect([...a.changedSince(changes)]).toEqual(['key-5'])
    expect(writer.length).toBeLessThan(encodeState(a).length / 100)
  })

  it('keeps to the bytes it may write, except that one entry always goes', () => {
    const { a } = fixture()
    for (let i = 0; i < 100; i++) a.put(`key-${i}`, 'x'.repeat(50))
    a.put('large', 'x'.repeat(5_000))
    const sizes: number[] = []
    for (let since = 0; since < a.changes;) {
      const writer = new ByteWriter()
      since = a.writeChanges(writer, since, 1_000)
      sizes.push(writer.length)
    }

    expect(sizes.filter((size) => size > 1_001)).toEqual([sizes.at(-1)])
    expect(sizes).toHaveLength(8)
  })

  it.each<[string, unknown]>([
    ['an empty key', ''],
    ['a long key', 'x'.repeat(1_001)],
    ['half a surrogate pair', '\udc00'],
    ['a number', 5],
  ])('refuses %s as a key', (_name, key) => {
    const { a } = fixture()

    expect(() => a.put(key as string, 1)).toThrow(CrdtError)
    expect(() => a.remove(key as string)).toThrow(CrdtError)
    expect(a.changes).toBe(0)
  })

  it('refuses what cannot be sent, and stays as it was', () => {
    const { a } = fixture()
    a.put('k', 1)

    expect(() => a.put('k', () => 1)).toThrow(CrdtError)
    expect(() => a.put('k', 'x'.repeat(70_000))).toThrow(CrdtError)
    expect(a.get('k')).toBe(1)
    expect(a.changes).toBe(1)
  })

  it('takes any name for a key', () => {
    const { a, b } = fixture()
    a.put('__proto__', { polluted: true })
    a.put('constructor', 1)
    merge(b, a)

    expect(b.get('__proto__')).toEqual({ polluted: true })
    expect(Object.keys(b.toJSON()).sort()).toEqual(['__proto__', 'constructor'])
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })
})
