import { pino } from 'pino'
import type { SpawnOptions } from './actor-context.ts'
import { checkName } from './actor-path.ts'
import type { ActorRef } from './actor-ref.ts'
import type { Behavior } from './behavior.ts'
import type { CoordinatedShutdown } from './coordinated-shutdown.ts'
import type { DeadLetters } from './dead-letters.ts'
import type { EventStream } from './event-stream.ts'
import type { Extension } from './extension.ts'
import { kindOf } from './internal/behavior-kind.ts'
import { SystemCore, type SystemMetrics } from './internal/system-core.ts'
import type { Logger } from './logger.ts'
import { nodePlatform } from './node-platform.ts'
import type { Platform } from './platform.ts'
import { type ActorSettings, actorSettings } from './settings.ts'

export interface ActorSystemOptions {
  /** The world the system lives in. Default: this process, with its clock, timers, random numbers and disk. */
  readonly platform?: Platform
  /** Where logs go. Default: pino at level `info` to standard output. */
  readonly logger?: Logger
  readonly settings?: Partial<ActorSettings>
}

/**
 * A tree of actors in one process. Its guardian, at `/user`, is the actor behind the system's own
 * ref: telling the system is telling the guardian. When the guardian stops, the system goes down.
 */
export interface ActorSystem<in M = never> extends ActorRef<M> {
  readonly name: string
  /** Names this incarnation; another run of the same program has another one. */
  readonly uid: string
  readonly platform: Platform
  readonly settings: ActorSettings
  readonly log: Logger
  readonly deadLetters: DeadLetters
  readonly eventStream: EventStream
  readonly coordinatedShutdown: CoordinatedShutdown
  /** Counted since the start; reading costs a few nanoseconds, keeping them nothing. */
  readonly metrics: SystemMetrics
  /** Starts an actor under `/system`, which outlives the guardian: for packages, not for applications. */
  systemActorOf<T>(behavior: Behavior<T>, name: string, options?: SpawnOptions): ActorRef<T>
  /** The one instance of `extension` in this system, made at first use. */
  extension<T>(extension: Extension<T>): T
  /** Puts in place an instance that was made with settings. */
  registerExtension<T>(extension: Extension<T>, instance: T): void
  /** Runs the coordinated shutdown: services, cluster, then all actors. Resolves when nothing is left. */
  terminate(reason?: string): Promise<void>
  readonly whenTerminated: Promise<void>
}

export const ActorSystem: {
  /** Starts a system whose guardian is `guardian`. `name`: letters, digits, `-` and `_`. */
  create<M>(guardian: Behavior<M>, name: string, options?: ActorSystemOptions): ActorSystem<M>
} = {
  create: (guardian, name, options = {}) => {
    checkName(name)
    return new SystemCore(kindOf(guardian), name, {
      platform: options.platform ?? nodePlatform(),
      logger: options.logger ?? pino({ level: 'info', base: { system: name } }),
      settings: actorSettings(options.settings),
    })
  },
}
