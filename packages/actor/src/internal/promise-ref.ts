import type { ActorRef, AskOptions } from '../actor-ref.ts'
import { typeOf } from '../dead-letters.ts'
import { ActorError } from '../errors.ts'
import type { TimerTask } from '../platform.ts'
import { printAsText } from './inspect.ts'
import { internal, type InternalRef, type LocalRef } from './internal-ref.ts'
import type { SystemCore } from './system-core.ts'
import { SystemMessage } from './system-message.ts'

/**
 * The address of one question. It is the reply ref, the pending record and its own timer in one
 * object, and it is registered under a path only if it leaves the process.
 *
 * Settles exactly once: with the first reply, or when the time is up. What comes later is a dead letter.
 */
export class PromiseRef implements LocalRef, TimerTask {
  readonly uid = 0
  readonly isLocal = true
  deadlineMs = 0
  previous: TimerTask | null = null
  next: TimerTask | null = null
  slot = -1
  readonly #system: SystemCore
  readonly #target: ActorRef<never>
  readonly #timeoutMs: number
  #question: unknown
  #resolve: (reply: unknown) => void = nothing
  #reject: (error: unknown) => void = nothing
  #settled = false
  #tempName: string | undefined
  #watchers: InternalRef[] | undefined

  private constructor(system: SystemCore, target: ActorRef<never>, timeoutMs: number) {
    this.#system = system
    this.#target = target
    this.#timeoutMs = timeoutMs
  }

  static ask<M, Reply>(
    system: SystemCore,
    target: ActorRef<M>,
    create: (replyTo: ActorRef<Reply>) => M,
    { timeoutMs }: AskOptions,
  ): Promise<Reply> {
    if (!(timeoutMs > 0)) {
      return Promise.reject(new RangeError(`an ask's timeoutMs must be > 0, got ${timeoutMs}`))
    }
    if (internal(target).isTerminated) return Promise.reject(targetTerminated(target))
    const ref = new PromiseRef(system, target, timeoutMs)
    const promise = new Promise<unknown>((resolve, reject) => {
      ref.#resolve = resolve
      ref.#reject = reject
    })
    const message = create(ref)
    ref.#question = message
    system.platform.timers.start(ref, timeoutMs)
    target.tell(message)
    return promise as Promise<Reply>
  }

  tell(message: unknown): void {
    if (this.#settled) {
      this.#system.deadLetters.drop(message, this, 'LateReply')
      return
    }
    this.#system.platform.timers.cancel(this)
    this.#settle()
    this.#resolve(message)
  }

  fire(): void {
    const text =
      `${this.#target.path} did not answer ${typeOf(this.#question)} within ${this.#timeoutMs} ms` +
      (internal(this.#target).isTerminated ? '; it has stopped meanwhile' : '')
    this.#settle()
    this.#system.asksTimedOut++
    this.#reject(new ActorError('ASK_TIMED_OUT', text))
  }

  #settle(): void {
    this.#settled = true
    this.#question = undefined
    if (this.#tempName !== undefined) this.#system.unpublish(this.#tempName)
    for (const watcher of this.#watchers ?? []) {
      watcher.tellSystem(new SystemMessage('DeathNotice', this))
    }
  }

  tellSystem(message: SystemMessage): void {
    if (message.ref === undefined) return
    if (message.type === 'Unwatch') {
      this.#watchers = this.#watchers?.filter((each) => each.identity !== message.ref?.identity)
    } else if (message.type === 'Watch') {
      if (this.#settled) message.ref.tellSystem(new SystemMessage('DeathNotice', this))
      else (this.#watchers ??= []).push(message.ref)
    }
  }

  publish(): void {
    if (this.#tempName !== undefined || this.#settled) return
    this.#tempName = this.#system.nextTempName()
    this.#system.publish(this.#tempName, this)
  }

  get isPublished(): boolean {
    return this.#tempName !== undefined
  }

  get path(): string {
    return `/temp/${this.#tempName ?? '$ask'}`
  }

  get identity(): unknown {
    return this
  }

  get isTerminated(): boolean {
    return this.#settled
  }

  ask<Reply>(create: (replyTo: ActorRef<Reply>) => unknown, options: AskOptions): Promise<Reply> {
    return PromiseRef.ask(this.#system, this, create, options)
  }

  equals(other: ActorRef<never>): boolean {
    return internal(other).identity === this
  }

  toString(): string {
    return this.path
  }

  toJSON(): string {
    return this.path
  }
}

printAsText(PromiseRef)

function targetTerminated(target: ActorRef<never>): ActorError {
  return new ActorError('TARGET_TERMINATED', `${target.path} has stopped and cannot be asked`)
}

function nothing(): void {}
