import type { TimerService } from '@troupe/actor'
import type { Dissemination } from './dissemination.ts'
import type { Sent } from './peer.ts'
import { type Outcome, PendingQuorum } from './pending-quorum.ts'
import type { Entry } from './replica-table.ts'

/** A write that is done when enough other nodes have it. */
export interface WritePlan {
  readonly entry: Entry
  /** The key's change number before the write, and after it. Equal: nothing new has to be sent. */
  readonly from: number
  readonly upTo: number
  readonly others: readonly string[]
  readonly needed: number
  readonly timeoutMs: number
  readonly done: (outcome: Outcome) => void
}

/**
 * Writes that wait for other nodes. A node has a write when it has acknowledged a message that carried
 * it, or everything of the key up to it. So writes need no messages of their own: they travel with
 * what is sent to everybody anyway, and are sent apart only to nodes that are too far behind.
 */
export class PendingWrites {
  readonly #timers: TimerService
  readonly #dissemination: Dissemination
  readonly #now: () => number
  readonly #byName = new Map<string, Set<Pending>>()
  #fresh: Pending[] = []

  constructor(timers: TimerService, dissemination: Dissemination, now: () => number) {
    this.#timers = timers
    this.#dissemination = dissemination
    this.#now = now
  }

  start(plan: WritePlan): void {
    const { entry, from, upTo, others } = plan
    const quorum = new PendingQuorum(this.#timers, {
      ...plan,
      ask: (node, attempt) => {
        if (attempt > 1) this.#dissemination.hurry(node, entry, { from, upTo }, this.#now(), true)
      },
      done: (outcome) => {
        this.#remove(pending)
        plan.done(outcome)
      },
    })
    const pending: Pending = { entry, from, upTo, quorum }
    this.#add(pending)
    quorum.start()
    for (const node of others) {
      if (this.#dissemination.hasArrived(node, entry.name, upTo)) quorum.answered(node)
    }
    if (!quorum.isDone) this.#fresh.push(pending)
  }

  /** After everything due was sent: sees to it that new writes are on their way to everybody. */
  hurryFresh(now: number): void {
    const fresh = this.#fresh
    this.#fresh = []
    for (const { entry, from, upTo, quorum } of fresh) {
      if (quorum.isDone) continue
      for (const node of quorum.others) {
        this.#dissemination.hurry(node, entry, { from, upTo }, now, false)
      }
    }
  }

  arrived(node: string, sent: Sent): void {
    const { name } = sent
    const writes = name === undefined ? undefined : this.#byName.get(name)
    if (name === undefined || writes === undefined) return
    for (const { from, upTo, quorum } of writes) {
      const isIncluded = sent.from <= from && sent.upTo >= upTo
      if (isIncluded || this.#dissemination.hasArrived(node, name, upTo)) quorum.answered(node)
    }
  }

  /** `node` cannot take the key. */
  refused(node: string, name: string): void {
    for (const { quorum } of this.#byName.get(name) ?? []) quorum.refused(node)
  }

  /** `node` is gone for good; its acknowledgements count no more. */
  nodeRemoved(node: string): void {
    for (const writes of this.#byName.values()) {
      for (const { quorum } of writes) quorum.refused(node)
    }
  }

  #add(pending: Pending): void {
    const { name } = pending.entry
    const writes = this.#byName.get(name)
    if (writes === undefined) this.#byName.set(name, new Set([pending]))
    else writes.add(pending)
  }

  #remove(pending: Pending): void {
    const { name } = pending.entry
    const writes = this.#byName.get(name)
    writes?.delete(pending)
    if (writes?.size === 0) this.#byName.delete(name)
  }
}

interface Pending {
  readonly entry: Entry
  readonly from: number
  readonly upTo: number
  readonly quorum: PendingQuorum
}
