import { GCounter, HybridClock, LWWMap } from '@troupe/crdt'
import { ByteWriter } from '@troupe/crdt/wire'
import { describe, expect, it } from 'vitest'
import type { AnyKey } from './key.ts'
import { GCounterKey, LWWMapKey } from './key.ts'
import { type Entry, ReplicaTable } from './replica-table.ts'

const Prices = LWWMapKey.create<string, number>('prices')
const Views = GCounterKey.create('views')

function tableOf(id: string, messageBytesMax = 60_000, wallMs = 1_000_000) {
  const changed: string[] = []
  const table = new ReplicaTable(
    new HybridClock(id, { wallMs: () => wallMs }),
    { messageBytesMax, types: [] },
    (entry, since) => changed.push(`${entry.name} from ${since}`),
  )
  return { table, changed }
}

function put(table: ReplicaTable, key: string, value: number): Entry {
  table.update(Prices, (map: LWWMap<string, number>) => map.put(key, value), 0)
  return table.find('prices') as Entry
}

/** Everything `from` has of a key, in as many messages as it takes; how many that were. */
function copy(from: ReplicaTable, to: ReplicaTable, key: AnyKey): number {
  const entry = from.find(key.name) as Entry
  let messages = 0
  for (let upTo = 0; upTo < entry.changes; messages++) {
    const changes = from.changesOf(entry, upTo)
    upTo = changes.upTo
    to.merge(key.name, key.type.typeName, changes.state, 0)
  }
  return messages
}

describe('an update', () => {
  it('is there at once, and says from where on there is something new', () => {
    const { table, changed } = tableOf('A')
    put(table, 'apple', 3)
    put(table, 'pear', 4)

    expect(table.find('prices')?.value?.toJSON()).toEqual({ apple: 3, pear: 4 })
    expect(changed).toEqual(['prices from 0', 'prices from 1'])
  })

  it('that changes nothing leaves no key behind', () => {
    const { table, changed } = tableOf('A')

    expect(table.update(Prices, () => undefined, 0)).toEqual({
      type: 'Unchanged',
      entry: undefined,
    })
    expect([table.size, changed]).toEqual([0, []])
  })

  it('that throws keeps what it had done before', () => {
    const { table, changed } = tableOf('A')
    const fail = (map: LWWMap<string, number>): never => {
      map.put('apple', 3)
      throw new Error('halfway')
    }

    expect(() => table.update(Prices, fail, 0)).toThrow('halfway')
    expect(table.find('prices')?.value?.toJSON()).toEqual({ apple: 3 })
    expect(changed).toEqual(['prices from 0'])
  })

  it('of a key that has another type is refused, and harms nothing', () => {
    const { table } = tableOf('A')
    put(table, 'apple', 3)

    expect(() => table.update(GCounterKey.create('prices'), () => undefined, 0)).toThrow(
      expect.objectContaining({
        code: 'KEY_HAS_OTHER_TYPE',
        message: expect.stringContaining('prices is a LWWMap, not a GCounter') as string,
      }),
    )
    expect(table.find('prices')?.value?.toJSON()).toEqual({ apple: 3 })
  })
})

