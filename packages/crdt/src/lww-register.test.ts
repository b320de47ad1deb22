import { describe, expect, it } from 'vitest'
import { encodeState } from './crdt.ts'
import { CrdtError } from './errors.ts'
import { HybridClock } from './hybrid-clock.ts'
import { LWWRegister } from './lww-register.ts'
import { ByteReader } from './wire/index.ts'

const register = (id: string, skewMs = 0) =>
  LWWRegister.create<unknown>(new HybridClock(id, { wallMs: () => 1_000_000 + skewMs }))
type Register = LWWRegister<unknown>
const merge = (into: Register, from: Register) => into.merge(new ByteReader(encodeState(from)))

describe('a register of the last writer', () => {
  it('is empty until it is set', () => {
    const [a, b] = [register('a'), register('b')]

    expect(a.value).toBeUndefined()
    expect(a.toJSON()).toBeNull()
    expect(merge(a, b)).toBe(false)
    expect([...a.changedSince(0)]).toEqual([])
  })

  it('keeps the later write on all replicas', () => {
    const [a, b] = [register('a', 1), register('b')]
    a.set('late')
    b.set('early')
    merge(a, b)
    merge(b, a)

    expect([a.value, b.value]).toEqual(['late', 'late'])
    expect(a.includes(b) && b.includes(a)).toBe(true)
  })

  it('lets the greater replica id win within the same stamp', () => {
    const [a, b] = [register('a'), register('b')]
    a.set(9)
    b.set(1)
    merge(a, b)
    merge(b, a)

    expect([a.value, b.value]).toEqual([1, 1])
  })

  it('refuses what is stamped more than a minute ahead', () => {
    const [a, astray] = [register('a'), register('astray', 60_001)]
    astray.set(1)

    expect(merge(a, astray)).toBe(false)
    expect(a.value).toBeUndefined()
  })

  it('refuses what cannot be sent', () => {
    const a = register('a')

    expect(() => a.set(undefined)).toThrow(CrdtError)
    expect(a.changes).toBe(0)
  })
})
