/**
 * For the packages next door (cluster, testkit): what refs and systems are made of. May change
 * without notice; applications use the main entry.
 */
export { nameFor } from './actor-path.ts'
export { typeOf } from './dead-letters.ts'
export { internal, type InternalRef, type LocalRef } from './internal/internal-ref.ts'
export { PromiseRef } from './internal/promise-ref.ts'
export { SystemCore } from './internal/system-core.ts'
export { Failure, SystemMessage, type SystemMessageType } from './internal/system-message.ts'
export { TimerWheel } from './internal/timer-wheel.ts'
export { type Bytes, Xoshiro128 } from './random.ts'
