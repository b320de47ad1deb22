import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Ring } from './ring.ts'

describe('a ring', () => {
  it('behaves like an array with push, unshift and shift, whatever the order of calls', () => {
    const call = fc.oneof(
      fc.record({ type: fc.constant('push' as const), value: fc.nat() }),
      fc.record({ type: fc.constant('pushFront' as const), value: fc.nat() }),
      fc.record({ type: fc.constant('take' as const) }),
    )

    fc.assert(
      fc.property(fc.array(call, { maxLength: 200 }), (calls) => {
        const ring = new Ring()
        const model: number[] = []
        for (const each of calls) {
          if (each.type === 'push') {
            ring.push(each.value)
            model.push(each.value)
          } else if (each.type === 'pushFront') {
            ring.pushFront(each.value)
            model.unshift(each.value)
          } else expect(ring.take()).toBe(model.shift())
          expect(ring.size).toBe(model.length)
          expect(ring.isEmpty).toBe(model.length === 0)
        }
        while (model.length > 0) expect(ring.take()).toBe(model.shift())
        expect(ring.take()).toBeUndefined()
      }),
    )
  })

  it('keeps the order while it grows with its end before its beginning', () => {
    const ring = new Ring()
    for (let i = 0; i < 5; i++) ring.push(i)
    for (let i = 0; i < 5; i++) ring.take()
    for (let i = 0; i < 1_000; i++) ring.push(i)

    expect(Array.from({ length: 1_000 }, () => ring.take())).toEqual(
      Array.from({ length: 1_000 }, (_, i) => i),
    )
  })

  it('grows by doubling, and never while a place is free', () => {
    const ring = new Ring()
    expect(ring.places).toBe(8)
    for (let i = 0; i < 7; i++) ring.push(i)
    expect(ring.places).toBe(8)
    ring.push(7)
    expect(ring.places).toBe(16)
  })
})
