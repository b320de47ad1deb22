import type { SpawnOptions } from '../actor-context.ts'
import type { ActorRef, AskOptions } from '../actor-ref.ts'
import type { ActorSystem } from '../actor-system.ts'
import { type Behavior, Behaviors } from '../behavior.ts'
import { CoordinatedShutdown } from '../coordinated-shutdown.ts'
import { DeadLetters } from '../dead-letters.ts'
import { ActorError } from '../errors.ts'
import { EventStream } from '../event-stream.ts'
import type { Extension } from '../extension.ts'
import type { Logger } from '../logger.ts'
import type { Platform } from '../platform.ts'
import type { ActorSettings } from '../settings.ts'
import { ActorCell } from './actor-cell.ts'
import { type Kind, kindOf } from './behavior-kind.ts'
import { watch } from './death-watch.ts'
import { Dispatcher } from './dispatcher.ts'
import { printAsText } from './inspect.ts'
import type { LocalRef } from './internal-ref.ts'
import { SystemMessage } from './system-message.ts'
import { TerminationListener } from './termination-listener.ts'

/** What a system has counted since it started. */
export interface SystemMetrics {
  readonly messagesProcessed: number
  readonly actorsStarted: number
  readonly failures: number
  readonly restarts: number
  readonly asksTimedOut: number
  /** Messages whose receivers did not know what to do with them. */
  readonly unhandled: number
  readonly deadLetters: ReadonlyMap<string, number>
}

interface Parts {
  readonly platform: Platform
  readonly logger: Logger
  readonly settings: ActorSettings
}

/**
 * The system as its own cells see it.
 *
 * The tree: a nameless root with two children, `user` (the guardian) and `system` (for packages).
 * The guardian's end takes the system down; `/system` is stopped last, so that cluster and
 * replicator serve the applications to the end.
 */
export class SystemCore implements ActorSystem<unknown> {
  readonly name: string
  readonly uid: string
  readonly platform: Platform
  readonly settings: ActorSettings
  readonly log: Logger
  readonly deadLetters: DeadLetters
  readonly eventStream: EventStream = new EventStream()
  readonly coordinatedShutdown: CoordinatedShutdown
  readonly whenTerminated: Promise<void>
  failures = 0
  restarts = 0
  unhandled = 0
  asksTimedOut = 0
  readonly #dispatcher: Dispatcher
  readonly #root: ActorCell
  readonly #guardian: ActorCell
  readonly #systemGuardian: ActorCell
  readonly #extensions = new Map<string, unknown>()
  readonly #published = new Map<string, LocalRef>()
  #uids = 0
  #tempNames = 0
  #rootStopped: () => void = () => {}

