import type { ServeView } from '../serve-index/serve-view.ts'
import { isNewer, type CampaignRecord } from './campaign-record.ts'

/**
 * All campaigns as this node knows them, and the fence the serve path asks.
 *
 * A candidate is served only while its campaign is active, was not taken down since the auction, and
 * still has the creative. The answer depends on epochs, not on clocks; and what this node has once
 * learned of a takedown it does not unlearn, in whatever order publications arrive.
 */
export class CampaignDirectory {
  readonly #entries = new Map<string, Entry>()
  readonly #listeners = new Set<(change: CampaignChange) => void>()

  get size(): number {
    return this.#entries.size
  }

  recordOf(campaignId: string): CampaignRecord | undefined {
    return this.#entries.get(campaignId)?.record
  }

  *records(): Generator<CampaignRecord> {
    for (const { record } of this.#entries.values()) yield record
  }

  /** Whether a candidate may be shown now. One of a campaign nobody has heard of may not. */
  isServable(view: ServeView): boolean {
    const entry = this.#entries.get(view.campaignId)
    if (entry === undefined || entry.record.status !== 'Active') return false
    return view.campaignEpoch >= entry.record.epoch && !entry.blocked.has(view.creativeId)
  }

  /** Takes in a publication and tells the listeners what it means. Older ones are ignored. */
  observe(record: CampaignRecord): void {
    const before = this.#entries.get(record.campaignId)?.record
    if (!isNewer(record, before)) return
    this.#entries.set(record.campaignId, { record, blocked: new Set(record.blockedCreatives) })
    for (const change of changesBetween(before, record))
      for (const listener of this.#listeners) listener(change)
  }

  /** Calls `listener` for each change that auctions care about, until the returned function is called. */
  onChange(listener: (change: CampaignChange) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}

/** What the rest of the system reacts to. Spending alone is no change. */
export type CampaignChange =
  | { readonly type: 'CampaignStarted'; readonly campaignId: string }
  /** Paused, ended or deleted. */
  | { readonly type: 'CampaignStopped'; readonly campaignId: string }
  | { readonly type: 'CampaignBudgetExhausted'; readonly campaignId: string }
  | { readonly type: 'CampaignBudgetReset'; readonly campaignId: string }
  | {
      readonly type: 'CreativesRemoved'
      readonly campaignId: string
      readonly creativeIds: readonly string[]
    }
  | { readonly type: 'CreativesChanged'; readonly campaignId: string }
  | { readonly type: 'CpmUpdated'; readonly campaignId: string; readonly cpmMicros: number }

export function changesBetween(
  before: CampaignRecord | undefined,
  after: CampaignRecord,
): CampaignChange[] {
  const { campaignId } = after
  const changes: CampaignChange[] = []
  const wasActive = before?.status === 'Active'
  const isActive = after.status === 'Active'
  if (isActive && !wasActive) changes.push({ type: 'CampaignStarted', campaignId })
  if (!isActive && (wasActive || (before !== undefined && before.epoch < after.epoch)))
    changes.push({ type: 'CampaignStopped', campaignId })
  if (before === undefined) return changes
  if (isActive && wasActive && before.epoch < after.epoch)
    changes.push({ type: 'CampaignStarted', campaignId })
  if (before.isExhausted !== after.isExhausted)
    changes.push({
      type: after.isExhausted ? 'CampaignBudgetExhausted' : 'CampaignBudgetReset',
      campaignId,
    })
  const creativeIds = after.blockedCreatives.filter((id) => !before.blockedCreatives.includes(id))
  if (creativeIds.length > 0) changes.push({ type: 'CreativesRemoved', campaignId, creativeIds })
  else if (before.creatives !== after.creatives)
    changes.push({ type: 'CreativesChanged', campaignId })
  if (before.maxCpmMicros !== after.maxCpmMicros)
    changes.push({ type: 'CpmUpdated', campaignId, cpmMicros: after.maxCpmMicros })
  return changes
}

interface Entry {
  readonly record: CampaignRecord
  readonly blocked: ReadonlySet<string>
}
