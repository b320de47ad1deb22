/** What survives a crash of a campaign's budget. Plain data, so that any store can keep it. */
export interface BudgetState {
  readonly campaignId: string
  /** New whenever the state was lost; part of every lease id, so that ids never repeat. */
  readonly incarnation: string
  /** Number of the advertiser's calendar day the spending belongs to. */
  readonly day: number
  readonly budgetMicros: number
  readonly spentMicros: number
  readonly isExhausted: boolean
  readonly leasesGranted: number
  readonly leases: readonly LeaseState[]
  /** Ids reserved or charged lately, oldest first. */
  readonly recentIds: readonly string[]
}

/** A block of spending rights a node holds. */
export interface LeaseState {
  readonly leaseId: string
  /** The node's incarnation: a node that starts again is another node. */
  readonly nodeId: string
  readonly requestId: string
  readonly grantedMicros: number
  /** What the node says it has spent of it; already part of the campaign's spending. */
  readonly reportedMicros: number
  /** What beacons prove of it. Counts only when the node dies. */
  readonly beaconedMicros: number
}

export interface LeaseRequest {
  readonly nodeId: string
  /** The same for every repetition of one request. */
  readonly requestId: string
  readonly wantMicros: number
  /** One impression: a smaller block would be of no use. At most `wantMicros`. */
  readonly leastMicros: number
  /** How many nodes serve, the asking one included. */
  readonly servingNodes: number
}

export interface LeaseReport {
  readonly leaseId: string
  /** Spent of the lease in all, not since the last report. */
  readonly spentMicros: number
  /** True returns the rest. */
  readonly isFinal: boolean
}

export interface SpendReport {
  readonly requestId: string
  readonly amountMicros: number
  /** The advertiser's calendar day of the impression. */
  readonly day: number
}

export type ReserveReply =
  | { readonly type: 'Reserved'; readonly remainingMicros: number }
  | { readonly type: 'InsufficientBudget' }

export interface SpendRecorded {
  readonly type: 'SpendRecorded'
  /** 0 when the impression was paid already, or cannot be. */
  readonly chargedMicros: number
  readonly spentTodayMicros: number
}

export interface LeaseGranted {
  readonly type: 'LeaseGranted'
  readonly requestId: string
  readonly leaseId: string
  readonly grantedMicros: number
  /** Good for this long, counted by the node from when it first asked. */
  readonly ttlMs: number
}

export interface LeaseRefused {
  readonly type: 'LeaseRefused'
  readonly requestId: string
  readonly reason: 'BudgetExhausted'
}

export type LeaseReply = LeaseGranted | LeaseRefused

export interface LeaseSettled {
  readonly type: 'LeaseSettled'
  readonly leaseId: string
}

export interface LeasesRecovered {
  readonly type: 'LeasesRecovered'
  readonly leases: number
  readonly recoveredMicros: number
}

export interface DayRolled {
  readonly type: 'DayRolled'
  readonly day: number
  readonly isNew: boolean
}

export type BudgetReply =
  | { readonly type: 'BudgetChanged'; readonly budgetMicros: number }
  | { readonly type: 'BudgetRejected'; readonly leastMicros: number }

/** Published once per crossing, in both directions. */
export interface BudgetEvent {
  readonly type: 'CampaignBudgetExhausted' | 'CampaignBudgetReset'
}

/**
 * What a step of the budget asks of its driver. `BeforeReply`: the state must be written before the
 * reply leaves, and dropped together with the reply when writing fails. `Later`: with the next batch; a
 * crash before that costs nothing but delay.
 */
export interface BudgetOutcome<R> {
  readonly reply: R
  readonly write: 'BeforeReply' | 'Later' | 'None'
  readonly events: readonly BudgetEvent[]
}

export interface BudgetSettings {
  /** How long a node may spend from a lease. Longer means fewer renewals and a later recovery. */
  readonly leaseTtlMs: number
  /** How long after a lease's end beacons of its impressions may still come: longer than tokens are good. */
  readonly beaconWindowMs: number
  /** The cheapest impression: a rest below it counts as nothing left. */
  readonly smallestSpendMicros: number
  /** How long a request id is remembered. */
  readonly idWindowMs: number
  /** Most request ids remembered; they are part of the written state. */
  readonly idsMax: number
}

export const defaultBudgetSettings: BudgetSettings = {
  leaseTtlMs: 30_000,
  beaconWindowMs: 300_000,
  smallestSpendMicros: 1,
  idWindowMs: 300_000,
  idsMax: 500,
}
