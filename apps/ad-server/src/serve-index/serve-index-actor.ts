import { Behaviors, type ActorContext, type ActorRef, type Behavior } from '@troupe/actor'
import { writeMajority } from '@troupe/replicator'
import type { FlatIndex } from './flat-index.ts'
import type { BucketName, IndexReplica, PlanFor, WriteOutcome } from './index-replica.ts'
import type { RemoveEffect } from './remove-retry.ts'
import { RemoveRetry } from './remove-retry.ts'
import type { VersionClock } from './serve-index.ts'
import {
  CANDIDATE_TTL_MS,
  namespaceOf,
  planAppend,
  planPut,
  planRefreshTtl,
  planRemove,
  planSweep,
  planUpdateCpm,
} from './serve-index.ts'
import type { Candidate, ServeView } from './serve-view.ts'
import { matches, type ViewFilter } from './view-filter.ts'

/** Which slots an operation means: one, all of a site, or all there are. */
export interface IndexScope {
  readonly site?: string
  /** Only together with `site`. */
  readonly slot?: string
}

export type ServeIndexCommand =
  /** What an auction found replaces what the slot showed; nothing found changes nothing. WriteLocal. */
  | {
      readonly type: 'Put'
      readonly site: string
      readonly slot: string
      readonly candidates: readonly Candidate[]
      readonly keepCreativeIds?: ReadonlySet<string>
    }
  /** One creative more. WriteLocal. */
  | {
      readonly type: 'Append'
      readonly site: string
      readonly slot: string
      readonly candidate: Candidate
    }
  /** New prices by campaign. WriteLocal. */
  | {
      readonly type: 'UpdateCpm'
      readonly scope: IndexScope
      readonly cpmMicrosByCampaign: ReadonlyMap<string, number>
    }
  /** What matches lives `ttlMs` from now. WriteLocal. */
  | {
      readonly type: 'RefreshTTL'
      readonly scope: IndexScope
      readonly filter: ViewFilter
      readonly ttlMs: number
    }
  /** Every removal. WriteMajority, tried again a few times; `replyTo` hears how it ended. */
  | {
      readonly type: 'Remove'
      readonly scope: IndexScope
      readonly filter: ViewFilter
      readonly replyTo?: ActorRef<RemoveReply>
    }
  | {
      readonly type: 'Get'
      readonly site: string
      readonly slot: string
      readonly replyTo: ActorRef<readonly ServeView[]>
    }
  /** Takes out what has expired. WriteLocal. Comes by itself every two minutes of scenario time. */
  | { readonly type: 'Sweep' }

/** `RemoveFailed`: no majority confirmed it in time. It is done here and still spreads. */
export type RemoveReply =
  | { readonly type: 'Removed'; readonly entries: number }
  | { readonly type: 'RemoveFailed'; readonly attempts: number }

export interface ServeIndexParts {
  readonly replica: IndexReplica
  readonly flat: FlatIndex
  readonly versions: VersionClock
  /** Scenario time. */
  now(): number
  /** How often to sweep, in real milliseconds. */
  readonly sweepIntervalMs: number
  /** How long an auction's candidates live, in scenario time. Default two hours. */
  readonly candidateTtlMs?: number
}

/** The index of this node. Operations apply here at once, in the order they come; the rest of the cluster follows. */
export function serveIndexActor(parts: ServeIndexParts): Behavior<ServeIndexCommand> {
  return Behaviors.setup<Message>((context) => {
    const unfollow = parts.replica.follow()
    context.timers.startTimerWithFixedDelay('sweep', { type: 'Sweep' }, parts.sweepIntervalMs)
    const index = new ServeIndexDriver(parts, context)
    return Behaviors.receive(
      (message) => {
        index.handle(message)
        return Behaviors.same
      },
      (signal) => {
        if (signal.type === 'PostStop' || signal.type === 'PreRestart') unfollow()
        return Behaviors.same
      },
    )
  })
}

type Message =
  | ServeIndexCommand
  | {
      readonly type: 'AttemptEnded'
      readonly operation: number
      readonly attempt: number
      readonly outcome: WriteOutcome
    }
  | { readonly type: 'PauseOver'; readonly operation: number }

/** A removal under way. Its buckets and the versions it has seen are fixed when it begins. */
interface Removal {
  readonly retry: RemoveRetry
  readonly buckets: readonly BucketName[]
  readonly filter: ViewFilter
  readonly seenVersion: number
  readonly entries: number
  readonly replyTo: ActorRef<RemoveReply> | undefined
}

class ServeIndexDriver {
  readonly #parts: ServeIndexParts
  readonly #context: ActorContext<Message>
  readonly #removals = new Map<number, Removal>()
  #operations = 0

  constructor(parts: ServeIndexParts, context: ActorContext<Message>) {
    this.#parts = parts
    this.#context = context
  }

