import { type ActorRef, type ActorSystem, Behaviors } from '@troupe/actor'
import { type Duration, durationMs } from './duration.ts'
import { TestKitError } from './errors.ts'
import type { ManualClock } from './manual-clock.ts'
import { matches, show } from './matching.ts'
import { isDoneWithin, pause } from './real-time.ts'

/** What to do with a message that `fishForMessage` looks at. To fail, throw. */
export type Fishing = 'Complete' | 'Continue' | 'Ignore'

/**
 * An actor whose messages a test takes out one by one, in the order in which they came.
 *
 * Waiting never makes a passing test slow: on manual time a probe first lets everything come to rest,
 * and only when nothing came it allows real I/O some real time before it fails. A failure tells what
 * was expected, what came instead, and what came before.
 */
export class TestProbe<in out M> {
  /** The address of the probe. */
  readonly ref: ActorRef<M>
  readonly #clock: ManualClock | undefined
  readonly #waitMs: number
  readonly #waiting: M[] = []
  readonly #taken: M[] = []
  readonly #terminated: ActorRef<never>[] = []
  #wake: () => void = () => {}

  /**
   * Starts a probe under `/system/NAME` of `system`. `clock`: the system's, when time is manual.
   * `waitMs`: how long to wait for a message, in real time, default 3000; on manual time only what
   * depends on real I/O ever waits that long.
   */
  constructor(
    system: ActorSystem,
    name: string,
    { clock, waitMs = WAIT_MS }: { readonly clock?: ManualClock; readonly waitMs?: number } = {},
  ) {
    this.#clock = clock
    this.#waitMs = waitMs
    this.ref = system.systemActorOf<unknown>(
      Behaviors.receive(
        (message, context) => {
          if (message instanceof WatchRequest) context.watch(message.ref)
          else {
            this.#waiting.push(message as M)
            this.#wake()
          }
          return Behaviors.same
        },
        (signal) => {
          if (signal.type === 'Terminated') {
            this.#terminated.push(signal.ref)
            this.#wake()
          }
          return Behaviors.same
        },
      ),
      name,
    )
  }

  /** The next message; fails when it does not equal `expected`, if given. The message is used up either way. */
  async expectMessage(expected?: M): Promise<M> {
    const wanted = expected === undefined ? 'a message' : show(expected)
    const message = await this.#next(wanted)
    if (expected === undefined || matches(message, expected)) return message
    throw this.#failure(wanted, `came ${show(message)}`)
  }

  /** The next message, which must have this `type`. */
  async expectMessageType<T extends (M & Typed)['type']>(
    type: T,
  ): Promise<Extract<M, { readonly type: T }>> {
    const wanted = `a message of type ${show(type)}`
    const message = await this.#next(wanted)
    if ((message as Partial<Typed>).type === type) {
      return message as Extract<M, { readonly type: T }>
    }
    throw this.#failure(wanted, `came ${show(message)}`)
  }

  /**
   * Fails if a message waits or comes. On manual time: until everything has come to rest, after
   * `within` has passed on the clock, if given. On real time: within `within`, default 100 ms.
   */
  async expectNoMessage(within?: Duration): Promise<void> {
    if (this.#clock === undefined) await pause(durationMs(within ?? NO_MESSAGE_MS))
    else if (within === undefined) await this.#clock.settle()
    else await this.#clock.advance(within)
    const message = this.#waiting[0]
    if (message !== undefined) throw this.#failure('no message', `came ${show(message)}`)
  }

  /** The next `count` messages. */
  async receiveMessages(count: number): Promise<M[]> {
    const messages: M[] = []
    while (messages.length < count) {
      messages.push(await this.#next(`${count} messages, number ${messages.length + 1} of them`))
    }
    return messages
  }

  /**
   * Takes messages until `look` says Complete, and returns them, the last one included and those it
   * said Ignore to left out.
   */
  async fishForMessage(look: (message: M) => Fishing): Promise<M[]> {
    const caught: M[] = []
    for (;;) {
      const message = await this.#next('a message to end the fishing')
      const outcome = look(message)
      if (outcome !== 'Ignore') caught.push(message)
      if (outcome === 'Complete') return caught
    }
  }

  /** Watches `ref` and waits until it has stopped; at once when it already has. */
  async expectTerminated(ref: ActorRef<never>): Promise<void> {
    this.watch(ref)
    const isThere = (): boolean => this.#terminated.some((each) => each.equals(ref))
    if (await this.#within(isThere)) return
    throw this.#failure(`the end of ${ref.path}`, 'it is still running')
  }

  /** Watches `ref` from now on; `expectTerminated` does it by itself. */
  watch(ref: ActorRef<never>): void {
    ;(this.ref as unknown as ActorRef<WatchRequest>).tell(new WatchRequest(ref))
  }

  async #next(wanted: string): Promise<M> {
    if (!(await this.#within(() => this.#waiting.length > 0))) {
      throw this.#failure(
        wanted,
        `none came within ${this.#waitMs} ms${this.#clock === undefined ? '' : ' while the clock stood still'}`,
      )
    }
    const message = this.#waiting.shift() as M
    this.#taken.push(message)
    return message
  }

  /** True once `isThere`, which is asked again whenever something came. */
  async #within(isThere: () => boolean): Promise<boolean> {
    if (isThere()) return true
    await this.#clock?.settle()
    if (isThere()) return true
    const there = new Promise<void>((resolve) => {
      this.#wake = () => {
        if (isThere()) resolve()
      }
    })
    return isDoneWithin(there, this.#waitMs)
  }

  #failure(wanted: string, instead: string): TestKitError {
    const shown = this.#taken.slice(-SHOWN_MAX - 1)
    const before = instead.startsWith('came') && shown.length > 0 ? shown.slice(0, -1) : shown
    const error = new TestKitError(
      'EXPECTATION_FAILED',
      `${this.ref.path} expected ${wanted}, but ${instead}` +
        (before.length === 0
          ? '; nothing came before'
          : `; before it came, oldest first:\n${before.map((each) => `  ${show(each)}`).join('\n')}`) +
        (this.#waiting.length === 0
          ? ''
          : `\nstill waiting:\n${this.#waiting
              .slice(0, SHOWN_MAX)
              .map((each) => `  ${show(each)}`)
              .join('\n')}`),
    )
    return error
  }
}

interface Typed {
  readonly type: string
}

class WatchRequest {
  readonly ref: ActorRef<never>
  constructor(ref: ActorRef<never>) {
    this.ref = ref
  }
}

const WAIT_MS = 3_000
const NO_MESSAGE_MS = 100
const SHOWN_MAX = 10
