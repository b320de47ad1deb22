import { GCounter, LWWMap, LWWRegister, ORSet } from '@troupe/crdt'
import fc from 'fast-check'
import type { Operation, Subject } from './laws.ts'

/** The types of the package, with operations over small alphabets. */
const key = fc.constantFrom('a', 'b', 'c', '__proto__')
const data = fc.oneof(
  fc.nat({ max: 2 }),
  fc.constantFrom<unknown>(null, 'x', true, [1, 'y'], { b: 1, a: [2] }, 1.5),
)

export const gCounter: Subject<GCounter> = {
  type: GCounter,
  operation: fc.nat({ max: 3 }).map((by) => ({
    text: `increment ${by}`,
    apply: (counter) => counter.increment(by),
  })),
}

export const lwwRegister: Subject<LWWRegister<unknown>> = {
  type: LWWRegister,
  operation: data.map((value) => ({
    text: `set ${JSON.stringify(value)}`,
    apply: (register) => register.set(value),
  })),
}

export const lwwMap: Subject<LWWMap<string, unknown>> = {
  type: LWWMap,
  operation: fc.oneof<fc.MaybeWeightedArbitrary<Operation<LWWMap<string, unknown>>>[]>(
    {
      weight: 2,
      arbitrary: fc.tuple(key, data).map(([name, value]) => ({
        text: `put ${name} ${JSON.stringify(value)}`,
        apply: (map) => map.put(name, value),
      })),
    },
    {
      weight: 1,
      arbitrary: key.map((name) => ({ text: `remove ${name}`, apply: (map) => map.remove(name) })),
    },
  ),
}

const element = fc.constantFrom<unknown>('a', 'b', '1', 1, { k: 'a' }, '\u0000')

export const orSet: Subject<ORSet<unknown>> = {
  type: ORSet,
  operation: fc.oneof<fc.MaybeWeightedArbitrary<Operation<ORSet<unknown>>>[]>(
    {
      weight: 6,
      arbitrary: element.map((value) => ({
        text: `add ${JSON.stringify(value)}`,
        apply: (set) => set.add(value),
      })),
    },
    {
      weight: 4,
      arbitrary: element.map((value) => ({
        text: `remove ${JSON.stringify(value)}`,
        apply: (set) => void set.remove(value),
      })),
    },
    { weight: 1, arbitrary: fc.constant({ text: 'clear', apply: (set) => set.clear() }) },
  ),
}
