import { ActorError, type ActorRef, type ActorSystem, type Extension } from '@troupe/actor'
import { Cluster, type UniqueAddress } from '@troupe/cluster'
import { type Crdt, formatDigest, HybridClock } from '@troupe/crdt'
import type { ReplicatorCommand } from './commands.ts'
import {
  type ReadConsistency,
  readLocal,
  type WriteConsistency,
  writeLocal,
} from './consistency.ts'
import { ReplicatorError } from './errors.ts'
import type { Key } from './key.ts'
import { type ReplicatorMetrics, metricsOf } from './metrics.ts'
import { replicatorProtocol } from './protocol.ts'
import type { RefusalReason } from './replica-table.ts'
import type { DeleteReply, GetReply, UpdateReply } from './replies.ts'
import { deleteReply, getReply, replicatorActor, updateReply } from './replicator-actor.ts'
import { Replicator } from './replicator.ts'
import { type ReplicatorSettings, replicatorSettings } from './settings.ts'
import type { Hear } from './subscriptions.ts'
import { reached, type Threshold, type WaitOptions } from './threshold-read.ts'

/** What a listener hears of one key, once per turn in which it changed. */
export interface Change<View> {
  readonly name: string
  /** The replica itself, not a copy; undefined when the key was deleted. */
  readonly value: View
  /** Names of the entries that changed: keys of a map, elements of a set, replicas of a counter. */
  readonly changed: Iterable<unknown>
}

export interface ListenerOptions {
  /** Called when a key was deleted. Default: nothing. */
  readonly onDeleted?: (name: string) => void
}

/**
 * Replicated data: every node has a replica of everything, reads it at once, and changes it without
 * asking anybody. One per system.
 *
 * - Reads are local and see all writes made here, at once.
 * - A write is applied here at once, whatever its consistency, which only says when it counts as done.
 *   It spreads to all members in any case.
 * - Replicas that have heard of the same writes are equal, in whatever order they heard of them.
 */
export class DistributedData {
  readonly #system: ActorSystem
  readonly #replicator: Replicator
  /** The same as a protocol, for actors: make commands with `Replicate`. */
  readonly replicator: ActorRef<ReplicatorCommand>
  /** Names this replica: another run of the same node is another one. */
  readonly self: string

  private constructor(system: ActorSystem, settings: ReplicatorSettings) {
    const cluster = Cluster.get(system)
    const { platform, log } = system
    const random = platform.random.fork('replicator')
    this.#system = system
    this.self = cluster.self.uid
    const replicator: Replicator = new Replicator(
      {
        self: cluster.self,
        replica: new HybridClock(this.self, { wallMs: () => platform.clock.wallMs() }),
        timers: platform.timers,
        now: () => platform.clock.monotonicMs(),
        below: (bound) => random.below(bound),
        post: (to, message) => cluster.remoting.post(to, replicatorProtocol, message),
        soon: () => actor.tell(FLUSH),
        refused: (from, name, reason, count) => logRefusal(system, from, name, reason, count),
        notEncodable: (key, error) =>
          log.error({ key, err: error }, 'replicated value could not be encoded'),
        listenerFailed: (error) => log.error({ err: error }, 'listener of replicated data failed'),
      },
      settings,
    )
    this.#replicator = replicator
    const actor: ActorRef<ReplicatorCommand | typeof FLUSH> = system.systemActorOf(
      replicatorActor(replicator, cluster, settings),
      'replicator',
    )
    this.replicator = actor
    cluster.remoting.register(replicatorProtocol, (from, message) =>
      replicator.receive(from, message),
    )
    replicator.membersChanged(cluster.state.members)
    system.coordinatedShutdown.addTask('before-cluster-shutdown', 'send the last changes', () =>
      this.#drained(),
    )
  }

  /** Starts replication on this node, which must be in a cluster. REPLICATOR_STARTED when it was started before. */
  static start(system: ActorSystem, settings: Partial<ReplicatorSettings> = {}): DistributedData {
    try {
      const data = new DistributedData(system, replicatorSettings(settings))
      system.registerExtension(extension, data)
      return data
    } catch (cause) {
      if (!(cause instanceof ActorError && cause.code === 'NAME_TAKEN')) throw cause
      throw new ReplicatorError(
        'REPLICATOR_STARTED',
        `replicated data of ${system.name} is started already, perhaps by a first get(); start it before`,
        { cause },
      )
    }
  }

  /** The replicated data of this node, started with default settings if it was not started before. */
  static get(system: ActorSystem): DistributedData {
    return system.extension(extension)
  }

  // ---- reading ----

  /**
   * This node's replica: at once, without a copy. Undefined: never heard of, or deleted. Throws
   * KEY_HAS_OTHER_TYPE.
   */
  read<T extends Crdt, View>(key: Key<T, View>): View | undefined {
    return this.#replicator.find(key)?.value as View | undefined
  }

  /** Reads from as many replicas as `consistency` says; default: this one. Rejects with KEY_HAS_OTHER_TYPE. */
  get<T extends Crdt, View>(
    key: Key<T, View>,
    options: { readonly consistency?: ReadConsistency } = {},
  ): Promise<GetReply<T, View>> {
    const replicator = this.#replicator
    return new Promise((resolve) =>
      replicator.read(key, options.consistency ?? readLocal, (result) =>
        resolve(getReply(key, result, replicator) as unknown as GetReply<T, View>),
      ),
    )
  }

  // ---- writing ----

