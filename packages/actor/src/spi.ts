/**
 * For the packages next door (cluster, testkit): what refs and systems are made of. May change
 * without notice; applications use the main entry.
 */
export { stopAfterMailbox } from './internal/stop-after-mailbox.ts'
export { checkName, nameFor } from './actor-path.ts'
export { typeOf } from './dead-letters.ts'
export { ActorCell } from './internal/actor-cell.ts'
export { FunctionRef } from './internal/function-ref.ts'
export { internal, type InternalRef, type LocalRef } from './internal/internal-ref.ts'
export { PromiseRef } from './internal/promise-ref.ts'
export { SystemCore } from './internal/system-core.ts'
export { Failure, SystemMessage, type SystemMessageType } from './internal/system-message.ts'
export { TimerWheel } from './internal/timer-wheel.ts'
export { type Bytes, Xoshiro128 } from './random.ts'
