import { bidOf, type CampaignTerms } from '../auction/bid.ts'
import { Budget, freshBudget } from '../budget/budget.ts'
import type { BudgetSettings, BudgetState } from '../budget/budget-protocol.ts'
import { defaultBudgetSettings } from '../budget/budget-protocol.ts'
import { DayClock } from '../pacing/day-clock.ts'
import type { ScenarioCampaign } from '../scenario.ts'
import type { CampaignBidResponse, CampaignCommand, SpendInfo } from './campaign-protocol.ts'
import { campaignEntityId, type CampaignRecord } from './campaign-record.ts'

/** What of a campaign must survive its node. Its configuration is in the scenario, which every node has. */
export interface CampaignState {
  /** Of the configuration this state was last brought in line with. */
  readonly configHash: number
  readonly status: CampaignRecord['status']
  readonly epoch: number
  readonly blockedCreatives: readonly string[]
  readonly budget: BudgetState
  /** Of the last publication: the next owner counts on from here. */
  readonly revision: number
}

/**
 * A campaign: its terms, its takedown fence and its money. Decides; its entity stores and answers.
 *
 * Invariant: the epoch rises exactly when an active campaign stops being active, and never falls.
 */
export class Campaign {
  readonly #settings: BudgetSettings
  readonly #days = new DayClock('UTC')
  #config: ScenarioCampaign
  #configHash: number
  #status: CampaignRecord['status']
  #epoch: number
  readonly #blocked: Set<string>
  #budget: Budget

  /** `now`: monotonic. */
  constructor(
    config: ScenarioCampaign,
    state: CampaignState,
    now: number,
    settings: BudgetSettings = defaultBudgetSettings,
  ) {
    this.#settings = settings
    this.#config = config
    this.#configHash = state.configHash
    this.#status = state.status
    this.#epoch = state.epoch
    this.#blocked = new Set(state.blockedCreatives)
    this.#budget = new Budget(state.budget, now, settings)
  }