  /**
   * Has `modify` change the value, at once, and resolves when enough replicas have the change; default:
   * this one. A `modify` that changes nothing sends nothing, and counts as done when what was written
   * here before is on enough replicas. If it throws, what it had changed until then stays. Rejects with
   * KEY_HAS_OTHER_TYPE.
   */
  update<T extends Crdt, View>(
    key: Key<T, View>,
    modify: (value: T) => unknown,
    options: { readonly consistency?: WriteConsistency } = {},
  ): Promise<UpdateReply<T, View>> {
    return new Promise((resolve) =>
      this.#replicator.update(
        key,
        modify as (value: never) => unknown,
        options.consistency ?? writeLocal,
        (result) => resolve(updateReply(key, result) as unknown as UpdateReply<T, View>),
      ),
    )
  }

  /** Deletes the key for good: it cannot be used again. Rejects with KEY_HAS_OTHER_TYPE. */
  delete<T extends Crdt, View>(
    key: Key<T, View>,
    options: { readonly consistency?: WriteConsistency } = {},
  ): Promise<DeleteReply<T, View>> {
    return new Promise((resolve) =>
      this.#replicator.delete(key, options.consistency ?? writeLocal, (result) =>
        resolve(deleteReply(key, result) as unknown as DeleteReply<T, View>),
      ),
    )
  }

  // ---- listening ----

  /**
   * Calls `listener` at once if there is a value, and then at the end of each turn in which the value
   * changed, whoever changed it. Returns how to end it. Throws KEY_HAS_OTHER_TYPE.
   */
  subscribe<T extends Crdt, View>(
    key: Key<T, View>,
    listener: (change: Change<View> & { readonly key: Key<T, View> }) => void,
    options: ListenerOptions = {},
  ): () => void {
    return this.#replicator.hear(key, ({ name, entry, changed }) => {
      if (entry.value === undefined) options.onDeleted?.(name)
      else listener({ key, name, value: entry.value as unknown as View, changed })
    })
  }

  /**
   * The same for all keys whose name starts with `prefix`; '' for all. Costs the same at any number of
   * keys. The keys under one prefix should have one type: `View` is taken on trust.
   */
  subscribePrefix<View = unknown>(
    prefix: string,
    listener: (change: Change<View>) => void,
    options: ListenerOptions = {},
  ): () => void {
    const hear: Hear = ({ name, entry, changed }) => {
      if (entry.value === undefined) options.onDeleted?.(name)
      else listener({ name, value: entry.value as unknown as View, changed })
    }
    return this.#replicator.hearPrefix(prefix, hear)
  }

  /**
   * Resolves with the value once it has passed `threshold`: a value it must include, or a condition
   * that stays true once it is. Rejects with THRESHOLD_NOT_REACHED after `timeoutMs`, with KEY_DELETED,
   * or with the reason of `signal`.
   */
  whenReached<T extends Crdt, View>(
    key: Key<T, View>,
    threshold: Threshold<View>,
    options: WaitOptions,
  ): Promise<View> {
    const { timers } = this.#system.platform
    return reached(this.#replicator, timers, key, threshold, options)
  }

  // ---- the whole ----

  /** Names of all keys that are not deleted. */
  *keys(): IterableIterator<string> {
    for (const entry of this.#replicator.table.entries) if (!entry.isDeleted) yield entry.name
  }

  /** One text for everything in this replica: equal on replicas that agree. */
  digest(): string {
    return formatDigest(this.#replicator.table.digests.root)
  }

  /**
   * True once every member that was there before this node has sent it all it had. Until then local
   * reads may miss much, and this node answers no reads of others.
   */
  get isComplete(): boolean {
    return this.#replicator.members.isComplete
  }

  /** Resolves when this node is complete; rejects with NOT_COMPLETE after `timeoutMs`. For readiness checks. */
  whenComplete({ timeoutMs }: { readonly timeoutMs: number }): Promise<void> {
    const replicator = this.#replicator
    return this.#when(
      () => replicator.members.isComplete,
      timeoutMs,
      () =>
        new ReplicatorError(
          'NOT_COMPLETE',
          `still without the state of ${replicator.members.awaited.join(', ') || 'any member: this node has not joined'} after ${timeoutMs} ms`,
        ),
    )
  }

  get metrics(): ReplicatorMetrics {
    return metricsOf(this.#replicator)
  }

  async #drained(): Promise<void> {
    const replicator = this.#replicator
    if (replicator.members.others.length === 0) return
    await this.#when(
      () => replicator.isDrained || replicator.members.others.length === 0,
      DRAIN_MS,
      () =>
        new ReplicatorError('NOT_COMPLETE', 'some nodes have not acknowledged the last changes'),
    )
  }

  #when(isReached: () => boolean, timeoutMs: number, error: () => Error): Promise<void> {
    if (isReached()) return Promise.resolve()
    const { timers } = this.#system.platform
    return new Promise((resolve, reject) => {
      const timer = {
        deadlineMs: 0,
        previous: null,
        next: null,
        slot: -1,
        fire: () => {
          giveUp()
          reject(error())
        },
      }
      const giveUp = this.#replicator.when(isReached, () => {
        timers.cancel(timer)
        resolve()
      })
      timers.start(timer, timeoutMs)
    })
  }

  /** For the extension: replicated data with default settings. */
  static create(system: ActorSystem): DistributedData {
    return new DistributedData(system, replicatorSettings())
  }
}

const extension: Extension<DistributedData> = {
  name: 'replicator',
  create: (system) => DistributedData.create(system),
}

/** Refusals come with every message of a node that is wrong about something: the 1st, 2nd, 4th, 8th, … are logged. */
function logRefusal(
  system: ActorSystem,
  from: UniqueAddress,
  key: string,
  reason: RefusalReason,
  count: number,
): void {
  if ((count & (count - 1)) !== 0) return
  system.log.warn({ from: from.address, key, reason, count }, 'replicated changes refused')
}

const FLUSH = { type: 'Flush' } as const
const DRAIN_MS = 2_000
