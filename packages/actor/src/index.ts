export { ActorError, type ActorErrorCode, reasonOf } from './errors.ts'
export { type ActorRef, type AskOptions } from './actor-ref.ts'
export { ActorSystem, type ActorSystemOptions } from './actor-system.ts'
export { type ActorContext, type Askable, type SpawnOptions } from './actor-context.ts'
export { assert } from './assert.ts'
export {
  type Behavior,
  Behaviors,
  type Next,
  type OnMessage,
  type OnSignal,
  type Supervise,
} from './behavior.ts'
export { CoordinatedShutdown, SHUTDOWN_PHASES, type ShutdownPhase } from './coordinated-shutdown.ts'
export {
  type DeadLetter,
  DeadLetterEvents,
  DeadLetters,
  type DropReason,
  type UnhandledMessage,
  UnhandledMessageEvents,
} from './dead-letters.ts'
export { type EventKind, eventKind, EventStream } from './event-stream.ts'
export { type Extension } from './extension.ts'
export { type Logger } from './logger.ts'
export { nodePlatform, type NodePlatformOptions } from './node-platform.ts'
export type {
  Clock,
  Disk,
  Executor,
  Link,
  LinkHandlers,
  Listener,
  Network,
  Platform,
  Random,
  TimerService,
  TimerTask,
} from './platform.ts'
export { type ActorSettings, defaultActorSettings } from './settings.ts'
export type {
  ChildFailed,
  MessageAdaptionFailure,
  PostStop,
  PreRestart,
  Signal,
  Terminated,
} from './signal.ts'
export { type StashBuffer } from './stash.ts'
export { SupervisorStrategy } from './supervision.ts'
export type {
  BackoffOptions,
  BackoffStrategy,
  RestartOptions,
  RestartStrategy,
  ResumeStrategy,
  StopStrategy,
} from './supervision.ts'
export { type TimerScheduler } from './timers.ts'
