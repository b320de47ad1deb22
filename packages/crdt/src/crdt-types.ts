import type { Crdt, CrdtType } from './crdt.ts'
import { GCounter } from './g-counter.ts'
import { LWWMap } from './lww-map.ts'
import { LWWRegister } from './lww-register.ts'
import { ORSet } from './or-set.ts'

/** The type of that name, for values that arrive before anybody here has asked for them. */
export function crdtTypeNamed(typeName: string): CrdtType<Crdt> | undefined {
  return TYPES.find((type) => type.typeName === typeName)
}

const TYPES: readonly CrdtType<Crdt>[] = [GCounter, LWWMap, LWWRegister, ORSet]
