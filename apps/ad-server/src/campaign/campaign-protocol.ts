import type { ActorRef } from '@troupe/actor'
import type { BidRejection } from '../auction/bid.ts'
import type {
  LeaseReply,
  LeaseReport,
  LeaseRequest,
  LeaseSettled,
  ReserveReply,
  SpendRecorded,
  SpendReport,
} from '../budget/budget-protocol.ts'
import type { CampaignRecord } from './campaign-record.ts'

/** What a campaign's entity understands. Everything here travels between nodes. */
export type CampaignCommand =
  /** Pays for one impression now. The same request id again is the same payment. */
  | {
      readonly type: 'TryReserve'
      readonly requestId: string
      readonly amountMicros: number
      readonly replyTo: ActorRef<ReserveReply>
    }
  /** An impression was seen. Nothing happens if it is paid already. */
  | ({ readonly type: 'RecordSpend'; readonly replyTo?: ActorRef<SpendRecorded> } & SpendReport)
  /** A serving node asks for a block of spending rights. */
  | {
      readonly type: 'RequestLease'
      readonly request: LeaseRequest
      readonly replyTo: ActorRef<LeaseAnswer>
    }
  | {
      readonly type: 'ReportLease'
      readonly report: LeaseReport
      readonly replyTo: ActorRef<LeaseAnswer>
    }
  | {
      readonly type: 'CampaignBidRequest'
      readonly site: string
      readonly categories: readonly string[]
      /** The lowest floor that may apply; each slot's own is checked by the auction. */
      readonly floorMicros: number
      /** Sizes of slots, `300x250`: only creatives that fit one are of use. */
      readonly sizes: readonly string[]
      readonly replyTo: ActorRef<CampaignBidResponse>
    }
  | { readonly type: 'GetSpendInfo'; readonly replyTo: ActorRef<SpendInfo> }
  /** Answered when the takedown, if it is one, is on most nodes. */
  | {
      readonly type: 'UpdateStatus'
      readonly status: CampaignRecord['status']
      readonly replyTo: ActorRef<CampaignUpdated>
    }
  /** Takes creatives out of the campaign, or back in. Answered when it is on most nodes. */
  | {
      readonly type: 'UnassignCreatives'
      readonly creativeIds: readonly string[]
      readonly replyTo: ActorRef<CampaignUpdated>
    }
  | {
      readonly type: 'AssignCreatives'
      readonly creativeIds: readonly string[]
      readonly replyTo: ActorRef<CampaignUpdated>
    }
  /** A new budget for the day; refused when less than what is spent and granted. */
  | {
      readonly type: 'ReplenishBudget'
      readonly budgetMicros: number
      readonly replyTo: ActorRef<CampaignUpdated>
    }
  /** Starts the entity if it is not running, and has it look at its configuration. */
  | { readonly type: 'Wake' }

/** Says which campaign an answer is from: one address of a node hears all of them. */
export interface LeaseAnswer {
  readonly type: 'LeaseAnswer'
  readonly campaignId: string
  readonly answer: LeaseReply | LeaseSettled
}

export interface CampaignBidResponse {
  readonly type: 'CampaignBidResponse'
  readonly campaignId: string
  readonly advertiserId: string
  readonly epoch: number
  readonly bids: readonly { readonly category: string; readonly cpmMicros: number }[]
  /** Why not, for the other categories. */
  readonly rejections: readonly { readonly category: string; readonly reason: BidRejection }[]
  readonly creatives: readonly BidCreative[]
}

export interface BidCreative {
  readonly creativeId: string
  readonly assetUrl: string
  readonly mime: string
  readonly width: number
  readonly height: number
  readonly landingUrl: string
}

export interface SpendInfo {
  readonly type: 'SpendInfo'
  readonly status: CampaignRecord['status']
  readonly epoch: number
  readonly day: number
  readonly budgetMicros: number
  readonly spentMicros: number
  readonly outstandingMicros: number
  /** Shown and never paid, for lack of money. */
  readonly uncollectedMicros: number
}

export type CampaignUpdated =
  | { readonly type: 'CampaignUpdated'; readonly epoch: number }
  | { readonly type: 'CampaignUpdateRejected'; readonly reason: string }
