import { Behaviors, type ActorContext, type ActorRef, type Behavior } from '@troupe/actor'
import type { LeaseEffect, Leases } from '../budget/lease.ts'
import type { CampaignChange, CampaignDirectory } from '../campaign/campaign-directory.ts'
import type { CampaignCommand, LeaseAnswer } from '../campaign/campaign-protocol.ts'
import { impressionMicros } from '../money.ts'

/** What the purse of this node needs from outside. */
export interface ServingParts {
  /** This incarnation of the node. */
  readonly nodeId: string
  readonly leases: Leases
  readonly directory: CampaignDirectory
  campaign(campaignId: string): { tell(command: CampaignCommand): void }
  /** Live nodes that serve, this one included. */
  servingNodes(): number
  /** The purse was looked at: the next block that runs low is news again. */
  ticked(): void
  /** Brings gates and statistics up to date. Called a few times a second. */
  refresh(): void
}

export type ServingCommand =
  /** A block runs low: do not wait for the timer. */
  | { readonly type: 'LeasesDue' }
  /** Gives back all spending rights; answered when every campaign has booked them. */
  | { readonly type: 'ReturnLeases'; readonly replyTo: ActorRef<'Returned'> }

type Message =
  | ServingCommand
  | LeaseAnswer
  | { readonly type: 'Tick' }
  | { readonly type: 'Refresh' }
  | { readonly type: 'CampaignChanged'; readonly change: CampaignChange }

/** Carries messages between this node's purse and the campaigns. Deciding is the purse's and the campaigns' business. */
export function servingActor(parts: ServingParts): Behavior<ServingCommand> {
  return Behaviors.setup<Message>((context) => {
    const release = parts.directory.onChange((change) =>
      context.self.tell({ type: 'CampaignChanged', change }),
    )
    context.timers.startTimerWithFixedDelay('tick', { type: 'Tick' }, TICK_MS)
    context.timers.startTimerWithFixedDelay('refresh', { type: 'Refresh' }, REFRESH_MS)
    const serving = new ServingDriver(parts, context)
    return Behaviors.receive(
      (message) => {
        serving.handle(message)
        return Behaviors.same
      },
      (signal) => {
        if (signal.type === 'PostStop' || signal.type === 'PreRestart') release()
        return Behaviors.same
      },
    )
  })
}

class ServingDriver {
  readonly #parts: ServingParts
  readonly #context: ActorContext<Message>
  #leaving: ActorRef<'Returned'> | undefined

  constructor(parts: ServingParts, context: ActorContext<Message>) {
    this.#parts = parts
    this.#context = context
    for (const record of parts.directory.records())
      if (record.status === 'Active') this.#prepare(record.campaignId)
  }

  handle(message: Message): void {
    const { leases } = this.#parts
    switch (message.type) {
      case 'Tick':
      case 'LeasesDue':
        this.#parts.ticked()
        this.#perform(leases.tick(this.#now()))
        break
      case 'Refresh':
        this.#parts.refresh()
        break
      case 'LeaseAnswer':
        this.#answered(message)
        break
      case 'CampaignChanged':
        this.#campaignChanged(message.change)
        break
      case 'ReturnLeases':
        this.#leaving = message.replyTo
        this.#perform(leases.returnAll(this.#now()))
        break
      default:
        message satisfies never
    }
    if (this.#leaving === undefined || leases.abroad > 0) return
    this.#leaving.tell('Returned')
    this.#leaving = undefined
  }

  #answered({ campaignId, answer }: LeaseAnswer): void {
    const { leases } = this.#parts
    switch (answer.type) {
      case 'LeaseGranted':
        return this.#perform(leases.granted(campaignId, answer, this.#now()))
      case 'LeaseRefused':
        return leases.refused(campaignId, answer.requestId, this.#now())
      case 'LeaseSettled':
        return leases.settled(campaignId, answer.leaseId)
      default:
        return answer satisfies never
    }
  }

  #campaignChanged(change: CampaignChange): void {
    if (change.type === 'CampaignStarted') this.#prepare(change.campaignId)
    if (change.type === 'CampaignStopped')
      this.#perform(this.#parts.leases.recall(change.campaignId, this.#now()))
  }

  /** A first block before the first reader comes. */
  #prepare(campaignId: string): void {
    const record = this.#parts.directory.recordOf(campaignId)
    if (record === undefined) return
    this.#parts.leases.prepare(campaignId, impressionMicros(record.maxCpmMicros), this.#now())
  }

  #perform(effects: readonly LeaseEffect[]): void {
    const { nodeId } = this.#parts
    const replyTo = this.#context.self
    for (const effect of effects) {
      const campaign = this.#parts.campaign(effect.campaignId)
      switch (effect.type) {
        case 'RequestLease': {
          const { requestId, wantMicros, leastMicros } = effect
          const servingNodes = this.#parts.servingNodes()
          const request = { nodeId, requestId, wantMicros, leastMicros, servingNodes }
          campaign.tell({ type: 'RequestLease', request, replyTo })
          break
        }
        case 'ReportLease': {
          const { leaseId, spentMicros, isFinal } = effect
          campaign.tell({ type: 'ReportLease', report: { leaseId, spentMicros, isFinal }, replyTo })
          break
        }
        default:
          effect satisfies never
      }
    }
  }

  #now(): number {
    return this.#context.system.platform.clock.monotonicMs()
  }
}

const TICK_MS = 100
const REFRESH_MS = 250
