import { describe, it } from 'vitest'
import { laws } from './laws.ts'
import { gCounter, lwwMap, lwwRegister, orSet } from './subjects.ts'

describe.each([
  ['GCounter', laws(gCounter)],
  ['LWWRegister', laws(lwwRegister)],
  ['LWWMap', laws(lwwMap)],
  ['ORSet', laws(orSet)],
])('%s', (_name, allLaws) => {
  it.each([...allLaws.keys()])('%s', (name) => {
    allLaws.get(name)?.()
  })
})
