import {
  compareStamps,
  type Crdt,
  GCounter,
  HybridClock,
  LWWMap,
  ORSet,
  type Stamp,
} from '@troupe/crdt'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeState } from '@troupe/crdt'
import { deltaOf, lawParameters, mergeInto } from './laws.ts'

/**
 * Values compared, after every step, with the plainest model that could be written of what they mean:
 * it keeps the whole history and copies it on every exchange.
 */
describe('a value is what its history says', { timeout: 300_000 }, () => {
  const replica = fc.nat({ max: 2 })
  const exchange = fc.record({
    type: fc.constant('Exchange' as const),
    from: replica,
    to: replica,
    isDelta: fc.boolean(),
  })
  const name = fc.constantFrom('a', 'b', 'c')

  it('an ORSet holds the additions that no remover had seen', () => {
    const add = fc.record({ type: fc.constant('Add' as const), at: replica, name })
    const remove = fc.record({ type: fc.constant('Remove' as const), at: replica, name })
    const steps = fc.array(fc.oneof(add, remove, exchange), { maxLength: 40, size: 'max' })

    fc.assert(
      fc.property(steps, (history) => {
        const sets = [0, 1, 2].map((id) => ORSet.create<string>(clockOf(id)))
        // Of each replica: additions it knows, each with a number of its own, and those it knows to be undone.
        const models = sets.map(() => ({
          added: new Map<number, string>(),
          undone: new Set<number>(),
        }))
        const holds = (model: (typeof models)[number], element: string) =>
          [...model.added].some(([tag, each]) => each === element && !model.undone.has(tag))
        for (const [tag, step] of history.entries()) {
          if (step.type === 'Exchange') {
            const [from, to] = [at(models, step.from), at(models, step.to)]
            exchanged(at(sets, step.from), at(sets, step.to), step.isDelta)
            for (const [each, element] of from.added) to.added.set(each, element)
            for (const each of from.undone) to.undone.add(each)
          } else {
            const model = at(models, step.at)
            const set = at(sets, step.at)
            if (step.type === 'Add') {
              set.add(step.name)
              model.added.set(tag, step.name)
            } else {
              set.remove(step.name)
              for (const [each, element] of model.added)
                if (element === step.name) model.undone.add(each)
            }
          }
          for (const [index, set] of sets.entries()) {
            const expected = ['a', 'b', 'c'].filter((each) => holds(at(models, index), each))
            expect([...set.values()].sort()).toEqual(expected)
          }
        }
      }),
      lawParameters(),
    )
  })

  it('an LWWMap holds what was written last of all it knows, removals included', () => {
    const put = fc.record({ type: fc.constant('Put' as const), at: replica, name, value: fc.nat() })
    const remove = fc.record({ type: fc.constant('Remove' as const), at: replica, name })
    const steps = fc.array(fc.oneof(put, put, remove, exchange), { maxLength: 40, size: 'max' })
    interface Write {
      readonly name: string
      readonly value: number | undefined
      readonly stamp: Stamp
    }

    fc.assert(
      fc.property(steps, (history) => {
        let wallMs = EPOCH
        const stamps: Stamp[] = []
        const maps = [0, 1, 2].map((id) => {
          const clock = clockOf(id, () => wallMs)
          return LWWMap.create<string, number>({
            id: clock.id,
            observe: (stamp) => clock.observe(stamp),
            stamp: () => {
              const stamp = clock.stamp()
              stamps.push(stamp)
              return stamp
            },
          })
        })
        const models = maps.map(() => new Set<Write>())
        for (const [index, step] of history.entries()) {
          wallMs += index % 3 === 0 ? 1 : 0
          if (step.type === 'Exchange') {
            exchanged(at(maps, step.from), at(maps, step.to), step.isDelta)
            for (const write of at(models, step.from)) at(models, step.to).add(write)
          } else {
            const map = at(maps, step.at)
            if (step.type === 'Put') map.put(step.name, step.value)
            else map.remove(step.name)
            const value = step.type === 'Put' ? step.value : undefined
            at(models, step.at).add({
              name: step.name,
              value,
              stamp: at(stamps, stamps.length - 1),
            })
          }
          for (const [which, map] of maps.entries()) {
            const expected: Record<string, number> = {}
            const writes = [...at(models, which)].sort((a, b) => compareStamps(a.stamp, b.stamp))
            for (const write of writes) {
              if (write.value === undefined) delete expected[write.name]
              else expected[write.name] = write.value
            }
            expect(map.toJSON()).toEqual(expected)
          }
        }
      }),
      lawParameters(),
    )
  })

  it('a GCounter has counted every increment it knows once, and never goes down', () => {
    const increment = fc.record({
      type: fc.constant('Increment' as const),
      at: replica,
      by: fc.nat({ max: 5 }),
    })
    const steps = fc.array(fc.oneof(increment, exchange), { maxLength: 40, size: 'max' })

    fc.assert(
      fc.property(steps, (history) => {
        const counters = [0, 1, 2].map((id) => GCounter.create(clockOf(id)))
        const models = counters.map(() => new Map<number, number>())
        for (const [tag, step] of history.entries()) {
          const before = counters.map((counter) => counter.value)
          if (step.type === 'Exchange') {
            exchanged(at(counters, step.from), at(counters, step.to), step.isDelta)
            for (const [each, by] of at(models, step.from)) at(models, step.to).set(each, by)
          } else {
            at(counters, step.at).increment(step.by)
            at(models, step.at).set(tag, step.by)
          }
          for (const [index, counter] of counters.entries()) {
            const expected = [...at(models, index).values()].reduce((sum, by) => sum + by, 0)
            expect(counter.value).toBe(expected)
            expect(counter.value).toBeGreaterThanOrEqual(before[index] ?? 0)
          }
        }
      }),
      lawParameters(),
    )
  })
})

function exchanged<T extends Crdt>(from: T, to: T, isDelta: boolean): void {
  mergeInto(to, isDelta ? deltaOf(from, 0).bytes : encodeState(from))
}

function clockOf(id: number, wallMs: () => number = () => EPOCH): HybridClock {
  return new HybridClock(`replica-${id}`, { wallMs })
}

function at<V>(items: readonly V[], index: number): V {
  const item = items[index]
  if (item === undefined) throw new Error(`there is nothing at ${index}`)
  return item
}

const EPOCH = 1_700_000_000_000
