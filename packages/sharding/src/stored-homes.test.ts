import { describe, expect, it } from 'vitest'
import {
  firstEpochOf,
  type HomesToStore,
  readHomes,
  type StoredValue,
  writeHomes,
  writeTerm,
} from './stored-homes.ts'

const a = { address: 'a:1', uid: 'A' }
const b = { address: 'b:1', uid: 'B' }

class FakeMap extends Map<string, StoredValue> {
  put(key: string, value: StoredValue): void {
    this.set(key, value)
  }
  remove(key: string): void {
    this.delete(key)
  }
}

const at = (shard: number, node: typeof a, epoch: number): HomesToStore => ({
  shard,
  home: { node, epoch },
  epoch,
})

describe('stored homes', () => {
  it('are read back as they were written, with the term', () => {
    const map = new FakeMap()
    writeTerm(map, 3)
    writeHomes(map, 3, [at(5, a, 301), { shard: 6, home: undefined, epoch: 302 }])

    expect(readHomes(map)).toEqual({
      term: 3,
      homes: new Map([
        [5, { home: { node: a, epoch: 301 }, epoch: 301 }],
        [6, { home: undefined, epoch: 302 }],
      ]),
    })
  })

  it('of a later term win, whichever entry was stamped or comes last', () => {
    const map = new FakeMap()
    writeHomes(map, 4, [at(5, b, 401)])
    map.set('5|3', [399, a.address, a.uid])

    expect(readHomes(map).homes.get(5)?.home?.node).toEqual(b)
    expect(readHomes([...map].reverse()).homes.get(5)?.home?.node).toEqual(b)
  })

  it('take the place of what earlier terms said of the same shards, and of nothing else', () => {
    const map = new FakeMap()
    writeHomes(map, 1, [at(5, a, 101), at(6, a, 102)])
    writeHomes(map, 2, [at(5, b, 201)])

    expect([...map.keys()].sort()).toEqual(['5|2', '6|1'])
  })

  it('of a coordinator that was overruled leave those of its successor alone', () => {
    const map = new FakeMap()
    writeHomes(map, 4, [at(5, b, 401)])
    writeHomes(map, 3, [at(5, a, 399)])

    expect(readHomes(map).homes.get(5)?.home?.node).toEqual(b)
  })

  it('count a term that wrote homes even if its claim is missing', () => {
    const map = new FakeMap()
    writeHomes(map, 7, [at(5, a, 701)])

    expect(readHomes(map).term).toBe(7)
  })

  it('leave out what makes no sense', () => {
    const nonsense: [string, unknown][] = [
      ['5|x', [1]],
      ['|1', [1]],
      ['5|1', 'text'],
      ['6|1', []],
      ['7|1', [-1, 'a:1', 'A']],
      ['8|1', [1.5]],
      ['term', ['many']],
    ]

    expect(readHomes(nonsense)).toEqual({ term: 0, homes: new Map() })
  })
})

describe('epochs', () => {
  it('of a term lie above all those of the term before, and stay whole numbers', () => {
    expect(firstEpochOf(2) - firstEpochOf(1)).toBeGreaterThan(10_000_000)
    expect(Number.isSafeInteger(firstEpochOf(100_000_000))).toBe(true)
  })
})
