import { encodeState, GCounter, HybridClock, LWWMap, mergeState, ORSet } from '@troupe/crdt'
import { ByteReader, ByteWriter } from '@troupe/crdt/wire'
import type { BenchCase, Suite } from './harness/bench-case.ts'
import { nsPer, verify } from './harness/measure.ts'

/**
 * Replicated values without a cluster. The raw floors are plain Maps and Sets and JSON: no stamps, no
 * index of changes, no check of what others send.
 */
export const suite: Suite = ({ quick }) => {
  const count = (full: number): number => (quick ? full / 20 : full)
  return [
    increments(count(2_000_000)),
    puts('texts', count(400_000), TEXT),
    puts('objects', count(400_000), { creative: 'cr-1', cpm: 2.5, expiresMs: 1.7e12 }),
    addsAndRemovals(count(200_000)),
    mergesOfAState(count(20)),
    deltas(count(2_000)),
  ]
}

function increments(times: number): BenchCase {
  return {
    name: 'increment',
    unit: 'ns/increment',
    ours: async () => {
      const counter = GCounter.create(clock('a'))
      const ns = await nsPer(times, () => {
        for (let i = 0; i < times; i++) counter.increment()
      })
      verify('sum', counter.value, times)
      return ns
    },
    raw: async () => {
      const slots = new Map([['a', { count: 0 }]])
      const ns = await nsPer(times, () => {
        for (let i = 0; i < times; i++) {
          const slot = slots.get('a')
          if (slot !== undefined) slot.count++
        }
      })
      verify('sum', slots.get('a')?.count, times)
      return ns
    },
  }
}

/** Over and over the same keys. */
function puts(what: string, times: number, value: unknown): BenchCase {
  const size = Math.min(times, KEYS.length)
  return {
    name: `put, ${what}, ${size} keys`,
    unit: 'ns/put',
    ours: async () => {
      const map = LWWMap.create<string, unknown>(clock('a'))
      const ns = await nsPer(times, () => {
        for (let i = 0; i < times; i++) map.put(keyAt(i), value)
      })
      verify('changes', map.changes, times)
      verify('size', map.size, size)
      return ns
    },
    raw: async () => {
      const map = new Map<string, object>()
      const ns = await nsPer(times, () => {
        for (let i = 0; i < times; i++) map.set(keyAt(i), { value, stamp: i })
      })
      verify('size', map.size, size)
      return ns
    },
  }
}

/** Every second addition is undone at once. */
function addsAndRemovals(times: number): BenchCase {
  const size = Math.min(times, KEYS.length) / 2
  const play = (add: (key: string) => void, remove: (key: string) => void): Promise<number> =>
    nsPer(times * 1.5, () => {
      for (let i = 0; i < times; i++) {
        add(keyAt(i))
        if (i % 2 === 0) remove(keyAt(i))
      }
    })
  return {
    name: 'add and remove',
    unit: 'ns/operation',
    ours: async () => {
      const set = ORSet.create<string>(clock('a'))
      const ns = await play(
        (key) => set.add(key),
        (key) => void set.remove(key),
      )
      verify('size', set.size, size)
      return ns
    },
    raw: async () => {
      const set = new Set<string>()
      const ns = await play(
        (key) => void set.add(key),
        (key) => void set.delete(key),
      )
      verify('size', set.size, size)
      return ns
    },
  }
}

/** A replica that has nothing reads a map of 10,000 entries from bytes; raw: from JSON. */
function mergesOfAState(times: number): BenchCase {
  const source = filled()
  const state = encodeState(source)
  const json = JSON.stringify([...source.entries()])
  return {
    name: 'merge of a state, 10000 entries',
    unit: 'ns/entry',
    ours: async () => {
      let entries = 0
      const ns = await nsPer(times * source.size, () => {
        for (let i = 0; i < times; i++) {
          const map = LWWMap.create<string, unknown>(clock('b'))
          mergeState(map, state)
          entries += map.size
        }
      })
      verify('entries', entries, times * source.size)
      return ns
    },
    raw: async () => {
      let entries = 0
      const ns = await nsPer(times * source.size, () => {
        for (let i = 0; i < times; i++) {
          entries += new Map(JSON.parse(json) as [string, unknown][]).size
        }
      })
      verify('entries', entries, times * source.size)
      return ns
    },
  }
}

/** Ten puts among 10,000 entries, written as a delta and merged by another replica. */
function deltas(times: number): BenchCase {
  const [from, to] = [filled(), filled()]
  return {
    name: 'delta of 10 puts, 10000 entries',
    unit: 'ns/delta',
    ours: async () => {
      mergeState(to, encodeState(from))
      const before = to.changes
      const writer = new ByteWriter()
      const ns = await nsPer(times, () => {
        for (let i = 0; i < times; i++) {
          const since = from.changes
          for (let j = 0; j < 10; j++) from.put(keyAt(i * 10 + j), TEXT)
          writer.reset()
          from.writeChanges(writer, since, 65_536)
          to.merge(new ByteReader(writer.view()))
        }
      })
      verify('changes', to.changes - before, times * 10)
      return ns
    },
  }
}

function filled(): LWWMap<string, unknown> {
  const map = LWWMap.create<string, unknown>(clock('a'))
  for (const key of KEYS) map.put(key, TEXT)
  return map
}

function clock(id: string): HybridClock {
  return new HybridClock(id, { wallMs: Date.now })
}

function keyAt(index: number): string {
  return KEYS[index % KEYS.length] ?? ''
}

const KEYS: readonly string[] = Array.from({ length: 10_000 }, (_, i) => `site-${i}|slot-top`)
const TEXT = 'a text of fifty-four characters, like an asset address'
