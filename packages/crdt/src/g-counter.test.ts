import { describe, expect, it } from 'vitest'
import { encodeState } from './crdt.ts'
import { CrdtError } from './errors.ts'
import { GCounter } from './g-counter.ts'
import { HybridClock } from './hybrid-clock.ts'
import { ByteReader, ByteWriter, WireError } from './wire/index.ts'

const counter = (id: string) => GCounter.create(new HybridClock(id, { wallMs: () => 1 }))
const merge = (into: GCounter, from: GCounter) => into.merge(new ByteReader(encodeState(from)))

describe('a counter', () => {
  it('is the sum of what each replica added, however often it is merged', () => {
    const [a, b] = [counter('a'), counter('b')]
    a.increment()
    a.increment(4)
    b.increment(2)

    expect(merge(a, b)).toBe(true)
    expect(merge(a, b)).toBe(false)
    merge(b, a)

    expect([a.value, b.value]).toEqual([7, 7])
    expect([...a.changedSince(2)]).toEqual(['b'])
  })

  it('changes nothing when incremented by 0', () => {
    const a = counter('a')
    a.increment(0)

    expect(a.changes).toBe(0)
  })

  it.each([-1, 0.5, Number.NaN, Infinity, 2 ** 53])('refuses an increment by %d', (by) => {
    const a = counter('a')

    expect(() => a.increment(by)).toThrow(CrdtError)
    expect(a.value).toBe(0)
  })

  it('writes one slot for many increments', () => {
    const a = counter('a')
    for (let i = 0; i < 1_000; i++) a.increment()
    const writer = new ByteWriter()
    a.writeChanges(writer, 0, 1_000)

    expect(writer.length).toBeLessThan(8)
  })

  it('includes what it has merged, and nothing it has not', () => {
    const [a, b] = [counter('a'), counter('b')]
    b.increment(5)

    expect(b.includes(a)).toBe(true)
    expect(a.includes(b)).toBe(false)
    merge(a, b)
    expect(a.includes(b)).toBe(true)
  })

  it('refuses a slot that comes twice, without having taken the first', () => {
    const a = counter('a')
    const twice = Uint8Array.of(1, 1, 98, 5, 1, 1, 98, 6, 0)

    expect(() => a.merge(new ByteReader(twice))).toThrow(WireError)
    expect(a.value).toBe(0)
  })
})
