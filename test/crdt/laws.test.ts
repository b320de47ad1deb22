import { describe, it } from 'vitest'
import { laws } from './laws.ts'
import { gCounter, lwwMap, lwwRegister, orSet } from './subjects.ts'

// Stamps then repeat, with other values: still all must agree.
const reused = ['same', 'same', 'other'] as const

describe.each([
  ['GCounter', laws(gCounter)],
  ['LWWRegister', laws(lwwRegister)],
  ['LWWMap', laws(lwwMap)],
  ['ORSet', laws(orSet)],
  ['LWWRegister, one replica id used twice', laws({ ...lwwRegister, replicaIds: reused })],
  ['LWWMap, one replica id used twice', laws({ ...lwwMap, replicaIds: reused })],
])('%s', (_name, allLaws) => {
  it.each([...allLaws.keys()])('%s', { timeout: 300_000 }, (name) => {
    allLaws.get(name)?.()
  })
})
