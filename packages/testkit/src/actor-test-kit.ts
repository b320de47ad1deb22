import {
  type ActorRef,
  type ActorSettings,
  ActorSystem,
  type Behavior,
  Behaviors,
  type DeadLetter,
  DeadLetterEvents,
  type Platform,
  type SpawnOptions,
  type UnhandledMessage,
  UnhandledMessageEvents,
} from '@troupe/actor'
import { ActorCell, internal, type SystemCore, SystemMessage } from '@troupe/actor/spi'
import { CapturedLogs } from './captured-logs.ts'
import { TestKitError } from './errors.ts'
import { ManualClock, type ManualPlatformOptions, manualPlatform } from './manual-clock.ts'
import { isDoneWithin, settled } from './real-time.ts'
import { Recorder } from './recorder.ts'
import { TestProbe } from './test-probe.ts'

export interface ActorTestKitOptions extends ManualPlatformOptions {
  /** The name of the system. Default `test`. */
  readonly name?: string
  /** The world of the system, for tests of real files and sockets: `nodePlatform()`. Default: manual time. */
  readonly platform?: Platform
  readonly settings?: Partial<ActorSettings>
  /** How long probes wait for what depends on real I/O, in milliseconds of real time. Default 3000. */
  readonly waitMs?: number
  /** How long a shutdown may take, in milliseconds of real time. Default 10000. */
  readonly shutdownMs?: number
}

/**
 * A real actor system for one test. Unless it was given another platform its time is manual: nothing
 * that waits happens before the test moves the clock.
 *
 * ```ts
 * await using kit = ActorTestKit.create()
 * const probe = kit.createProbe<Balance>()
 * kit.spawn(account()).tell({ type: 'Deposit', amount: 5, replyTo: probe.ref })
 * await probe.expectMessage({ type: 'Balance', value: 5 })
 * ```
 */
export class ActorTestKit implements AsyncDisposable {
  readonly system: ActorSystem
  /** What the system logged. */
  readonly logs: CapturedLogs
  readonly #core: SystemCore
  readonly #clock: ManualClock | undefined
  readonly #waitMs: number | undefined
  readonly #shutdownMs: number
  readonly #deadLetters = new Recorder<DeadLetter>('dead-letters')
  readonly #unhandled = new Recorder<UnhandledMessage>('unhandled')
  #probes = 0

  private constructor(options: ActorTestKitOptions) {
    const platform = options.platform ?? manualPlatform(options)
    this.logs = new CapturedLogs()
    this.system = ActorSystem.create(Behaviors.empty, options.name ?? 'test', {
      platform,
      logger: this.logs.logger,
      ...(options.settings === undefined ? {} : { settings: options.settings }),
    })
    this.#core = this.system as SystemCore
    this.#clock = platform.clock instanceof ManualClock ? platform.clock : undefined
    this.#waitMs = options.waitMs
    this.#shutdownMs = options.shutdownMs ?? SHUTDOWN_MS
    this.system.eventStream.subscribe(DeadLetterEvents, this.#deadLetters)
    this.system.eventStream.subscribe(UnhandledMessageEvents, this.#unhandled)
  }

  static create(options: ActorTestKitOptions = {}): ActorTestKit {
    return new ActorTestKit(options)
  }

  /** The clock of the system, to be moved by hand. */
  get clock(): ManualClock {
    if (this.#clock !== undefined) return this.#clock
    throw new TestKitError(
      'NOT_OF_THIS_KIT',
      'this kit was created with a platform of its own, whose time passes by itself; leave `platform` out to move it by hand',
    )
  }

  /** The messages that reached nobody so far, each with its reason, oldest first. */
  get deadLetters(): readonly DeadLetter[] {
    return this.#deadLetters.events
  }

  /** The messages that their receivers did not know what to do with so far. */
  get unhandled(): readonly UnhandledMessage[] {
    return this.#unhandled.events
  }

  /** Starts an actor under `/user`. */
  spawn<M>(behavior: Behavior<M>, name?: string, options?: SpawnOptions): ActorRef<M> {
    return this.#core.userActorOf(behavior, name, options)
  }

  /** Starts a probe. Its path ends in `name` and a number. */
  createProbe<M>(name = 'probe'): TestProbe<M> {
    return new TestProbe<M>(this.system, `${name}-${++this.#probes}`, {
      ...(this.#clock === undefined ? {} : { clock: this.#clock }),
      ...(this.#waitMs === undefined ? {} : { waitMs: this.#waitMs }),
    })
  }

  /** Stops an actor of this kit, wherever it is in the tree, and waits until it has stopped. */
  async stop(ref: ActorRef<never>): Promise<void> {
    const cell = internal(ref)
    if (!(cell instanceof ActorCell) || cell.system !== this.#core) {
      throw new TestKitError('NOT_OF_THIS_KIT', `${ref.path} is not an actor of this kit's system`)
    }
    cell.tellSystem(new SystemMessage('Stop'))
    await this.createProbe('stopped').expectTerminated(ref)
  }

  /** Resolves when nothing can happen any more without time passing (real time: when no promise can go on). */
  settle(): Promise<void> {
    return this.#clock === undefined ? settled() : this.#clock.settle()
  }

  /**
   * Terminates the system. On manual time the clock is moved as far as the shutdown needs. Throws
   * SHUTDOWN_TIMED_OUT when something is still running after a minute of manual time, or after
   * `shutdownMs` of real time.
   */
  async shutdown(): Promise<void> {
    let isDown = false
    void this.system.whenTerminated.then(() => (isDown = true))
    const end = this.system.terminate('the test is over')
    if (this.#clock !== undefined) {
      await this.#clock.settle()
      for (let seconds = 0; !isDown && seconds < 60; seconds++) await this.#clock.advance('1s')
    }
    if (await isDoneWithin(end, this.#shutdownMs)) {
      await settled()
      if (isDown) return
    }
    throw new TestKitError(
      'SHUTDOWN_TIMED_OUT',
      `the system ${this.system.name} did not terminate; look for a shutdown task that never ends`,
    )
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown()
  }
}

const SHUTDOWN_MS = 10_000
