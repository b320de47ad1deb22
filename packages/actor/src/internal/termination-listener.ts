import type { ActorRef, AskOptions } from '../actor-ref.ts'
import type { InternalRef } from './internal-ref.ts'
import type { SystemMessage } from './system-message.ts'

/** Watches one actor on behalf of code that is not an actor. Understands nothing but the end it waits for. */
export class TerminationListener implements InternalRef {
  readonly isLocal = true
  readonly isTerminated = false
  readonly path = '/temp/$listener'
  readonly #onTermination: () => void

  constructor(onTermination: () => void) {
    this.#onTermination = onTermination
  }

  tellSystem(message: SystemMessage): void {
    if (message.type === 'DeathNotice') this.#onTermination()
  }

  tell(): void {}

  ask<Reply>(_create: (replyTo: ActorRef<Reply>) => unknown, _options: AskOptions): Promise<Reply> {
    return Promise.reject(new Error('a termination listener answers nothing'))
  }

  get identity(): unknown {
    return this
  }

  equals(other: ActorRef<never>): boolean {
    return (other as unknown) === this
  }
}
