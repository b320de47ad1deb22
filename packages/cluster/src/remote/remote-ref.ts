import type { ActorRef, ActorSystem, AskOptions } from '@troupe/actor'
import {
  internal,
  type InternalRef,
  type LocalRef,
  PromiseRef,
  type SystemCore,
  SystemMessage,
} from '@troupe/actor/spi'
import { nodeKey, type UniqueAddress } from '../node-address.ts'

/** What refs need of the node's links. */
export interface RefTransport {
  readonly system: ActorSystem
  tell(ref: RemoteRef, message: unknown): void
  tellSystem(ref: RemoteRef, message: SystemMessage): void
}

/** An actor of another node. Made from bytes; two refs to the same incarnation are equal, not identical. */
export class RemoteRef implements InternalRef {
  readonly node: UniqueAddress
  /** Without the node's address: `/user/bank`. */
  readonly localPath: string
  readonly uid: number
  readonly isLocal = false
  readonly isTerminated = false
  /** How the actor is named on a link to its node. */
  readonly target: string
  /** The address of one question: used once, not worth a number. */
  readonly isTemporary: boolean
  readonly #transport: RefTransport
  #identity: string | undefined

  constructor(transport: RefTransport, node: UniqueAddress, localPath: string, uid: number) {
    this.#transport = transport
    this.node = node
    this.localPath = localPath
    this.uid = uid
    this.target = `a${localPath}#${uid}`
    this.isTemporary = localPath.startsWith('/temp/')
  }

  /** Most refs are answered once and forgotten: the text is made for those that are watched or compared. */
  get identity(): string {
    return (this.#identity ??= `${nodeKey(this.node)}${this.localPath}#${this.uid}`)
  }

  get path(): string {
    return `troupe://${this.node.address}${this.localPath}`
  }

  tell(message: unknown): void {
    this.#transport.tell(this, message)
  }

  tellSystem(message: SystemMessage): void {
    this.#transport.tellSystem(this, message)
  }

  ask<Reply>(create: (replyTo: ActorRef<Reply>) => unknown, options: AskOptions): Promise<Reply> {
    return PromiseRef.ask(this.#transport.system as SystemCore, this, create, options)
  }

  equals(other: ActorRef<never>): boolean {
    return internal(other).identity === this.identity
  }

  toString(): string {
    return `${this.path}#${this.uid}`
  }
}

/**
 * A ref to nobody: the actor it named is gone, or never was. Keeps the path for whoever reads logs;
 * what it is told becomes a dead letter, and who watches it is told at once that it has stopped.
 */
export class DeadRef implements LocalRef {
  readonly path: string
  readonly isLocal = true
  readonly isTerminated = true
  readonly isPublished = false
  readonly identity: string
  readonly uid: number
  readonly #system: ActorSystem

  constructor(system: ActorSystem, path: string, uid = 0) {
    this.#system = system
    this.path = path
    this.uid = uid
    this.identity = `dead:${path}#${uid}`
  }

  tell(message: unknown): void {
    this.#system.deadLetters.drop(message, this, 'NoSuchActor')
  }

  tellSystem(message: SystemMessage): void {
    if (message.type === 'Watch') message.ref?.tellSystem(new SystemMessage('DeathNotice', this))
  }

  ask<Reply>(create: (replyTo: ActorRef<Reply>) => unknown, options: AskOptions): Promise<Reply> {
    return PromiseRef.ask(this.#system as SystemCore, this, create, options)
  }

  /** Nobody is there to be reached. */
  publish(): void {}

  toString(): string {
    return `${this.path}#${this.uid}`
  }

  equals(other: ActorRef<never>): boolean {
    return internal(other).identity === this.identity
  }
}
