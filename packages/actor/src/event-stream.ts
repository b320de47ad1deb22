import type { ActorRef } from './actor-ref.ts'

declare const carries: unique symbol

/** Names one kind of event and its type. Packages and users make their own with `eventKind`. */
export interface EventKind<in out E> {
  readonly name: string
  readonly [carries]?: (event: E) => E
}

export function eventKind<E>(name: string): EventKind<E> {
  return { name }
}

/** Publishes events of one system to its subscribers. A subscriber that has stopped is dropped. */
export class EventStream {
  readonly #subscribers = new Map<string, Set<Subscriber>>()

  /** Sends `subscriber` every event of this kind from now on. Subscribing twice is the same as once. */
  subscribe<E>(kind: EventKind<E>, subscriber: ActorRef<E>): void {
    let all = this.#subscribers.get(kind.name)
    if (all === undefined) this.#subscribers.set(kind.name, (all = new Set()))
    all.add(subscriber as unknown as Subscriber)
  }

  unsubscribe<E>(kind: EventKind<E>, subscriber: ActorRef<E>): void {
    this.#subscribers.get(kind.name)?.delete(subscriber as unknown as Subscriber)
  }

  publish<E>(kind: EventKind<E>, event: NoInfer<E>): void {
    const all = this.#subscribers.get(kind.name)
    if (all === undefined) return
    for (const subscriber of all) {
      if (subscriber.isTerminated === true) all.delete(subscriber)
      else subscriber.tell(event)
    }
  }
}

type Subscriber = ActorRef<unknown> & { readonly isTerminated?: boolean }
