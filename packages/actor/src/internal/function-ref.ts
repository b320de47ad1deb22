import type { ActorRef, AskOptions } from '../actor-ref.ts'
import type { ActorCell } from './actor-cell.ts'
import { printAsText } from './inspect.ts'
import { internal, type InternalRef, type LocalRef } from './internal-ref.ts'
import { PromiseRef } from './promise-ref.ts'
import { Special } from './special.ts'
import { SystemMessage } from './system-message.ts'

/** The address behind a message adapter: what it gets is turned into a message of its owner, in the owner's turn. */
export class FunctionRef implements LocalRef {
  readonly uid = 0
  readonly isLocal = true
  readonly #owner: ActorCell
  readonly #name: string
  readonly #adapt: (value: unknown) => unknown
  #watchers: Map<unknown, InternalRef> | undefined
  #published = false

  constructor(owner: ActorCell, name: string, adapt: (value: unknown) => unknown) {
    this.#owner = owner
    this.#name = name
    this.#adapt = adapt
  }

  tell(message: unknown): void {
    const owner = this.#owner
    if (owner.isTerminated) owner.system.deadLetters.drop(message, this, 'ActorStopped')
    else owner.tellSpecial(new Special('Adapted', this.#adapt, message))
  }

  tellSystem(message: SystemMessage): void {
    const watcher = message.ref
    if (watcher === undefined) return
    if (message.type === 'Unwatch') this.#watchers?.delete(watcher.identity)
    else if (message.type === 'Watch') {
      if (this.isTerminated) watcher.tellSystem(new SystemMessage('DeathNotice', this))
      else (this.#watchers ??= new Map()).set(watcher.identity, watcher)
    }
  }

  /** The owner has stopped. */
  terminate(): void {
    if (this.#published) this.#owner.system.unpublish(this.#tempName)
    for (const watcher of this.#watchers?.values() ?? []) {
      watcher.tellSystem(new SystemMessage('DeathNotice', this))
    }
    this.#watchers = undefined
  }

  publish(): void {
    if (this.#published || this.isTerminated) return
    this.#published = true
    this.#owner.system.publish(this.#tempName, this)
  }

  get isPublished(): boolean {
    return this.#published
  }

  get #tempName(): string {
    return `a${this.#owner.uid}${this.#name}`
  }

  get path(): string {
    return `/temp/${this.#tempName}`
  }

  get identity(): unknown {
    return this
  }

  get isTerminated(): boolean {
    return this.#owner.isTerminated
  }

  ask<Reply>(create: (replyTo: ActorRef<Reply>) => unknown, options: AskOptions): Promise<Reply> {
    return PromiseRef.ask(this.#owner.system, this, create, options)
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

printAsText(FunctionRef)
