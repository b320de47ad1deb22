import { type ActorRef, type DeadLetter, DeadLetterEvents } from '@troupe/actor'
import type { SimulatedNode } from '@troupe/testkit/cluster'
import type { LedgerCommand } from './ledger.ts'

type Note = LedgerCommand & { readonly type: 'Note' }

/** Which notes were reported as dropped, and why, on all nodes it watches. */
export class DropLog {
  /** By sender and number. */
  readonly reasons = new Map<string, string>()
  /** Notes that were reported more than once. */
  readonly twice: string[] = []

  /** Watches the present system of `node`, to its very end. */
  watch(node: SimulatedNode): void {
    const subscriber = {
      isTerminated: false,
      tell: ({ message, reason }: DeadLetter): void => this.#dropped(message, reason),
    }
    node.system.eventStream.subscribe(
      DeadLetterEvents,
      subscriber as unknown as ActorRef<DeadLetter>,
    )
  }

  #dropped(message: unknown, reason: string): void {
    const note = noteIn(message)
    if (note === undefined) return
    const key = keyOf(note)
    if (this.reasons.has(key)) this.twice.push(key)
    this.reasons.set(key, reason)
  }
}

export function keyOf({ from, n }: { readonly from: string; readonly n: number }): string {
  return `${from} ${n}`
}

/** The note in a message, be it bare, on its way between regions, or in the mailbox of one. */
function noteIn(message: unknown): Note | undefined {
  const { type, message: inner, envelope } = message as Record<string, unknown>
  if (type === 'Route') return noteIn((envelope as { readonly message: unknown }).message)
  if (type === 'Envelope') return noteIn(inner)
  return type === 'Note' ? (message as Note) : undefined
}
