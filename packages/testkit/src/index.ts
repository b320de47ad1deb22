export { ActorTestKit, type ActorTestKitOptions } from './actor-test-kit.ts'
export { CapturedLogs, type LogLevel, type LogRecord } from './captured-logs.ts'
export type { Duration } from './duration.ts'
export { TestKitError, type TestKitErrorCode } from './errors.ts'
export { HeapTimers } from './heap-timers.ts'
export { KeyedRandom } from './keyed-random.ts'
export {
  ManualClock,
  type ManualPlatform,
  manualPlatform,
  type ManualPlatformOptions,
} from './manual-clock.ts'
export { MemoryDisk } from './memory-disk.ts'
export { type Fishing, TestProbe } from './test-probe.ts'
