import type { ActorContext, Askable, SpawnOptions } from '../actor-context.ts'
import { generatedName, checkName } from '../actor-path.ts'
import type { ActorRef, AskOptions } from '../actor-ref.ts'
import { type Behavior, Behaviors } from '../behavior.ts'
import { ActorError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { CellStash, type StashBuffer } from '../stash.ts'
import { ScheduledMessage, type TimerScheduler, Timers } from '../timers.ts'
import { type Handler, type Kind, kindOf } from './behavior-kind.ts'
import { DEAD, HELD, HELD_READY, IDLE, NOT_STARTED, READY } from './cell-status.ts'
import { CellExtras } from './cell-extras.ts'
import { unwatch, watch } from './death-watch.ts'
import type { Dispatcher, Runnable } from './dispatcher.ts'
import { FunctionRef } from './function-ref.ts'
import { printAsText } from './inspect.ts'
import { internal, type LocalRef } from './internal-ref.ts'
import { install, open, reportUnhandled } from './interpreter.ts'
import { fail, handleSystemMessage, hold } from './lifecycle.ts'
import { PromiseRef } from './promise-ref.ts'
import { Ring } from './ring.ts'
import { Special } from './special.ts'
import type { SystemCore } from './system-core.ts'
import { SystemMessage } from './system-message.ts'

/**
 * One running actor: its mailbox, its behavior, its ref and its context in one object, because a
 * million of them must fit into memory and a message must not chase pointers.
 *
 * The mailbox has two lanes. System messages (`signals`) are all handled before each message of a
 * user: an actor told to stop does not first work through its backlog. The lane of users is one slot
 * (`#first`, used only while everything is empty) in front of a ring that exists only after a burst.
 *
 * Invariant: `status` is READY or HELD_READY exactly while the cell is in the dispatcher's queue or running.
 */
export class ActorCell implements ActorContext<unknown>, LocalRef, Runnable {
  handler: Handler = NOT_STARTED
  status: number = IDLE
  signals: SystemMessage | null = null
  extras: CellExtras | null = null
  readonly dispatcher: Dispatcher
  readonly parent: ActorCell | null
  readonly name: string
  readonly uid: number
  #first: unknown = undefined
  #ring: Ring | null = null
  /** How many Specials are in the lane of users: while 0, none has to be looked for. */
  #specials = 0

  constructor(dispatcher: Dispatcher, parent: ActorCell | null, name: string, uid: number) {
    this.dispatcher = dispatcher
    this.parent = parent
    this.name = name
    this.uid = uid
  }

  // ---- the ref ----

  tell(message: unknown): void {
    const status = this.status
    if (status === DEAD || message === undefined) {
      const reason = status === DEAD ? 'ActorStopped' : 'UndefinedMessage'
      this.system.deadLetters.drop(message, this, reason)
      return
    }
    if (this.#first === undefined && (this.#ring === null || this.#ring.isEmpty)) {
      this.#first = message
    } else if (!this.#push(message)) return
    if (status === IDLE) {
      this.status = READY
      this.dispatcher.ready(this)
    }
  }

  tellSystem(message: SystemMessage): void {
    const status = this.status
    if (status === DEAD) {
      handleSystemMessage(this, message)
      return
    }
    message.next = this.signals
    this.signals = message
    if (status === IDLE) {
      this.status = READY
      this.dispatcher.ready(this)
    } else if (status === HELD) {
      this.status = HELD_READY
      this.dispatcher.ready(this)
    }
  }

  /** Puts something into the lane of users that is opened when its turn comes. */
  tellSpecial(special: Special): void {
    if (this.status === DEAD) return
    this.#specials++
    this.tell(special)
  }

  // The cell is ref and context in one, so two ways of asking meet here: a ref is asked with
  // (create, options), a context asks with (target, create, options, onReply, onError).
  ask<Reply>(create: (replyTo: ActorRef<Reply>) => unknown, options: AskOptions): Promise<Reply>
  ask<T, Reply>(
    target: Askable<T>,
    create: (replyTo: ActorRef<Reply>) => T,
    options: AskOptions,
    onReply: (reply: Reply) => unknown,
    onError: (error: unknown) => unknown,
  ): undefined
  ask(
    first: Create | Askable<unknown>,
    second: AskOptions | Create,
    options?: AskOptions,
    onReply?: (reply: unknown) => unknown,
    onError?: (error: unknown) => unknown,
  ): Promise<unknown> | undefined {
    if (typeof first === 'function') {
      return PromiseRef.ask(this.system, this, first, second as AskOptions)
    }
    if (options === undefined || onReply === undefined || onError === undefined) {
      throw new TypeError('context.ask needs target, create, options, onReply and onError')
    }
    this.pipeToSelf(first.ask(second as Create, options), onReply, onError)
    return undefined
  }

  equals(other: ActorRef<never>): boolean {
    return internal(other).identity === this
  }

  get path(): string {
    return this.parent === null ? '' : `${this.parent.path}/${this.name}`
  }

  get identity(): unknown {
    return this
  }

  get isLocal(): true {
    return true
  }

  get isTerminated(): boolean {
    return this.status === DEAD
  }

  /** Cells are found by walking the tree; nothing has to be registered. */
  publish(): void {
    if (this.status !== DEAD) this.extra().isPublished = true
  }

  get isPublished(): boolean {
    return this.extras?.isPublished === true
  }

  toString(): string {
    return `${this.path}#${this.uid}`
  }

  toJSON(): string {
    return this.toString()
  }

  // ---- the mailbox ----

  #push(message: unknown): boolean {
    if (
      this.extras !== null &&
      this.mailboxSize >= this.extras.mailboxCapacity &&
      !(message instanceof Special)
    ) {
      this.system.deadLetters.drop(message, this, 'MailboxFull')
      return false
    }
    ;(this.#ring ??= new Ring()).push(message)
    return true
  }

  /** Puts messages in front of all that wait. */
  putBack(messages: readonly unknown[]): void {
    if (messages.length === 0) return
    const ring = (this.#ring ??= new Ring())
    if (this.#first !== undefined) ring.pushFront(this.#first)
    this.#first = undefined
    for (let i = messages.length - 1; i >= 0; i--) ring.pushFront(messages[i])
  }

  /** Empties the lane of users; what nobody will handle becomes dead letters. */
  drainMailbox(): void {
    const { deadLetters } = this.system
    for (;;) {
      const message = this.#first ?? this.#ring?.take()
      this.#first = undefined
      if (message === undefined) break
      if (!(message instanceof Special)) deadLetters.drop(message, this, 'ActorStopped')
      else if (message.type === 'Adapted') deadLetters.drop(message.value, this, 'ActorStopped')
    }
    this.#ring = null
    this.#specials = 0
  }

  /** How many messages wait. */
  get mailboxSize(): number {
    return (this.#ring === null ? 0 : this.#ring.size) + (this.#first === undefined ? 0 : 1)
  }

  // ---- one turn ----

  run(throughput: number): void {
    let left = throughput
    let message: unknown
    try {
      do {
        if (this.signals !== null && !this.#runSignals()) break
        message = this.#first
        if (message !== undefined) this.#first = undefined
        else {
          if (this.#ring === null) break
          message = this.#ring.take()
          if (message === undefined) break
        }
        const next =
          this.#specials !== 0 && message instanceof Special
            ? this.#open(message)
            : this.handler(message, this)
        if (next !== SAME && !this.become(next, message)) {
          left--
          break
        }
      } while (--left > 0)
    } catch (error) {
      left--
      fail(this, error, message)
    }
    this.dispatcher.processed += throughput - left
    this.#endTurn()
  }

  #endTurn(): void {
    if (this.status === READY) {
      const ring = this.#ring
      const isEmpty = this.#first === undefined && (ring === null || ring.isEmpty)
      if (this.signals !== null || !isEmpty) this.dispatcher.ready(this)
      else {
        this.status = IDLE
        // A ring that a burst has blown up is not kept by an idle actor.
        if (ring !== null && ring.places > RING_KEPT_MAX) this.#ring = null
      }
    } else if (this.status === HELD_READY) {
      if (this.signals !== null) this.dispatcher.ready(this)
      else this.status = HELD
    }
  }

  /** Handles all system messages, oldest first. True when messages of users may follow. */
  #runSignals(): boolean {
    while (this.signals !== null) {
      let oldest: SystemMessage | null = null
      for (let each: SystemMessage | null = this.signals; each !== null;) {
        const next: SystemMessage | null = each.next
        each.next = oldest
        oldest = each
        each = next
      }
      this.signals = null
      for (let each: SystemMessage | null = oldest; each !== null; each = each.next) {
        try {
          handleSystemMessage(this, each)
        } catch (error) {
          fail(this, error, undefined)
        }
      }
    }
    return this.status === READY
  }

  #open(special: Special): unknown {
    this.#specials--
    this.dispatcher.processed--
    return open(this, special)
  }

  /** Takes up what a handler returned. False when the turn is over: the actor waits, stops or is dead. */
  become(next: unknown, message: unknown): boolean {
    if (next === SAME) return true
    if (next === UNHANDLED) {
      reportUnhandled(this, message)
      return true
    }
    if (next instanceof Promise) {
      hold(this, next, message)
      return false
    }
    install(this, kindOf(next))
    return this.status === READY
  }

  install(kind: Kind): void {
    install(this, kind)
  }

  extra(): CellExtras {
    return (this.extras ??= new CellExtras())
  }

  // ---- the context ----

  get self(): ActorRef<unknown> {
    return this
  }

  get system(): SystemCore {
    return this.dispatcher.system
  }

  get log(): Logger {
    const extras = this.extra()
    return (extras.log ??= this.system.log.child({ actor: this.path }))
  }

  spawn<C>(behavior: Behavior<C>, name?: string, options?: SpawnOptions): ActorRef<C> {
    this.#inTurn('spawn')
    if (name !== undefined) checkName(name)
    if (options !== undefined) checkOptions(options)
    return this.spawnChild(kindOf(behavior), name, options)
  }

  /** As `spawn`, without the checks that are meant for users. */
  spawnChild(kind: Kind, name?: string, options?: SpawnOptions): ActorCell {
    if (this.status === DEAD || this.extras?.held === 'Stopping') throw cannotStartChildren(this)
    const extras = this.extra()
    const children = (extras.children ??= new Map())
    const childName = name ?? generatedName(extras.nameless++)
    if (children.has(childName)) {
      throw new ActorError(
        'NAME_TAKEN',
        `${this.path}/${childName} is running or still stopping; watch it and wait, or choose another name`,
      )
    }
    const child = new ActorCell(this.dispatcher, this, childName, this.system.nextUid())
    if (options !== undefined) {
      child.extra().mailboxCapacity = options.mailboxCapacity ?? Infinity
      child.extra().handlerTimeoutMs = options.handlerTimeoutMs
    }
    children.set(childName, child)
    if (kind.tag === 'receive') child.install(kind)
    else child.tellSystem(new SystemMessage('Start', undefined, kind))
    return child
  }

  stop(child: ActorRef<never>): void {
    this.#inTurn('stop')
    const cell = child as unknown
    if (!(cell instanceof ActorCell) || cell.parent !== this) {
      throw new ActorError(
        'NOT_A_CHILD',
        `${this.path} can stop its own children only, not ${child.path}; to stop yourself return Behaviors.stopped`,
      )
    }
    cell.tellSystem(new SystemMessage('Stop'))
  }

  get children(): readonly ActorRef<never>[] {
    return [...(this.extras?.children?.values() ?? [])]
  }

  child(name: string): ActorRef<never> | undefined {
    return this.extras?.children?.get(name)
  }

  watch(ref: ActorRef<never>): void {
    this.#inTurn('watch')
    watch(this, internal(ref), undefined, false)
  }

  watchWith(ref: ActorRef<never>, message: unknown): void {
    this.#inTurn('watchWith')
    watch(this, internal(ref), message, true)
  }

  unwatch(ref: ActorRef<never>): void {
    this.#inTurn('unwatch')
    unwatch(this, internal(ref))
  }

  get timers(): TimerScheduler<unknown> {
    this.#inTurn('timers')
    const extras = this.extra()
    return (extras.timers ??= new Timers(
      this.system.platform,
      (timer) => this.tellSpecial(new Special('Timer', timer)),
      (call) => this.#inTurn(call),
    ))
  }

  stash(capacity: number): StashBuffer<unknown> {
    this.#inTurn('stash')
    const extras = this.extra()
    return (extras.stash ??= new CellStash(
      capacity,
      (messages) => this.putBack(messages),
      (call) => this.#inTurn(call),
      (message) => this.system.deadLetters.drop(message, this, 'StashCleared'),
    ))
  }

  messageAdapter<R>(adapt: (reply: R) => unknown): ActorRef<R> {
    this.#inTurn('messageAdapter')
    const extras = this.extra()
    const adapter = new FunctionRef(
      this,
      `$${extras.nameless++}`,
      adapt as (value: unknown) => unknown,
    )
    ;(extras.adapters ??= []).push(adapter)
    return adapter
  }

  pipeToSelf<T>(
    promise: Promise<T>,
    onValue: (value: T) => unknown,
    onError: (error: unknown) => unknown,
  ): void {
    this.#inTurn('pipeToSelf')
    promise.then(
      (value) => this.#adapted(onValue as (value: unknown) => unknown, value),
      (error: unknown) => this.#adapted(onError, error),
    )
  }

  #adapted(adapt: (value: unknown) => unknown, value: unknown): void {
    if (this.status === DEAD) this.system.deadLetters.drop(value, this, 'ActorStopped')
    else this.tellSpecial(new Special('Adapted', adapt, value))
  }

  scheduleOnce<T>(delayMs: number, target: ActorRef<T>, message: T): void {
    this.system.platform.timers.start(new ScheduledMessage(target, message), delayMs)
  }

  /** Calls from callbacks that run outside of the actor's turn would race with it, so they are refused. */
  #inTurn(call: string): void {
    if (this.dispatcher.current === this || this.extras?.held === 'Awaiting') return
    throw new ActorError(
      'OUTSIDE_OF_TURN',
      `context.${call} of ${this.path} was called outside of the actor's turn; ` +
        `use context.pipeToSelf to bring the result of asynchronous work back to the actor`,
    )
  }
}

printAsText(ActorCell)

function checkOptions({ mailboxCapacity = 1, handlerTimeoutMs = 1 }: SpawnOptions): void {
  if (!(mailboxCapacity >= 1)) {
    throw new ActorError('INVALID_SETTING', `mailboxCapacity must be >= 1, got ${mailboxCapacity}`)
  }
  if (!(handlerTimeoutMs > 0)) {
    throw new ActorError('INVALID_SETTING', `handlerTimeoutMs must be > 0, got ${handlerTimeoutMs}`)
  }
}

function cannotStartChildren({ path, system }: ActorCell): ActorError {
  return system.isTerminated
    ? new ActorError(
        'SYSTEM_TERMINATED',
        `the system ${system.name} has terminated; no actor can start in it`,
      )
    : new ActorError(
        'ACTOR_STOPPING',
        `${path} is stopping and cannot start children any more; start them before it is told to stop`,
      )
}

type Create = (replyTo: ActorRef<unknown>) => unknown

const SAME = Behaviors.same
const UNHANDLED = Behaviors.unhandled
const RING_KEPT_MAX = 1_024