  handle(message: Message): void {
    const { replica, flat } = this.#parts
    const now = this.#parts.now()
    switch (message.type) {
      case 'Put': {
        const { site, slot, candidates, keepCreativeIds } = message
        if (candidates.length === 0) return
        const options = { ...this.#putOptions(now), ...(keepCreativeIds && { keepCreativeIds }) }
        const ids = candidates.map(({ creativeId }) => creativeId)
        const buckets = replica.bucketsOf(namespaceOf(site, slot), ids)
        return this.#write(buckets, (current, bucket) =>
          planPut(current, candidates, { ...options, bucket }),
        )
      }
      case 'Append': {
        const { site, slot, candidate } = message
        const options = this.#putOptions(now)
        const buckets = replica.bucketsOf(namespaceOf(site, slot), [candidate.creativeId])
        return this.#write(buckets, (current) => planAppend(current, candidate, options))
      }
      case 'UpdateCpm': {
        const { scope, cpmMicrosByCampaign } = message
        const isMeant = (view: ServeView): boolean => cpmMicrosByCampaign.has(view.campaignId)
        const buckets = replica.bucketsWith(isMeant, this.#namespacesIn(scope))
        return this.#write(buckets, (current) => planUpdateCpm(current, cpmMicrosByCampaign))
      }
      case 'RefreshTTL': {
        const { scope, filter, ttlMs } = message
        const isMeant = (view: ServeView): boolean => matches(view, filter)
        const buckets = replica.bucketsWith(isMeant, this.#namespacesIn(scope))
        return this.#write(buckets, (current) => planRefreshTtl(current, filter, ttlMs, now))
      }
      case 'Remove':
        return this.#remove(message, now)
      case 'AttemptEnded':
        return this.#attemptEnded(message.operation, message.attempt, message.outcome)
      case 'PauseOver': {
        const removal = this.#removals.get(message.operation)
        if (removal !== undefined)
          this.#perform(message.operation, removal, removal.retry.pauseOver())
        return
      }
      case 'Get':
        message.replyTo.tell([...flat.read(message.site, message.slot, now)])
        return
      case 'Sweep':
        return this.#write([...replica.bucketsToSweep(now)], (current) => planSweep(current, now))
      default:
        return message satisfies never
    }
  }

  #remove(command: Extract<ServeIndexCommand, { type: 'Remove' }>, now: number): void {
    const { scope, filter, replyTo } = command
    let entries = 0
    const isMeant = (view: ServeView): boolean => {
      const isMatch = matches(view, filter)
      if (isMatch) entries++
      return isMatch
    }
    const buckets = this.#parts.replica.bucketsWith(isMeant, this.#namespacesIn(scope))
    if (buckets.length === 0) {
      replyTo?.tell({ type: 'Removed', entries: 0 })
      return
    }
    const seenVersion = this.#parts.versions.next(now)
    const removal: Removal = {
      retry: new RemoveRetry(),
      buckets,
      filter,
      seenVersion,
      entries,
      replyTo,
    }
    const operation = ++this.#operations
    this.#removals.set(operation, removal)
    this.#perform(operation, removal, removal.retry.start())
  }

  #attemptEnded(operation: number, attempt: number, outcome: WriteOutcome): void {
    const removal = this.#removals.get(operation)
    if (removal === undefined) return
    const { retry } = removal
    const effects =
      outcome === 'Written'
        ? retry.succeeded()
        : outcome === 'Unknown'
          ? retry.failed(attempt)
          : retry.modifyFailed()
    this.#perform(operation, removal, effects)
  }

  #perform(operation: number, removal: Removal, effects: readonly RemoveEffect[]): void {
    const { timers } = this.#context
    const timer = `remove-${operation}`
    for (const effect of effects) {
      switch (effect.type) {
        case 'Write':
          this.#attempt(operation, removal, effect.attempt, effect.timeoutMs)
          break
        case 'Pause':
          timers.startSingleTimer(timer, { type: 'PauseOver', operation }, effect.delayMs)
          break
        case 'CancelPause':
          timers.cancel(timer)
          break
        case 'Done':
          this.#removals.delete(operation)
          this.#report(removal, effect.outcome === 'Removed', effect.attempts)
          break
        default:
          effect satisfies never
      }
    }
  }

  #attempt(operation: number, removal: Removal, attempt: number, timeoutMs: number): void {
    const { buckets, filter, seenVersion } = removal
    const written = this.#parts.replica.write(
      buckets,
      (current) => planRemove(current, filter, seenVersion),
      writeMajority({ timeoutMs }),
    )
    const ended = (outcome: WriteOutcome): Message => ({
      type: 'AttemptEnded',
      operation,
      attempt,
      outcome,
    })
    this.#context.pipeToSelf(written, ended, () => ended('ModifyFailed'))
  }

  #report(removal: Removal, isRemoved: boolean, attempts: number): void {
    const { entries, replyTo } = removal
    if (isRemoved) {
      replyTo?.tell({ type: 'Removed', entries })
      return
    }
    this.#context.log.error({ entries, attempts }, 'removal not confirmed by a majority')
    replyTo?.tell({ type: 'RemoveFailed', attempts })
  }

  /** Local writes are done when this returns; only a plan that throws is worth a word. */
  #write(buckets: readonly BucketName[], planFor: PlanFor): void {
    const { log } = this.#context
    void this.#parts.replica.write(buckets, planFor).then((outcome) => {
      if (outcome === 'ModifyFailed') log.error({ buckets: buckets.length }, 'index update failed')
    })
  }

  #putOptions(now: number): { now: number; ttlMs: number; version: number } {
    const ttlMs = this.#parts.candidateTtlMs ?? CANDIDATE_TTL_MS
    return { now, ttlMs, version: this.#parts.versions.next(now) }
  }

  #namespacesIn({ site, slot }: IndexScope): Iterable<string> {
    if (site === undefined) return this.#parts.flat.namespaces()
    return slot === undefined ? this.#parts.flat.namespacesOf(site) : [namespaceOf(site, slot)]
  }
}
