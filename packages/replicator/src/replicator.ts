import type { TimerService, TimerTask } from '@troupe/actor'
import type { Member, UniqueAddress } from '@troupe/cluster'
import { nodeKey } from '@troupe/cluster/spi'
import type { Digest, Replica } from '@troupe/crdt'
import type { ReadConsistency, WriteConsistency } from './consistency.ts'
import { Dissemination } from './dissemination.ts'
import type { AnyKey } from './key.ts'
import { MemberView } from './member-view.ts'
import { answersTo, PendingReads } from './pending-reads.ts'
import { PendingWrites } from './pending-writes.ts'
import type { ReplicatorMessage } from './protocol.ts'
import { Repair, type RepairMessage } from './repair.ts'
import {
  type Entry,
  type MergeOutcome,
  isRefusal,
  type RefusalReason,
  ReplicaTable,
} from './replica-table.ts'
import { type ReadResult, resultOf, type WriteResult } from './results.ts'
import type { ReplicatorSettings } from './settings.ts'
import { type Hear, heardOf, Subscriptions } from './subscriptions.ts'
import { Waiters } from './waiters.ts'

/** Everything a replicator touches that is not its own. */
export interface ReplicatorHost {
  readonly self: UniqueAddress
  readonly replica: Replica
  readonly timers: TimerService
  /** Milliseconds on the monotonic clock. */
  now(): number
  /** A number in [0, bound). */
  below(bound: number): number
  post(to: UniqueAddress, message: ReplicatorMessage): void
  /** Asks for one `flush` at the end of the turn. */
  soon(): void
  refused(from: UniqueAddress, name: string, reason: RefusalReason, count: number): void
  listenerFailed(error: unknown): void
  /** A value of this node could not write its changes: they are not sent. */
  notEncodable(name: string, error: unknown): void
}

/**
 * One node's replica of all replicated data, and its part in keeping all replicas the same.
 *
 * It ties the machines together: the table of values, what other nodes still need, who waits for
 * whom, repair, and who wants to hear of changes. Writes and what arrives are applied at once; sending,
 * acknowledging and telling listeners happen in `flush`, once per turn.
 */
export class Replicator {
  readonly table: ReplicaTable
  readonly subscriptions: Subscriptions
  readonly members: MemberView
  readonly refusals: Map<string, number> = new Map()
  updates = 0
  deltasReceived = 0
  bytesReceived = 0
  repairRounds = 0
  repairedKeys = 0
  readonly #host: ReplicatorHost
  readonly #settings: ReplicatorSettings
  readonly #dissemination: Dissemination
  readonly #writes: PendingWrites
  readonly #reads: PendingReads
  readonly #repair: Repair
  readonly #resend: TimerTask
  readonly #waiters = new Waiters()
  #isResendRunning = false
  #isSoon = false

