import type { TimerService } from '@troupe/actor'
import { type Digest, isSameDigest } from '@troupe/crdt'
import { type Outcome, PendingQuorum } from './pending-quorum.ts'
import type { ReplicatorMessage } from './protocol.ts'
import type { MergeOutcome, ReplicaTable } from './replica-table.ts'

type Read = Extract<ReplicatorMessage, { readonly type: 'Read' }>
type ReadPart = Extract<ReplicatorMessage, { readonly type: 'ReadPart' }>
type ReadAnswer = Extract<ReplicatorMessage, { readonly type: 'ReadAnswer' }>

/** A read that is done when enough other nodes have told what they have. */
export interface ReadPlan {
  readonly name: string
  /** What this node has of the key at the moment. */
  readonly digest: () => Digest
  readonly others: readonly string[]
  readonly needed: number
  readonly timeoutMs: number
  readonly done: (outcome: Outcome) => void
}

export interface ReadHost {
  readonly timers: TimerService
  post(node: string, message: ReplicatorMessage): void
  /** Takes in what another node has; that is also how it is repaired here. */
  merge(name: string, valueType: string, state: Uint8Array): MergeOutcome
  delete(name: string): void
}

/**
 * Reads that wait for other nodes. What comes back is merged into this replica, so the value read is
 * the value here once enough have answered. Large values come in parts; an answer counts when all
 * parts of one attempt are here, so that a link that broke in between leaves no hole.
 */
export class PendingReads {
  readonly #host: ReadHost
  readonly #reads = new Map<number, Pending>()
  #ids = 0

  constructor(host: ReadHost) {
    this.#host = host
  }

  start(plan: ReadPlan): void {
    const id = ++this.#ids
    const { name } = plan
    const quorum = new PendingQuorum(this.#host.timers, {
      ...plan,
      ask: (node, attempt) =>
        this.#host.post(node, { type: 'Read', id, attempt, name, digest: plan.digest() }),
      done: (outcome) => {
        this.#reads.delete(id)
        plan.done(outcome)
      },
    })
    this.#reads.set(id, { name, quorum, received: new Map() })
    quorum.start()
  }

  answered(node: string, { id, answer }: ReadAnswer): void {
    const read = this.#reads.get(id)
    if (read === undefined) return
    if (answer === 'Deleted') this.#host.delete(read.name)
    read.quorum.answered(node)
  }

  partReceived(node: string, message: ReadPart): void {
    const read = this.#reads.get(message.id)
    if (read === undefined) return
    const outcome = this.#host.merge(read.name, message.valueType, message.state)
    if (outcome !== 'Changed' && outcome !== 'Same' && outcome !== 'Deleted') {
      read.quorum.refused(node)
      return
    }
    const received = receivedFrom(read, node, message.attempt)
    received.parts.add(message.part)
    if (message.parts > 0) received.total = message.parts
    if (received.parts.size === received.total) read.quorum.answered(node)
  }

  nodeRemoved(node: string): void {
    for (const { quorum } of this.#reads.values()) quorum.refused(node)
  }
}

/** The other side of a read: what this node has, in as many messages as it takes. */
export function answersTo(
  { id, attempt, name, digest }: Read,
  table: ReplicaTable,
): readonly ReplicatorMessage[] {
  const entry = table.find(name)
  if (entry === undefined) return [{ type: 'ReadAnswer', id, answer: 'Nothing' }]
  if (entry.isDeleted) return [{ type: 'ReadAnswer', id, answer: 'Deleted' }]
  if (isSameDigest(entry.digest, digest)) return [{ type: 'ReadAnswer', id, answer: 'Same' }]
  const valueType = entry.type?.typeName ?? ''
  const answers: ReplicatorMessage[] = []
  for (let upTo = 0, part = 0; part === 0 || upTo < entry.changes; part++) {
    const changes = table.changesOf(entry, upTo)
    upTo = changes.upTo
    const parts = upTo < entry.changes ? 0 : part + 1
    const { state } = changes
    answers.push({ type: 'ReadPart', id, attempt, part, parts, valueType, state })
  }
  return answers
}

interface Pending {
  readonly name: string
  readonly quorum: PendingQuorum
  readonly received: Map<string, Received>
}

interface Received {
  readonly attempt: number
  readonly parts: Set<number>
  total: number
}

function receivedFrom({ received }: Pending, node: string, attempt: number): Received {
  let current = received.get(node)
  if (current === undefined || current.attempt !== attempt) {
    current = { attempt, parts: new Set(), total: -1 }
    received.set(node, current)
  }
  return current
}
