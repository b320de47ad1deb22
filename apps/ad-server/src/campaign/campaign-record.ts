import { LWWMapKey, type Key } from '@troupe/replicator'
import type { LWWMap, ReadonlyLWWMap } from '@troupe/crdt'
import type { CampaignTerms } from '../auction/bid.ts'
import type { CampaignSpend } from '../pacing/spend-ratio.ts'

/**
 * What a campaign tells everybody about itself: the fence that takes it down, the price and the
 * audience it bids for, and where its money stands. Written by the campaign's entity only.
 */
export interface CampaignRecord {
  /** Id of the entity: `advertiser|campaign`. */
  readonly campaignId: string
  readonly advertiserId: string
  readonly status: CampaignTerms['status']
  /** Raised by each takedown: candidates of a lower epoch are never served. */
  readonly epoch: number
  /** Creatives taken out of the campaign: never served, whatever the index says. */
  readonly blockedCreatives: readonly string[]
  readonly maxCpmMicros: number
  readonly categories: readonly string[]
  readonly siteAllowlist: readonly string[]
  readonly creatives: number
  readonly budgetMicros: number
  readonly spentMicros: number
  /** Granted to nodes and not yet reported as spent. */
  readonly outstandingMicros: number
  readonly isExhausted: boolean
  /** Number of the campaign's day, and its window in scenario time. */
  readonly day: number
  readonly dayStartMs: number
  readonly dayEndMs: number
  /** Grows with each publication. */
  readonly revision: number
}

export type CampaignRecords = ReadonlyLWWMap<string, CampaignRecord>

/** All records, by campaign: a few hundred bytes each, on every node. */
export const CampaignsKey: Key<LWWMap<string, CampaignRecord>, CampaignRecords> = LWWMapKey.create<
  string,
  CampaignRecord
>('campaigns')

export function campaignEntityId(advertiserId: string, campaignId: string): string {
  return `${advertiserId}|${campaignId}`
}

/** The same figures as pacing wants them. */
export function spendOf(record: CampaignRecord): CampaignSpend {
  return {
    campaignId: record.campaignId,
    budgetMicros: record.budgetMicros,
    spentMicros: record.spentMicros,
    pendingMicros: 0,
    cpmMicros: record.maxCpmMicros,
    dayStartMs: record.dayStartMs,
    dayEndMs: record.dayEndMs,
  }
}

/** True when `later` replaces `earlier`: a takedown is never undone by what was published before it. */
export function isNewer(later: CampaignRecord, earlier: CampaignRecord | undefined): boolean {
  if (earlier === undefined) return true
  if (later.epoch !== earlier.epoch) return later.epoch > earlier.epoch
  return later.revision > earlier.revision
}
