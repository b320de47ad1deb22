import { describe, expect, it } from 'vitest'
import { KeyedRandom } from './keyed-random.ts'

const draws = (random: KeyedRandom): number[] => Array.from({ length: 10 }, () => random.next())

describe('keyed chance', () => {
  it('repeats numbers, bytes and ids for the same seed, and differs for another', () => {
    const all = (seed: number): unknown[] => {
      const random = new KeyedRandom(seed)
      return [draws(random), [...random.bytes(20)], random.id(), random.below(1_000)]
    }

    expect(all(5)).toEqual(all(5))
    expect(all(5)).not.toEqual(all(6))
  })

  it('draws for one purpose independently of all others', () => {
    const plain = new KeyedRandom(1)
    const busy = new KeyedRandom(1)
    busy.next()
    busy.bytes(100)
    draws(busy.fork('delays'))
    const other = busy.fork('delays')
    draws(other)

    expect(draws(busy.fork('losses'))).toEqual(draws(plain.fork('losses')))
  })

  it('gives each further fork for one purpose a sequence of its own', () => {
    const random = new KeyedRandom(1)

    const first = draws(random.fork('x'))
    const second = draws(random.fork('x'))

    expect(first).not.toEqual(second)
    expect(first).not.toEqual(draws(random))
  })

  it('never takes two purposes for one, however they are spelt', () => {
    const a = new KeyedRandom(1).fork('a').fork('b')
    const b = new KeyedRandom(1).fork('a:0/1:b')

    expect(draws(a)).not.toEqual(draws(b))
  })

  it('spreads neighbouring seeds evenly', () => {
    const firsts = Array.from({ length: 1_000 }, (_, seed) => new KeyedRandom(seed).next())
    const quarters = [0, 0, 0, 0]
    for (const each of firsts) quarters[Math.floor(each * 4)]!++

    for (const count of quarters) expect(Math.abs(count - 250)).toBeLessThan(60)
  })

  it('makes ids like the real ones', () => {
    expect(new KeyedRandom('seed').id()).toMatch(/^[A-Za-z0-9_-]{21}$/)
  })
})
