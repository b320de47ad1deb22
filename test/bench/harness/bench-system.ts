import { type ActorRef, ActorSystem, type Behavior, Behaviors, type Logger } from '@troupe/actor'

/** A system for one case, started in `open` and terminated in `close`. */
export class BenchSystem {
  #system: ActorSystem | undefined
  #started = 0

  open(): void {
    this.#system = ActorSystem.create(Behaviors.empty, 'bench', { logger: silence })
  }

  get system(): ActorSystem {
    if (this.#system === undefined) throw new Error('the system is started in open')
    return this.#system
  }

  start<M>(behavior: Behavior<M>): ActorRef<M> {
    return this.system.systemActorOf(behavior, `a${++this.#started}`)
  }

  async close(): Promise<void> {
    await this.#system?.terminate()
  }
}

/** Says nothing, so that writing lines is not measured. */
const silence: Logger = {
  trace: () => {},
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silence,
}
