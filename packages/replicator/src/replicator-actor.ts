import {
  type ActorContext,
  type ActorRef,
  type Behavior,
  Behaviors,
  reasonOf,
  SupervisorStrategy,
} from '@troupe/actor'
import { internal } from '@troupe/actor/spi'
import type { Cluster, ClusterEvent } from '@troupe/cluster'
import type { ReplicatorCommand } from './commands.ts'
import { ReplicatorError } from './errors.ts'
import type { AnyKey, Key } from './key.ts'
import type { Crdt } from '@troupe/crdt'
import type { DeleteReply, GetReply, SubscribeReply, UpdateReply } from './replies.ts'
import type { Replicator } from './replicator.ts'
import type { ReadResult, WriteResult } from './results.ts'
import type { ReplicatorSettings } from './settings.ts'
import type { Heard } from './subscriptions.ts'

type Message =
  | ReplicatorCommand
  /** The end of a turn in which something happened. */
  | { readonly type: 'Flush' }
  | { readonly type: 'GossipTick' }
  | { readonly type: 'SweepTick' }
  /** A look at whether this node has caught up. */
  | { readonly type: 'CompleteTick' }
  | { readonly type: 'Cluster'; readonly event: ClusterEvent }

/**
 * Gives the replicator its turns: commands of actors, the end of a turn, time, and news of the cluster.
 * All state is in the replicator, so a failed turn costs that turn only.
 */
export function replicatorActor(
  replicator: Replicator,
  cluster: Cluster,
  settings: ReplicatorSettings,
): Behavior<ReplicatorCommand | { readonly type: 'Flush' }> {
  const behavior = Behaviors.setup<Message>((context) => {
    const driver = new ReplicatorDriver(context, replicator, cluster, settings)
    driver.start()
    return Behaviors.receive(
      (message) => {
        driver.handle(message)
        return Behaviors.same
      },
      (signal) => {
        if (signal.type === 'Terminated') driver.subscriberStopped(signal.ref)
        if (signal.type === 'PostStop') replicator.stop()
        return Behaviors.same
      },
    )
  })
  return Behaviors.supervise(behavior).onFailure(SupervisorStrategy.resume)
}

class ReplicatorDriver {
  readonly #context: ActorContext<Message>
  readonly #replicator: Replicator
  readonly #cluster: Cluster
  readonly #settings: ReplicatorSettings
  /** How to end each subscription, by subscriber and key. */
  readonly #subscribed = new Map<unknown, Map<string, () => void>>()

  constructor(
    context: ActorContext<Message>,
    replicator: Replicator,
    cluster: Cluster,
    settings: ReplicatorSettings,
  ) {
    this.#context = context
    this.#replicator = replicator
    this.#cluster = cluster
    this.#settings = settings
  }

  start(): void {
    const { timers } = this.#context
    const { gossipIntervalMs, tombstoneMs } = this.#settings
    timers.startTimerWithFixedDelay('gossip', { type: 'GossipTick' }, gossipIntervalMs)
    const sweepMs = Math.min(Math.max(tombstoneMs / 10, SWEEP_MIN_MS), SWEEP_MAX_MS)
    timers.startTimerWithFixedDelay('sweep', { type: 'SweepTick' }, sweepMs)
    timers.startTimerWithFixedDelay('complete', { type: 'CompleteTick' }, INCOMPLETE_WARN_MS)
    this.#cluster.subscribe(
      this.#context.messageAdapter<ClusterEvent>((event) => ({ type: 'Cluster', event })),
    )
  }

  handle(message: Message): void {
    switch (message.type) {
      case 'Flush':
        this.#replicator.flush()
        return
      case 'Update':
        this.#update(message.key, message)
        return
      case 'Get':
        this.#get(message.key, message)
        return
      case 'Delete':
        this.#delete(message.key, message)
        return
      case 'Subscribe':
        this.#subscribe(message.key as Key<Crdt, unknown>, message.subscriber)
        return
      case 'Unsubscribe':
        this.#unsubscribe(message.key, message.subscriber)
        return
      case 'Cluster':
        this.#clusterEvent(message.event)
        return
      case 'GossipTick':
        this.#replicator.gossipTick()
        return
      case 'SweepTick': {
        const now = this.#context.system.platform.clock.wallMs()
        this.#replicator.table.collect(now - this.#settings.tombstoneMs)
        return
      }
      case 'CompleteTick':
        this.#warnWhileIncomplete()
        return
      default:
        return message satisfies never
    }
  }

  /** A member that runs no replicator would be waited for until it leaves: somebody should know. */
  #warnWhileIncomplete(): void {
    const { members } = this.#replicator
    if (members.isComplete) this.#context.timers.cancel('complete')
    else if (members.awaited.length > 0) {
      this.#context.log.warn(
        { awaited: members.awaited },
        'still without the replicated data of some members',
      )
    }
  }

  #clusterEvent(event: ClusterEvent): void {
    // The state, not the event, is what counts: events of one change come one by one, and in between
    // the picture would be half old and half new.
    this.#replicator.membersChanged(this.#cluster.state.members)
    if (event.type === 'ReachableMember') this.#replicator.reachable(event.member.node)
  }

  #update(
    key: AnyKey,
    { modify, consistency, replyTo }: ReplicatorCommand & { readonly type: 'Update' },
  ): void {
    const reply = (result: WriteResult): void => tell(replyTo, updateReply(key, result))
    try {
      this.#replicator.update(key, modify, consistency, reply)
    } catch (cause) {
      reply({ type: 'Threw', cause })
    }
  }

  #get(key: AnyKey, { consistency, replyTo }: ReplicatorCommand & { readonly type: 'Get' }): void {
    const reply = (result: ReadResult): void =>
      tell(replyTo, getReply(key, result, this.#replicator))
    try {
      this.#replicator.read(key, consistency, reply)
    } catch (error) {
      tell(replyTo, getFailure(key, error))
    }
  }

  #delete(
    key: AnyKey,
    { consistency, replyTo }: ReplicatorCommand & { readonly type: 'Delete' },
  ): void {
    const reply = (result: WriteResult): void => tell(replyTo, deleteReply(key, result))
    try {
      this.#replicator.delete(key, consistency, reply)
    } catch (error) {
      tell(replyTo, deleteFailure(key, error))
    }
  }

  #subscribe(key: Key<Crdt, unknown>, subscriber: ActorRef<never>): void {
    const id = internal(subscriber).identity
    const subscriptions = this.#subscribed.get(id) ?? new Map<string, () => void>()
    if (subscriptions.has(key.name)) return
    const hear = (heard: Heard): void => tell(subscriber, subscribeReply(key, heard))
    try {
      subscriptions.set(key.name, this.#replicator.hear(key, hear))
    } catch (error) {
      // There is no reply for it; the text names the key, its type, and the type that was asked for.
      const fields = { subscriber: subscriber.path, reason: reasonOf(error) }
      this.#context.log.warn(fields, 'subscription refused')
      return
    }
    if (this.#subscribed.has(id)) return
    this.#subscribed.set(id, subscriptions)
    this.#context.watch(subscriber)
  }

  #unsubscribe(key: AnyKey, subscriber: ActorRef<never>): void {
    const id = internal(subscriber).identity
    const subscriptions = this.#subscribed.get(id)
    subscriptions?.get(key.name)?.()
    subscriptions?.delete(key.name)
    if (subscriptions?.size !== 0) return
    this.#subscribed.delete(id)
    this.#context.unwatch(subscriber)
  }

  subscriberStopped(subscriber: ActorRef<never>): void {
    const id = internal(subscriber).identity
    for (const end of this.#subscribed.get(id)?.values() ?? []) end()
    this.#subscribed.delete(id)
  }
}

