/**
 * What lies in a mailbox among the messages of users without being one: it has to wait its turn
 * there, and is opened when the turn comes.
 */
export class Special {
  readonly type: 'Timer' | 'Terminated' | 'Adapted'
  /** The timer; the identity of the ref that terminated; the function that makes our message. */
  readonly subject: unknown
  /** The signal; the foreign value. */
  readonly value: unknown

  constructor(type: 'Timer' | 'Terminated' | 'Adapted', subject: unknown, value?: unknown) {
    this.type = type
    this.subject = subject
    this.value = value
  }
}