  constructor(host: ReplicatorHost, settings: ReplicatorSettings) {
    this.#host = host
    this.#settings = settings
    this.subscriptions = new Subscriptions((error) => host.listenerFailed(error))
    this.members = new MemberView(host.self)
    this.table = new ReplicaTable(host.replica, settings, (entry, since) => {
      if (this.subscriptions.changed(entry, since)) this.#soon()
    })
    this.#dissemination = new Dissemination(this.table, settings, {
      post: (to, message) => host.post(to, message),
      notEncodable: (name, error) => {
        this.#count('NotEncodable')
        host.notEncodable(name, error)
      },
    })
    this.#writes = new PendingWrites(host.timers, this.#dissemination, () => host.now())
    this.#reads = new PendingReads({
      timers: host.timers,
      post: (node, message) => this.#post(node, message),
      merge: (name, valueType, state) => this.#merge(name, valueType, state),
      delete: (name) => void this.table.delete(name, host.now()),
    })
    this.#repair = new Repair(this.table, settings)
    this.#resend = {
      deadlineMs: 0,
      previous: null,
      next: null,
      slot: -1,
      fire: () => {
        this.#isResendRunning = false
        this.#dissemination.giveUpOverdue(host.now())
        this.#soon()
      },
    }
  }

  // ---- what this node does ----

  /**
   * The entry of `key`, for readers. KEY_HAS_OTHER_TYPE is counted and thrown. Undefined: never heard of.
   */
  find(key: AnyKey): Entry | undefined {
    try {
      return this.table.entryOf(key)
    } catch (error) {
      this.#count('OtherType')
      throw error
    }
  }

  /** Calls `hear` at once if the key has a value or was deleted, and from then on whenever it changed. */
  hear(key: AnyKey, hear: Hear): () => void {
    const { typeName } = key.type
    const entry = this.find(key)
    const end = this.subscriptions.subscribe(key.name, (heard) => {
      const { type } = heard.entry
      if (type === undefined || type.typeName === typeName) hear(heard)
    })
    if (entry !== undefined) this.subscriptions.tell(hear, heardOf(entry, 0))
    return end
  }

  /** The same for all keys whose names begin with `prefix`, of whatever type. */
  hearPrefix(prefix: string, hear: Hear): () => void {
    const end = this.subscriptions.subscribePrefix(prefix, hear)
    for (const entry of Array.from(this.table.entries)) {
      if (entry.name.startsWith(prefix)) this.subscriptions.tell(hear, heardOf(entry, 0))
    }
    return end
  }

  /** Applies a write at once; `done` is called once, possibly before this returns. */
  update(
    key: AnyKey,
    modify: (value: never) => unknown,
    consistency: WriteConsistency,
    done: (result: WriteResult) => void,
  ): void {
    this.find(key)
    this.updates++
    const from = this.table.find(key.name)?.changes ?? 0
    let thrown: { readonly cause: unknown } | undefined
    try {
      const outcome = this.table.update(key, modify, this.#host.now())
      if (outcome.type === 'Deleted') {
        done({ type: 'Deleted' })
        return
      }
    } catch (cause) {
      thrown = { cause }
    }
    const entry = this.table.find(key.name)
    const hasChanged = entry !== undefined && entry.changes > from
    if (hasChanged) this.#written(entry, from)
    if (thrown !== undefined) done({ type: 'Threw', cause: thrown.cause })
    else if (entry === undefined || consistency.type === 'WriteLocal') done({ type: 'Success' })
    else {
      // A write that changed nothing is on the others once all that was written here before is there.
      const upTo = hasChanged ? entry.changes : entry.writtenUpTo
      this.#startWrite(entry, hasChanged ? from : upTo, upTo, consistency, done)
    }
  }

  /** Deletes `key` for good. */
  delete(key: AnyKey, consistency: WriteConsistency, done: (result: WriteResult) => void): void {
    this.find(key)
    const from = this.table.find(key.name)?.changes ?? 0
    const entry = this.table.delete(key.name, this.#host.now())
    if (entry === undefined) {
      done({ type: 'Deleted' })
      return
    }
    entry.writtenUpTo = entry.changes
    this.#written(entry, from)
    if (consistency.type === 'WriteLocal') done({ type: 'Success' })
    else this.#startWrite(entry, from, entry.changes, consistency, done)
  }

  /** Collects from others what they have of `key`; afterwards it is here. */
  read(key: AnyKey, consistency: ReadConsistency, done: (result: ReadResult) => void): void {
    const { name } = key
    const isDeleted = this.find(key)?.isDeleted === true
    if (consistency.type === 'ReadLocal' || isDeleted) {
      done({ type: 'Success' })
      return
    }
    this.#reads.start({
      ...this.members.quorumFor(consistency),
      name,
      digest: () => this.table.find(name)?.digest ?? NO_CONTENT,
      timeoutMs: consistency.timeoutMs,
      done: (outcome) => done(resultOf(outcome)),
    })
  }

  #written(entry: Entry, from: number): void {
    this.#dissemination.written(entry, from)
    this.#soon()
  }

  #startWrite(
    entry: Entry,
    from: number,
    upTo: number,
    consistency: Exclude<WriteConsistency, { readonly type: 'WriteLocal' }>,
    done: (result: WriteResult) => void,
  ): void {
    this.#writes.start({
      ...this.members.quorumFor(consistency),
      entry,
      from,
      upTo,
      timeoutMs: consistency.timeoutMs,
      done: (outcome) => done(resultOf(outcome)),
    })
  }

  // ---- what others do ----

  receive(from: UniqueAddress, message: ReplicatorMessage): void {
    const node = nodeKey(from)
    if (!this.members.accepts(node)) {
      this.#count('UnknownNode')
      return
    }
    switch (message.type) {
      case 'Delta':
        this.#deltaReceived(from, message)
        return
      case 'Deletion':
        this.table.delete(message.name, this.#host.now())
        this.#acknowledge(from, message.number)
        return
      case 'Complete':
        this.members.gotAllFrom(node)
        this.#acknowledge(from, message.number)
        return
      case 'Ack':
        this.#acknowledged(node, message.numbers)
        return
      case 'Refused':
        this.#refusedBy(node, message.number)
        return
      case 'Read':
        // A node that is not complete keeps silent: it may have lost what it would have answered.
        if (!this.members.isComplete) return
        for (const answer of answersTo(message, this.table)) this.#host.post(from, answer)
        return
      case 'ReadPart':
        this.#reads.partReceived(node, message)
        return
      case 'ReadAnswer':
        this.#reads.answered(node, message)
        return
      case 'Root':
        if (this.#isCatchingUp) return
        this.#repairStep(from, message)
        return
      case 'Buckets':
      case 'Keys':
      case 'Differing':
      case 'Wanted':
        this.#repairStep(from, message)
        return
      default:
        return message satisfies never
    }
  }

  #repairStep(from: UniqueAddress, message: RepairMessage): void {
    const { reply, push } = this.#repair.receive(message, this.#host.now())
    for (const each of reply) this.#host.post(from, each)
    if (push.length === 0) return
    this.repairedKeys += push.length
    this.#dissemination.push(nodeKey(from), push)
    this.#soon()
  }

  #deltaReceived(
    from: UniqueAddress,
    message: Extract<ReplicatorMessage, { readonly type: 'Delta' }>,
  ): void {
    const { name, number, valueType, state } = message
    this.deltasReceived++
    this.bytesReceived += state.length + name.length
    const outcome = this.#merge(name, valueType, state)
    if (isRefusal(outcome)) {
      this.#host.post(from, { type: 'Refused', number, reason: outcome })
      this.#host.refused(from, name, outcome, this.refusals.get(outcome) ?? 0)
      return
    }
    if (outcome === 'Deleted') this.#dissemination.push(nodeKey(from), [name])
    this.#acknowledge(from, number)
  }

  #merge(name: string, valueType: string, state: Uint8Array): MergeOutcome {
    const outcome = this.table.merge(name, valueType, state, this.#host.now())
    if (isRefusal(outcome)) this.#count(outcome)
    return outcome
  }

  #acknowledge(to: UniqueAddress, number: number): void {
    this.#dissemination.acknowledge(to, number)
    this.#soon()
  }

  #acknowledged(node: string, numbers: readonly number[]): void {
    const now = this.#host.now()
    for (const number of numbers) {
      const sent = this.#dissemination.acknowledged(node, number, now)
      if (sent !== undefined) this.#writes.arrived(node, sent)
    }
    this.#soon()
  }

  #refusedBy(node: string, number: number): void {
    const sent = this.#dissemination.refused(node, number)
    if (sent?.name !== undefined) this.#writes.refused(node, sent.name)
    this.#soon()
  }

  // ---- what time does ----

  /** The end of a turn: sends what is due, acknowledges what came, tells listeners what changed. */
  flush(): void {
    this.#isSoon = false
    const now = this.#host.now()
    this.#dissemination.flush(now)
    this.#writes.hurryFresh(now)
    this.#dissemination.flushAcknowledgements()
    this.subscriptions.flush()
    this.#waiters.wake()
    if (!this.#isResendRunning && this.#dissemination.isWaiting) {
      this.#isResendRunning = true
      this.#host.timers.start(this.#resend, this.#settings.resendMs / 2)
    }
  }

  /** One round of repair with one random node; not with those that much is on its way to anyway. */
  gossipTick(): void {
    if (this.#isCatchingUp) return
    const others = this.members.others.filter((each) => this.#dissemination.isUpToDate(each))
    const node = others[this.#host.below(others.length)]
    if (node === undefined) return
    this.repairRounds++
    this.#host.post(node, this.#repair.begin())
  }

  /** What is missing here is on its way: comparing would find nothing else. */
  get #isCatchingUp(): boolean {
    const { isComplete } = this.members
    return !isComplete && this.#host.now() - this.table.mergedAt < CATCHING_UP_MS
  }

  #soon(): void {
    if (this.#isSoon) return
    this.#isSoon = true
    this.#host.soon()
  }

  // ---- the cluster ----

  membersChanged(members: readonly Member[]): void {
    for (const change of this.members.update(members)) {
      if (change.type === 'Joined') this.#dissemination.add(change.node)
      else {
        this.#dissemination.remove(change.node)
        this.#writes.nodeRemoved(change.node)
        this.#reads.nodeRemoved(change.node)
      }
    }
    this.#soon()
  }

  /** `node` can be reached again. */
  reachable(node: UniqueAddress): void {
    this.#dissemination.reachable(nodeKey(node))
    this.#soon()
  }

  /** True when all nodes have acknowledged everything that was written here. */
  get isDrained(): boolean {
    return this.#dissemination.isDone
  }

  /** Calls `resolve` at the end of the turn in which `isReached` holds; returns how to give up. */
  when(isReached: () => boolean, resolve: () => void): () => void {
    this.#soon()
    return this.#waiters.add(isReached, resolve)
  }

  /** No timers, no messages any more. */
  stop(): void {
    this.#isResendRunning = true
    this.#host.timers.cancel(this.#resend)
  }

  // ---- counting ----

  get deltasSent(): number {
    return this.#dissemination.deltasSent
  }

  get bytesSent(): number {
    return this.#dissemination.bytesSent
  }

  #count(reason: string): void {
    this.refusals.set(reason, (this.refusals.get(reason) ?? 0) + 1)
  }

  #post(node: string, message: ReplicatorMessage): void {
    const to = this.members.addressOf(node)
    if (to !== undefined) this.#host.post(to, message)
  }
}

/** A node that gets nothing for this long is no longer catching up, whatever it waits for. */
const CATCHING_UP_MS = 2_000
const NO_CONTENT: Digest = { high: 0, low: 0 }
