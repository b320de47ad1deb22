export {
  type Crdt,
  type CrdtType,
  type Digest,
  encodeState,
  formatDigest,
  isSameDigest,
  mergeState,
  type Replica,
  type Stamp,
  VALUE_BYTES_MAX,
} from './crdt.ts'
export { crdtTypeNamed } from './crdt-types.ts'
export { CrdtError, type CrdtErrorCode } from './errors.ts'
export { GCounter, type ReadonlyGCounter } from './g-counter.ts'
export { compareStamps, HybridClock, type HybridClockOptions } from './hybrid-clock.ts'
export { LWWMap, type ReadonlyLWWMap } from './lww-map.ts'
export { LWWRegister, type ReadonlyLWWRegister } from './lww-register.ts'
export { ORSet, type ReadonlyORSet } from './or-set.ts'
export { type Ordering, VersionVector } from './version-vector.ts'