// ---- replies, typed by their key where they leave this package ----

type Reply = UpdateReply<Crdt, unknown> | GetReply<Crdt, unknown> | DeleteReply<Crdt, unknown>

function tell(to: ActorRef<never>, reply: Reply | SubscribeReply<Crdt, unknown>): void {
  ;(to as ActorRef<unknown>).tell(reply)
}

export function updateReply(anyKey: AnyKey, result: WriteResult): UpdateReply<Crdt, unknown> {
  const key = anyKey as Key<Crdt, unknown>
  switch (result.type) {
    case 'Success':
      return { type: 'UpdateSuccess', key }
    case 'Shortfall':
      return { type: 'UpdateTimeout', key, reason: result.reason }
    case 'Deleted':
      return { type: 'DataDeleted', key }
    case 'Threw':
      return { type: 'ModifyFailure', key, cause: result.cause }
    default:
      return result satisfies never
  }
}

export function deleteReply(anyKey: AnyKey, result: WriteResult): DeleteReply<Crdt, unknown> {
  const key = anyKey as Key<Crdt, unknown>
  switch (result.type) {
    case 'Success':
      return { type: 'DeleteSuccess', key }
    case 'Shortfall':
      return { type: 'ReplicationDeleteFailure', key, reason: result.reason }
    case 'Deleted':
      return { type: 'DataDeleted', key }
    case 'Threw':
      throw new Error(
        `broken invariant: a deletion runs no code of users (${reasonOf(result.cause)})`,
      )
    default:
      return result satisfies never
  }
}

/** Reads the value here, after a read has collected what others have. */
export function getReply(
  anyKey: AnyKey,
  result: ReadResult,
  replicator: Replicator,
): GetReply<Crdt, unknown> {
  const key = anyKey as Key<Crdt, unknown>
  if (result.type === 'Shortfall') return { type: 'GetFailure', key, reason: result.reason }
  try {
    const entry = replicator.find(key)
    if (entry === undefined) return { type: 'NotFound', key }
    if (entry.value === undefined) return { type: 'DataDeleted', key }
    return { type: 'GetSuccess', key, value: entry.value }
  } catch (error) {
    return getFailure(key, error)
  }
}

function getFailure(key: AnyKey, error: unknown): GetReply<Crdt, unknown> {
  if (!(error instanceof ReplicatorError)) throw error
  return { type: 'GetFailure', key: key as Key<Crdt, unknown>, reason: 'KeyHasOtherType' }
}

function deleteFailure(key: AnyKey, error: unknown): DeleteReply<Crdt, unknown> {
  if (!(error instanceof ReplicatorError)) throw error
  const reason = 'KeyHasOtherType'
  return { type: 'ReplicationDeleteFailure', key: key as Key<Crdt, unknown>, reason }
}

function subscribeReply(
  key: Key<Crdt, unknown>,
  { entry, changed }: Heard,
): SubscribeReply<Crdt, unknown> {
  const { value } = entry
  return value === undefined ? { type: 'Deleted', key } : { type: 'Changed', key, value, changed }
}

const INCOMPLETE_WARN_MS = 10_000
const SWEEP_MIN_MS = 1_000
const SWEEP_MAX_MS = 600_000
