import { Behaviors, type ActorContext, type Behavior } from '@troupe/actor'
import { EntityType, type EntityContext } from '@troupe/sharding'
import type { BudgetOutcome, BudgetSettings } from '../budget/budget-protocol.ts'
import type { Catalog } from '../node/catalog.ts'
import { isMoney } from '../money.ts'
import type { ScenarioClock } from '../pacing/scenario-clock.ts'
import { BLOCKED_MAX, Campaign, freshCampaign, type CampaignState } from './campaign.ts'
import type { CampaignDirectory } from './campaign-directory.ts'
import type { CampaignCommand, CampaignUpdated, LeaseAnswer } from './campaign-protocol.ts'
import type { CampaignRecord } from './campaign-record.ts'
import type { CampaignStorage, LoadResult } from './campaign-store.ts'
import { CommitQueue } from './commit-queue.ts'

export interface CampaignEntityParts {
  readonly catalog: Catalog
  readonly directory: CampaignDirectory
  readonly clock: ScenarioClock
  /** The store of a campaign for the owner of that epoch. */
  storeOf(campaignId: string, epoch: number): CampaignStorage
  /** Whether the node of that uid may still run: only the rights of others are taken back. */
  isLive(nodeId: string): boolean
  readonly budget?: BudgetSettings
}

/**
 * The owner of one campaign: status, takedown fence and money. Id: `advertiser|campaign`.
 *
 * Whatever an answer promises is stored on most nodes before the answer leaves; answers that come
 * together share one round of storing. What is not confirmed is stored again until it is, or until a newer
 * owner shows up, and then nothing more leaves this one.
 */
export function campaignEntityType(parts: CampaignEntityParts): EntityType<CampaignCommand> {
  return EntityType.create<CampaignCommand>('campaign', (entity) => campaignEntity(entity, parts))
}

type Message =
  | CampaignCommand
  | { readonly type: 'Loaded'; readonly result: LoadResult }
  | { readonly type: 'Committed'; readonly outcome: 'Committed' | 'Unknown' | 'Fenced' }
  | { readonly type: 'Tick' }

export function campaignEntity(
  entity: EntityContext,
  parts: CampaignEntityParts,
): Behavior<CampaignCommand> {
  return Behaviors.setup<Message>((context) => {
    const store = parts.storeOf(entity.id, entity.epoch)
    const wake = parts.catalog.onLoad(() => context.self.tell({ type: 'Wake' }))
    context.timers.startTimerWithFixedDelay('tick', { type: 'Tick' }, TICK_MS)
    return loading(entity.id, store, parts, wake)
  })
}

/** Nothing is known yet: commands wait. Both the stored state and the configuration are needed to begin. */
function loading(
  id: string,
  store: CampaignStorage,
  parts: CampaignEntityParts,
  release: () => void,
): Behavior<Message> {
  let loaded: { readonly state: CampaignState | undefined } | undefined
  let isAsking = false

  const begin = (context: ActorContext<Message>): Behavior<Message> => {
    const config = parts.catalog.campaign(id)
    if (loaded !== undefined && config !== undefined) {
      const owner = new CampaignOwner(id, store, parts, context, loaded.state)
      return context.stash(STASH_MAX).unstashAll(running(owner, release))
    }
    if (loaded === undefined && !isAsking) {
      isAsking = true
      const failed = (): Message => ({ type: 'Loaded', result: { type: 'Unknown' } })
      context.pipeToSelf(store.load(), (result) => ({ type: 'Loaded', result }), failed)
    }
    return Behaviors.same
  }

  return Behaviors.setup((context) => {
    begin(context)
    return Behaviors.receive(
      (message) => {
        if (message.type === 'Loaded') {
          isAsking = false
          // What is unknown is asked again at the next tick.
          if (message.result.type === 'Fenced') {
            context.log.warn({ campaign: id }, 'the campaign has a newer owner')
            return Behaviors.stopped
          }
          if (message.result.type === 'Loaded') loaded = message.result
          return message.result.type === 'Loaded' ? begin(context) : Behaviors.same
        }
        if (message.type === 'Tick' || message.type === 'Wake') return begin(context)
        // Who asked and got no answer asks again: dropping is safe, overflowing is not.
        const waiting = context.stash(STASH_MAX)
        if (waiting.isFull)
          context.system.deadLetters.drop(message, context.self, 'CampaignLoading')
        else waiting.stash(message)
        return Behaviors.same
      },
      (signal) => {
        if (signal.type === 'PostStop') release()
        return Behaviors.same
      },
    )
  })
}