  get id(): string {
    return campaignEntityId(this.#config.advertiserId, this.#config.campaignId)
  }

  get budget(): Budget {
    return this.#budget
  }

  get epoch(): number {
    return this.#epoch
  }

  /** Everything to store together with publication `revision`. */
  state(revision: number): CampaignState {
    return {
      configHash: this.#configHash,
      status: this.#status,
      epoch: this.#epoch,
      blockedCreatives: [...this.#blocked],
      budget: this.#budget.state(),
      revision,
    }
  }

  /** Takes a configuration. One it has taken before changes nothing, whatever was changed by hand since. */
  configure(config: ScenarioCampaign, hash: number): boolean {
    this.#config = config
    if (hash === this.#configHash) return false
    this.#configHash = hash
    this.updateStatus(config.status)
    const { reply } = this.#budget.setBudget(config.dailyBudgetMicros)
    // Rights already granted cannot be called back: the lowest budget that covers them has to do.
    if (reply.type === 'BudgetRejected') this.#budget.setBudget(reply.leastMicros)
    return true
  }

  /** False when it is so already. */
  updateStatus(status: CampaignRecord['status']): boolean {
    if (status === this.#status) return false
    if (this.#status === 'Active') this.#epoch++
    this.#status = status
    return true
  }

  /** Ids that are none of the campaign's creatives are ignored. False, and nothing is done, beyond BLOCKED_MAX. */
  unassign(creativeIds: readonly string[]): boolean {
    const blocked = new Set(this.#blocked)
    for (const { creativeId } of this.#config.creatives)
      if (creativeIds.includes(creativeId)) blocked.add(creativeId)
    if (blocked.size > BLOCKED_MAX) return false
    for (const creativeId of blocked) this.#blocked.add(creativeId)
    return true
  }

  assign(creativeIds: readonly string[]): void {
    for (const creativeId of creativeIds) this.#blocked.delete(creativeId)
  }

  /** The day's number at a moment of the scenario. */
  dayAt(scenarioMs: number): number {
    return this.#days.dayOf(scenarioMs)
  }

  cpmMicrosAt(scenarioMs: number): number {
    const { cpmMicrosByHour, maxCpmMicros } = this.#config
    const hour = Math.floor(scenarioMs / 3_600_000) % 24
    return cpmMicrosByHour?.[(hour + 24) % 24] ?? maxCpmMicros
  }

  bid(
    request: Extract<CampaignCommand, { type: 'CampaignBidRequest' }>,
    scenarioMs: number,
  ): CampaignBidResponse {
    const creatives = this.#config.creatives
      .filter(({ creativeId, width, height }) => {
        return !this.#blocked.has(creativeId) && request.sizes.includes(`${width}x${height}`)
      })
      .slice(0, BID_CREATIVES_MAX)
    const terms = this.#terms(scenarioMs, creatives.length)
    const bids: { category: string; cpmMicros: number }[] = []
    const rejections: CampaignBidResponse['rejections'][number][] = []
    for (const category of request.categories) {
      const { site, floorMicros } = request
      const bid = bidOf(terms, { site, category, floorMicros, now: scenarioMs })
      if (bid.type === 'Bid') bids.push({ category, cpmMicros: bid.cpmMicros })
      else rejections.push({ category, reason: bid.reason })
    }
    return {
      type: 'CampaignBidResponse',
      campaignId: this.id,
      advertiserId: this.#config.advertiserId,
      epoch: this.#epoch,
      bids,
      rejections,
      creatives: creatives.map(({ creativeId, assetUrl, mime, width, height, landingUrl }) => {
        return { creativeId, assetUrl, mime, width, height, landingUrl }
      }),
    }
  }

  spendInfo(): SpendInfo {
    return {
      type: 'SpendInfo',
      status: this.#status,
      epoch: this.#epoch,
      day: this.#budget.day,
      budgetMicros: this.#budget.budgetMicros,
      spentMicros: this.#budget.spentMicros,
      outstandingMicros: this.#budget.outstandingMicros,
      uncollectedMicros: this.#budget.uncollectedMicros,
    }
  }

  /** What is published; `revision` is the publication's number. */
  record(scenarioMs: number, revision: number): CampaignRecord {
    const { day } = this.#budget
    const creatives = this.#config.creatives.filter(
      ({ creativeId }) => !this.#blocked.has(creativeId),
    )
    return {
      campaignId: this.id,
      advertiserId: this.#config.advertiserId,
      status: this.#status,
      epoch: this.#epoch,
      blockedCreatives: [...this.#blocked],
      maxCpmMicros: this.cpmMicrosAt(scenarioMs),
      categories: this.#config.categories,
      siteAllowlist: this.#config.siteAllowlist,
      creatives: creatives.length,
      budgetMicros: this.#budget.budgetMicros,
      spentMicros: this.#budget.spentMicros,
      outstandingMicros: this.#budget.outstandingMicros,
      isExhausted: this.#budget.isExhausted,
      day,
      dayStartMs: this.#days.startOf(day),
      dayEndMs: this.#days.startOf(day + 1),
      revision,
    }
  }

  #terms(scenarioMs: number, creatives: number): CampaignTerms {
    // A day that has begun has its money, whether or not the budget has been told yet.
    const isNewDay = this.dayAt(scenarioMs) > this.#budget.day
    return {
      status: this.#status,
      maxCpmMicros: this.cpmMicrosAt(scenarioMs),
      categories: new Set(this.#config.categories),
      blockedCategories: NONE,
      siteAllowlist: new Set(this.#config.siteAllowlist),
      canSpend:
        isNewDay ||
        this.#budget.freeMicros + this.#budget.outstandingMicros >=
          this.#settings.smallestSpendMicros,
      creatives,
    }
  }
}

/** The state of a campaign nobody has ever stored one of. */
export function freshCampaign(
  config: ScenarioCampaign,
  configHash: number,
  incarnation: string,
  day: number,
): CampaignState {
  const id = campaignEntityId(config.advertiserId, config.campaignId)
  return {
    configHash,
    status: config.status,
    epoch: 1,
    blockedCreatives: [],
    budget: freshBudget(id, incarnation, config.dailyBudgetMicros, day),
    revision: 0,
  }
}

const NONE: ReadonlySet<string> = new Set()
/** Most creatives that can be taken out: the state and the record stay small. Beyond it, end the campaign. */
export const BLOCKED_MAX = 500
/** Most creatives in one answer, so that it stays a small message. */
const BID_CREATIVES_MAX = 50
