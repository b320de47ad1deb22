/** `Stop` ends the actor after everything that came before it. */
export type SpecialType = 'Timer' | 'Terminated' | 'Adapted' | 'Stop'

/**
 * What lies in a mailbox among the messages of users without being one: it has to wait its turn
 * there, and is opened when the turn comes.
 */
export class Special {
  readonly type: SpecialType
  /** The timer; the watched ref; the function that makes our message. */
  readonly subject: unknown
  /** The signal; the foreign value. */
  readonly value: unknown

  constructor(type: SpecialType, subject?: unknown, value?: unknown) {
    this.type = type
    this.subject = subject
    this.value = value
  }
}