function running(owner: CampaignOwner, release: () => void): Behavior<Message> {
  return Behaviors.receive(
    (message) => (owner.handle(message) ? Behaviors.same : Behaviors.stopped),
    (signal) => {
      if (signal.type === 'PostStop') release()
      return Behaviors.same
    },
  )
}

class CampaignOwner {
  readonly #id: string
  readonly #store: CampaignStorage
  readonly #parts: CampaignEntityParts
  readonly #context: ActorContext<Message>
  readonly #campaign: Campaign
  readonly #queue = new CommitQueue<() => void>()
  #published: CampaignRecord | undefined
  #committing: CampaignRecord | undefined
  #revision: number
  #hasSettled = false

  constructor(
    id: string,
    store: CampaignStorage,
    parts: CampaignEntityParts,
    context: ActorContext<Message>,
    stored: CampaignState | undefined,
  ) {
    this.#id = id
    this.#store = store
    this.#parts = parts
    this.#context = context
    const known = parts.catalog.campaign(id)
    if (known === undefined) throw new Error(`broken invariant: ${id} has no configuration`)
    const { platform } = context.system
    const day = Math.floor(this.#scenarioNow() / 86_400_000)
    const state = stored ?? freshCampaign(known.campaign, known.hash, platform.random.id(), day)
    this.#campaign = new Campaign(known.campaign, state, this.#now(), parts.budget)
    this.#campaign.configure(known.campaign, known.hash)
    this.#revision = Math.max(state.revision, parts.directory.recordOf(id)?.revision ?? 0)
    // Everything is stored under this owner's epoch, and published, before anything else happens.
    this.#queue.changed()
    this.#commit()
  }

  /** False when this entity has to stop: a newer owner has taken over. */
  handle(message: Message): boolean {
    switch (message.type) {
      case 'TryReserve': {
        const { requestId, amountMicros, replyTo } = message
        if (!isRequestId(requestId) || !isAmount(amountMicros)) break
        this.#settle(
          this.#campaign.budget.tryReserve(requestId, amountMicros, this.#now()),
          (reply) => replyTo.tell(reply),
        )
        break
      }
      case 'RecordSpend': {
        const { requestId, amountMicros, day, replyTo } = message
        if (!isRequestId(requestId) || !isAmount(amountMicros)) break
        const outcome = this.#campaign.budget.recordSpend(
          { requestId, amountMicros, day },
          this.#now(),
        )
        this.#settle(outcome, (reply) => replyTo?.tell(reply))
        break
      }
      case 'RequestLease': {
        const { request, replyTo } = message
        const { leastMicros, wantMicros, servingNodes } = request
        if (![leastMicros, wantMicros, servingNodes].every(isAmount)) break
        const outcome = this.#campaign.budget.grantLease(request, this.#now())
        this.#settle(outcome, (answer) => replyTo.tell(this.#answer(answer)))
        break
      }
      case 'ReportLease': {
        const { report, replyTo } = message
        if (!isMoney(report.spentMicros)) break
        const outcome = this.#campaign.budget.settleLease(report)
        this.#settle(outcome, (answer) => replyTo.tell(this.#answer(answer)))
        break
      }
      case 'CampaignBidRequest':
        message.replyTo.tell(this.#campaign.bid(message, this.#scenarioNow()))
        break
      case 'GetSpendInfo':
        message.replyTo.tell(this.#campaign.spendInfo())
        break
      case 'UpdateStatus':
      case 'AssignCreatives':
      case 'UnassignCreatives':
      case 'ReplenishBudget': {
        const rejection = this.#update(message)
        if (rejection !== undefined)
          message.replyTo.tell({ type: 'CampaignUpdateRejected', reason: rejection })
        else this.#queue.changed(() => message.replyTo.tell(this.#updated()))
        break
      }
      case 'Wake':
        this.#wake()
        break
      case 'Tick':
        this.#tick()
        break
      case 'Committed':
        return this.#committed(message.outcome)
      case 'Loaded':
        break
      default:
        return message satisfies never
    }
    this.#commit()
    return true
  }

  /** Why not, or undefined when it is done. */
  #update(
    command: Extract<CampaignCommand, { replyTo: { tell(reply: CampaignUpdated): void } }>,
  ): string | undefined {
    switch (command.type) {
      case 'UpdateStatus':
        this.#campaign.updateStatus(command.status)
        return undefined
      case 'AssignCreatives':
        this.#campaign.assign(command.creativeIds)
        return undefined
      case 'UnassignCreatives':
        if (this.#campaign.unassign(command.creativeIds)) return undefined
        return `more than ${BLOCKED_MAX} creatives would be taken out; end the campaign instead`
      case 'ReplenishBudget': {
        const { reply } = this.#campaign.budget.setBudget(command.budgetMicros)
        if (reply.type === 'BudgetChanged') return undefined
        return `${reply.leastMicros} micros are spent or granted already`
      }
      default:
        return undefined
    }
  }

  #wake(): void {
    const known = this.#parts.catalog.campaign(this.#id)
    // A campaign the scenario no longer has must not go on serving.
    const isChanged =
      known === undefined
        ? this.#campaign.updateStatus('Ended')
        : this.#campaign.configure(known.campaign, known.hash)
    if (isChanged) this.#queue.changed()
  }