  constructor(guardian: Kind, name: string, { platform, logger, settings }: Parts) {
    this.name = name
    this.uid = platform.random.id()
    this.platform = platform
    this.settings = settings
    this.log = logger
    this.deadLetters = new DeadLetters(this.eventStream, logger, platform.clock)
    this.coordinatedShutdown = new CoordinatedShutdown(
      platform,
      logger,
      settings.shutdownPhaseTimeoutMs,
    )
    this.whenTerminated = new Promise((resolve) => (this.#rootStopped = resolve))
    this.#dispatcher = new Dispatcher(
      this,
      platform.clock,
      platform.executor,
      settings.throughput,
      settings.turnBudgetMs,
    )
    this.#root = new ActorCell(this.#dispatcher, null, '', this.nextUid())
    this.#root.install(kindOf(this.#rootBehavior()))
    this.#systemGuardian = this.#root.spawnChild(kindOf(Behaviors.empty), 'system')
    this.#guardian = this.#root.spawnChild(guardian, 'user')
    watch(this.#root, this.#guardian, undefined, false)
    watch(this.#root, this.#systemGuardian, undefined, false)
    this.coordinatedShutdown.addTask('actor-system-terminate', 'stop all actors', () =>
      this.#stopAll(),
    )
    this.coordinatedShutdown.phaseTimeout(
      'actor-system-terminate',
      settings.shutdownPhaseTimeoutMs * 2,
    )
  }

  #rootBehavior(): Behavior<unknown> {
    return Behaviors.receiveSignal((signal) => {
      if (signal.type !== 'Terminated' && signal.type !== 'ChildFailed') return Behaviors.same
      if (signal.ref.equals(this.#guardian)) {
        void this.terminate(signal.type === 'ChildFailed' ? 'guardian failed' : 'guardian stopped')
      }
      return Behaviors.same
    })
  }

  async #stopAll(): Promise<void> {
    await this.#stopped(this.#guardian)
    await this.#stopped(this.#systemGuardian)
    this.#root.tellSystem(new SystemMessage('Stop'))
    this.#rootStopped()
  }

  #stopped(cell: ActorCell): Promise<void> {
    return new Promise((resolve) => {
      cell.tellSystem(new SystemMessage('Watch', new TerminationListener(resolve)))
      cell.tellSystem(new SystemMessage('Stop'))
    })
  }

  terminate(reason = 'terminate was called'): Promise<void> {
    return this.coordinatedShutdown.run(reason)
  }

  get isTerminated(): boolean {
    return this.#root.isTerminated
  }

  // ---- the guardian's ref ----

  tell(message: unknown): void {
    this.#guardian.tell(message)
  }

  ask<Reply>(create: (replyTo: ActorRef<Reply>) => unknown, options: AskOptions): Promise<Reply> {
    return this.#guardian.ask(create, options)
  }

  equals(other: ActorRef<never>): boolean {
    return this.#guardian.equals(other)
  }

  get path(): string {
    return this.#guardian.path
  }

  /** What the system stands for when it is used as a ref. */
  get guardianRef(): ActorCell {
    return this.#guardian
  }

  // ---- what packages need ----

  systemActorOf<T>(behavior: Behavior<T>, name: string, options?: SpawnOptions): ActorRef<T> {
    return this.#systemGuardian.spawnChild(kindOf(behavior), name, options)
  }

  /** Starts an actor under the guardian from outside: for the test kit. Applications tell their guardian. */
  userActorOf<T>(behavior: Behavior<T>, name?: string, options?: SpawnOptions): ActorRef<T> {
    return this.#guardian.spawnChild(kindOf(behavior), name, options)
  }

  extension<T>(extension: Extension<T>): T {
    const known = this.#extensions.get(extension.name)
    if (known === BEING_MADE) {
      throw new ActorError(
        'EXTENSION_RECURSION',
        `the extension ${extension.name} asked for itself while it was being made`,
      )
    }
    if (this.#extensions.has(extension.name)) return known as T
    this.#extensions.set(extension.name, BEING_MADE)
    try {
      const made = extension.create(this)
      this.#extensions.set(extension.name, made)
      return made
    } finally {
      if (this.#extensions.get(extension.name) === BEING_MADE) {
        this.#extensions.delete(extension.name)
      }
    }
  }

  registerExtension<T>(extension: Extension<T>, instance: T): void {
    this.#extensions.set(extension.name, instance)
  }

  get metrics(): SystemMetrics {
    return {
      messagesProcessed: this.#dispatcher.processed,
      actorsStarted: this.#uids,
      failures: this.failures,
      restarts: this.restarts,
      asksTimedOut: this.asksTimedOut,
      unhandled: this.unhandled,
      deadLetters: this.deadLetters.counts,
    }
  }

  /** The incarnation numbers of cells; never given twice. */
  nextUid(): number {
    return ++this.#uids
  }

  nextTempName(): string {
    return `q${++this.#tempNames}`
  }

  /** Makes a ref that is not an actor reachable under `/temp/name`. */
  publish(name: string, ref: LocalRef): void {
    this.#published.set(name, ref)
  }

  unpublish(name: string): void {
    this.#published.delete(name)
  }

  /** The running actor (or published ref) at `path`; undefined when there is none. */
  find(path: string): LocalRef | undefined {
    const [, top, ...rest] = path.split('/')
    if (top === 'temp') return this.#published.get(rest.join('/'))
    let cell = this.#root.child(top ?? '') as ActorCell | undefined
    for (const name of rest) cell = cell?.child(name) as ActorCell | undefined
    return cell
  }

  toString(): string {
    return `ActorSystem(${this.name})`
  }

  toJSON(): string {
    return this.toString()
  }
}

printAsText(SystemCore)

const BEING_MADE = Symbol('being made')
