import type { ActorRef } from './actor-ref.ts'
import { type EventKind, eventKind, type EventStream } from './event-stream.ts'
import type { Logger } from './logger.ts'
import type { Clock } from './platform.ts'

/** Why a message was not delivered. Packages on top name reasons of their own. */
export type DropReason =
  | 'ActorStopped'
  | 'AdaptedToNothing'
  | 'LateReply'
  | 'MailboxFull'
  | 'NoSuchActor'
  | 'StashCleared'
  | 'UndefinedMessage'
  | (string & {})

/** A message that reached nobody. Published on the event stream, counted, and logged sparingly. */
export interface DeadLetter {
  readonly type: 'DeadLetter'
  readonly message: unknown
  readonly recipient: ActorRef<never>
  readonly reason: DropReason
}

/** A message its receiver did not know what to do with. Published on the event stream and counted. */
export interface UnhandledMessage {
  readonly type: 'UnhandledMessage'
  readonly message: unknown
  readonly recipient: ActorRef<never>
}

/** Subscribe to these on `system.eventStream`. */
export const DeadLetterEvents: EventKind<DeadLetter> = eventKind('DeadLetter')
export const UnhandledMessageEvents: EventKind<UnhandledMessage> = eventKind('UnhandledMessage')

/**
 * Where messages go that reach nobody: nothing is lost silently. Each is counted under its reason
 * and published; the first ten are logged, then the log keeps quiet for five minutes.
 */
export class DeadLetters {
  readonly #events: EventStream
  readonly #log: Logger
  readonly #clock: Clock
  readonly #counts = new Map<string, number>()
  #logged = 0
  #quietUntil = 0

  constructor(events: EventStream, log: Logger, clock: Clock) {
    this.#events = events
    this.#log = log
    this.#clock = clock
  }

  /** How many messages were dropped so far, by reason. */
  get counts(): ReadonlyMap<DropReason, number> {
    return this.#counts
  }

  /** All of them together. */
  get total(): number {
    let sum = 0
    for (const count of this.#counts.values()) sum += count
    return sum
  }

  /** Records that `message` did not reach `recipient`. */
  drop(message: unknown, recipient: ActorRef<never>, reason: DropReason): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1)
    this.#events.publish(DeadLetterEvents, { type: 'DeadLetter', message, recipient, reason })
    this.#logSparingly(message, recipient, reason)
  }

  #logSparingly(message: unknown, recipient: ActorRef<never>, reason: DropReason): void {
    if (this.#logged >= LOGGED_MAX) {
      const now = this.#clock.monotonicMs()
      if (now < this.#quietUntil) return
      this.#logged = 0
    }
    if (++this.#logged === LOGGED_MAX) this.#quietUntil = this.#clock.monotonicMs() + QUIET_MS
    const fields = { recipient: recipient.path, messageType: typeOf(message), reason }
    this.#log.info(
      this.#logged === LOGGED_MAX ? { ...fields, quietMs: QUIET_MS } : fields,
      'dead letter',
    )
  }
}

const LOGGED_MAX = 10
const QUIET_MS = 300_000

/** A name for a message in logs and errors: its `type` if it has one. Never its content. */
export function typeOf(message: unknown): string {
  if (typeof message === 'object' && message !== null && 'type' in message)
    return String(message.type)
  return message === null ? 'null' : typeof message
}