  /** The clockwork: days roll, rights of dead nodes return, figures are published. */
  #tick(): void {
    const { budget } = this.#campaign
    const scenarioNow = this.#scenarioNow()
    const rolled = budget.rollDay(this.#campaign.dayAt(scenarioNow))
    const recovered = budget.recoverLeases(this.#now(), (nodeId) => this.#parts.isLive(nodeId))
    if (recovered.reply.leases > 0)
      this.#context.log.info(
        { leases: recovered.reply.leases, micros: recovered.reply.recoveredMicros },
        'spending rights of lost nodes recovered',
      )
    const isRepriced = this.#published?.maxCpmMicros !== this.#campaign.cpmMicrosAt(scenarioNow)
    const isDue = rolled.write !== 'None' || recovered.write !== 'None' || isRepriced
    if (isDue || this.#hasSettled) this.#queue.changed()
    this.#hasSettled = false
  }

  /** Sends the answer when it may leave: at once, or with the commit that stores what it promises. */
  #settle<R>(outcome: BudgetOutcome<R>, answer: (reply: R) => void): void {
    switch (outcome.write) {
      case 'BeforeReply':
        this.#queue.changed(() => answer(outcome.reply))
        return
      case 'Later':
        this.#hasSettled = true
        break
      case 'None':
        break
      default:
        outcome.write satisfies never
    }
    // An answer that repeats one still waiting to be stored must wait for the same commit.
    if (this.#queue.isIdle) answer(outcome.reply)
    else this.#queue.changed(() => answer(outcome.reply))
  }

  #commit(): void {
    if (!this.#queue.begin()) return
    const record = this.#campaign.record(this.#scenarioNow(), ++this.#revision)
    this.#committing = record
    const isTakedown = isFenceRaised(this.#published, record)
    const ended = (outcome: 'Committed' | 'Unknown' | 'Fenced'): Message => ({
      type: 'Committed',
      outcome,
    })
    this.#context.pipeToSelf(
      this.#store.commit(this.#campaign.state(record.revision), record, isTakedown),
      ended,
      () => ended('Unknown'),
    )
  }

  #committed(outcome: 'Committed' | 'Unknown' | 'Fenced'): boolean {
    if (outcome === 'Fenced') {
      this.#context.log.warn({ campaign: this.#id }, 'a newer owner of the campaign has taken over')
      return false
    }
    if (outcome === 'Unknown') {
      // The next tick tries again: not at once, or a minority would spin.
      this.#queue.unconfirmed()
      return true
    }
    this.#published = this.#committing
    for (const answer of this.#queue.confirmed()) answer()
    this.#commit()
    return true
  }

  #answer(answer: LeaseAnswer['answer']): LeaseAnswer {
    return { type: 'LeaseAnswer', campaignId: this.#id, answer }
  }

  #updated(): CampaignUpdated {
    return { type: 'CampaignUpdated', epoch: this.#campaign.epoch }
  }

  #now(): number {
    return this.#context.system.platform.clock.monotonicMs()
  }

  #scenarioNow(): number {
    return this.#parts.clock.at(this.#context.system.platform.clock.wallMs())
  }
}

/** True when the record takes something down that the published one still lets through. */
function isFenceRaised(published: CampaignRecord | undefined, record: CampaignRecord): boolean {
  if (published === undefined) return true
  const isMoreBlocked = record.blockedCreatives.some(
    (id) => !published.blockedCreatives.includes(id),
  )
  return record.epoch > published.epoch || record.status !== published.status || isMoreBlocked
}

function isRequestId(text: string): boolean {
  return text.length > 0 && text.length <= REQUEST_ID_LENGTH_MAX
}

function isAmount(amountMicros: number): boolean {
  return Number.isSafeInteger(amountMicros) && amountMicros > 0
}

const TICK_MS = 500
const STASH_MAX = 1_000
/** Ids are part of the stored state. */
const REQUEST_ID_LENGTH_MAX = 100
