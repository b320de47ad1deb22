import { type ActorRef, type Behavior, Behaviors } from '@troupe/actor'
import { type EntityContext, EntityType, type EntityTypeOptions } from '@troupe/sharding'
import type { SimulatedNode } from '@troupe/testkit/cluster'
import type { InstanceLog } from './instance-log.ts'

/** The entity of the sharding tests: writes down what it is told, and says where it is. */
export type LedgerCommand =
  | { readonly type: 'Note'; readonly from: string; readonly n: number }
  | { readonly type: 'Where'; readonly replyTo: ActorRef<LedgerReply> }
  | { readonly type: 'Rest' }
  | { readonly type: 'Fail' }
  /** Takes its time, and lets nothing else in meanwhile. */
  | { readonly type: 'Work'; readonly until: Promise<void> }
  /** The same for so many virtual milliseconds. */
  | { readonly type: 'Nap'; readonly forMs: number }
  | { readonly type: 'Close' }

export interface LedgerReply {
  readonly node: string
  readonly epoch: number
  /** How many messages this instance has handled. */
  readonly handled: number
}

/** What all instances together have handled, in that order, by entity. */
export class Books {
  readonly notes = new Map<string, { readonly from: string; readonly n: number }[]>()

  note(id: string, from: string, n: number): void {
    const notes = this.notes.get(id) ?? []
    this.notes.set(id, notes)
    notes.push({ from, n })
  }

  /** The numbers that came from `from`, in the order in which they were handled. */
  of(id: string, from: string): readonly number[] {
    return (this.notes.get(id) ?? []).filter((each) => each.from === from).map(({ n }) => n)
  }

  get size(): number {
    return [...this.notes.values()].reduce((sum, notes) => sum + notes.length, 0)
  }
}

export interface LedgerParts {
  readonly log: InstanceLog
  readonly books: Books
}

/** The type as `node` starts it. */
export function ledgerOn(
  node: SimulatedNode,
  { log, books }: LedgerParts,
  options: EntityTypeOptions<LedgerCommand> = {},
): EntityType<LedgerCommand> {
  const behavior = (entity: EntityContext): Behavior<LedgerCommand> => {
    const instance = log.started(node, entity.id, entity.epoch)
    let handled = 0
    return Behaviors.receive(
      (message) => {
        handled++
        switch (message.type) {
          case 'Note':
            books.note(entity.id, message.from, message.n)
            return Behaviors.same
          case 'Where':
            message.replyTo.tell({ node: node.name, epoch: entity.epoch, handled })
            return Behaviors.same
          case 'Rest':
            entity.passivate()
            return Behaviors.same
          case 'Work':
            return message.until.then(() => Behaviors.same)
          case 'Nap':
            return sleep(node, message.forMs).then(() => Behaviors.same)
          case 'Close':
            return Behaviors.stopped
          case 'Fail':
            throw new Error('told to fail')
          default:
            return message satisfies never
        }
      },
      (signal) => {
        if (signal.type === 'PostStop') log.ended(instance)
        return Behaviors.same
      },
    )
  }
  return EntityType.create('ledger', behavior, options)
}

function sleep(node: SimulatedNode, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = { deadlineMs: 0, previous: null, next: null, slot: -1, fire: () => resolve() }
    node.system.platform.timers.start(timer, ms)
  })
}
