export { type Ordering, VersionVector } from './version-vector.ts'
