import type { ActorRef, AskOptions } from '@troupe/actor'

/** Subscribes to an event stream in place of an actor, so that events are there as soon as they are published. */
export class Recorder<in out E> implements ActorRef<E> {
  readonly path: string
  readonly #events: E[] = []

  constructor(name: string) {
    this.path = `/testkit/${name}`
  }

  get events(): readonly E[] {
    return this.#events
  }

  tell(event: E): void {
    this.#events.push(event)
  }

  ask<Reply>(_create: (replyTo: ActorRef<Reply>) => E, _options: AskOptions): Promise<Reply> {
    return Promise.reject(new Error(`${this.path} records events and answers nothing`))
  }

  equals(other: ActorRef<never>): boolean {
    return (other as unknown) === this
  }
}