describe('changes from elsewhere', () => {
  it('make the same of a replica as the updates did', () => {
    const [a, b] = [tableOf('A').table, tableOf('B').table]
    put(a, 'apple', 3)
    put(b, 'pear', 4)
    copy(a, b, Prices)
    copy(b, a, Prices)

    expect(a.digests.root).toEqual(b.digests.root)
    expect(b.merge('prices', 'LWWMap', a.changesOf(a.find('prices') as Entry, 0).state, 0)).toBe(
      'Same',
    )
  })

  it('come in several messages when they are many', () => {
    const [a, b] = [tableOf('A', 500).table, tableOf('B').table]
    for (let i = 0; i < 200; i++) put(a, `key-${i}`, i)

    expect(copy(a, b, Prices)).toBeGreaterThan(3)
    expect(a.digests.root).toEqual(b.digests.root)
  })

  it('of an unknown type are refused', () => {
    expect(tableOf('A').table.merge('k', 'Mystery', new Uint8Array(), 0)).toBe('UnknownType')
  })

  it('of another type are refused, and the value stays', () => {
    const { table } = tableOf('A')
    put(table, 'apple', 3)

    expect(table.merge('prices', 'GCounter', new Uint8Array([0]), 0)).toBe('OtherType')
    expect(table.find('prices')?.value?.toJSON()).toEqual({ apple: 3 })
  })

  it.each([
    ['nothing at all', new Uint8Array()],
    ['noise', new Uint8Array([9, 9, 9])],
    ['something with more behind it', new Uint8Array([0, 1])],
  ])('that are %s are refused, and change nothing', (_, state) => {
    const { table, changed } = tableOf('A')

    expect(table.merge('prices', 'LWWMap', state, 0)).toBe('Undecodable')
    expect([table.size, changed]).toEqual([0, []])
  })

  it('with a stamp too far ahead are refused; the others of the message are taken', () => {
    const { table } = tableOf('A')
    const ahead = tableOf('B', 60_000, 2_000_000).table
    const now = tableOf('C').table
    put(now, 'pear', 1)
    copy(now, ahead, Prices)
    put(ahead, 'apple', 3)

    const { state } = ahead.changesOf(ahead.find('prices') as Entry, 0)
    expect(table.merge('prices', 'LWWMap', state, 0)).toBe('StampTooFarAhead')
    expect(table.find('prices')?.value?.toJSON()).toEqual({ pear: 1 })
  })
})

describe('a deleted key', () => {
  it('stays deleted, whatever is written or arrives', () => {
    const [a, b] = [tableOf('A').table, tableOf('B').table]
    put(a, 'apple', 3)
    put(b, 'pear', 4)
    a.delete('prices', 0)

    expect(a.update(Prices, () => undefined, 0)).toEqual({ type: 'Deleted' })
    const { state } = b.changesOf(b.find('prices') as Entry, 0)
    expect(a.merge('prices', 'LWWMap', state, 0)).toBe('Deleted')
    expect(a.find('prices')?.value).toBeUndefined()
    expect(a.delete('prices', 0)).toBeUndefined()
  })

  it('is the same whether its value was ever here or not', () => {
    const [a, b] = [tableOf('A').table, tableOf('B').table]
    put(a, 'apple', 3)
    a.delete('prices', 0)
    expect(a.digests.root).not.toEqual(b.digests.root)
    b.delete('prices', 0)

    expect(a.digests.root).toEqual(b.digests.root)
  })

  it('has a higher change number than anything before', () => {
    const { table } = tableOf('A')
    const before = put(table, 'apple', 3).changes
    table.delete('prices', 0)

    expect(table.find('prices')?.changes).toBe(before + 1)
  })
})

it('a key without content counts as if it were not there', () => {
  const { table } = tableOf('A')
  const empty = table.digests.root
  put(table, 'apple', 3)
  expect(table.digests.root).not.toEqual(empty)
  table.update(Prices, (map: LWWMap<string, number>) => map.remove('apple'), 0)

  expect(table.digests.root).toEqual(empty)
})

it('forgets removals by their age', () => {
  const { table } = tableOf('A')
  put(table, 'apple', 3)
  table.update(Prices, (map: LWWMap<string, number>) => map.remove('apple'), 0)
  table.update(Views, (counter: GCounter) => counter.increment(), 0)

  expect(table.collect(1_000_000)).toBe(0)
  expect(table.collect(1_000_001)).toBe(1)
  expect(table.find('prices')?.value).toMatchObject({ tombstones: 0 })
})

it('changes that are no longer there do not keep the sender busy', () => {
  const { table } = tableOf('A')
  put(table, 'apple', 3)
  const from = table.find('prices')?.changes ?? 0
  table.update(Prices, (map: LWWMap<string, number>) => map.remove('apple'), 0)
  table.collect(1_000_001)
  const entry = table.find('prices') as Entry

  expect(table.changesOf(entry, from).upTo).toBe(entry.changes)
})

it('reads what a plain value wrote', () => {
  const writer = new ByteWriter()
  const counter = GCounter.create(new HybridClock('B', { wallMs: () => 1 }))
  counter.increment(5)
  counter.writeState(writer)
  const { table } = tableOf('A')

  expect(table.merge('views', 'GCounter', writer.finish(), 0)).toBe('Changed')
  expect(table.find('views')?.value?.toJSON()).toBe(5)
})
