import { clearingPrice } from '../auction/auction.ts'
import type { Leases } from '../budget/lease.ts'
import type { CampaignDirectory } from '../campaign/campaign-directory.ts'
import { CPM_MICROS_MIN, impressionMicros } from '../money.ts'
import type { Random } from '../random.ts'
import type { CreativeStats } from '../sampling/creative-stats.ts'
import type { ScoreFormula } from '../sampling/score-formula.ts'
import { powerScore } from '../sampling/score-formula.ts'
import { ThompsonSampling, defaultSamplingSettings } from '../sampling/thompson-sampling.ts'
import type { FlatIndex } from '../serve-index/flat-index.ts'
import type { ServeView } from '../serve-index/serve-view.ts'
import type { PacingGates } from './pacing-gates.ts'

/**
 * Decides what a page shows, from what this node has in memory: the index, the fence, the purse.
 *
 * Nothing here waits, and nothing leaves the process: a decision is a few microseconds. The order of the
 * steps is fixed: count the request, look up its slots, drop what is too old, draw once against the
 * pacing gate, then for each slot sample, price and pay, going on to the next candidate when a
 * campaign cannot pay. A campaign is shown once per page, and one that could not pay is left out for
 * the rest of it.
 */
export class ServePath {
  readonly #parts: ServeParts
  readonly #settings: ServeSettings
  readonly #sampling: ThompsonSampling
  readonly #views: (readonly ServeView[])[] = []
  readonly #left = new Set<string>()
  #denials = 0
  #waits = 0
  #refusedByFloor = 0

  constructor(parts: ServeParts, settings: ServeSettings = defaultServeSettings) {
    this.#parts = parts
    this.#settings = settings
    this.#sampling = new ThompsonSampling(parts.random, {
      ...defaultSamplingSettings,
      formula: settings.formula,
    })
  }

  decide(request: AdRequest, at: Moment): Decision {
    const { site, slots } = request
    const { gates, random } = this.#parts
    // A gate costs memory: sites nobody knows get none.
    if (!this.#parts.knowsSite(site)) return noContent('noCandidates')
    const gate = gates.of(site)
    gate.arrived(at.wallMs, slots.length)
    const missing = this.#lookUp(site, slots, at)
    if (missing !== undefined) return noContent(missing)
    const throttle = gate.throttle(at.wallMs)
    if (throttle >= 1) return noContent('budget')
    if (throttle > 0 && random.next() < throttle) return noContent('paced')
    const ads = this.#fillAll(slots.length, at)
    if (ads === undefined) return noContent(this.#reasonForNothing())
    for (const ad of ads) {
      if (ad === undefined) continue
      this.#parts.stats.impression(ad.view.creativeId, at.wallMs)
      gate.reserved(ad.view.campaignId, ad.amountMicros)
    }
    return { type: 'Served', ads }
  }

  /** Reads all slots. Says why nothing can be shown when none has a view that is fresh enough. */
  #lookUp(site: string, slots: readonly string[], at: Moment): NoContentReason | undefined {
    const oldest = at.scenarioMs - this.#settings.freshnessMs
    let [any, fresh] = [false, false]
    for (let i = 0; i < slots.length; i++) {
      const views = this.#parts.index.read(site, slots[i] ?? '', at.scenarioMs)
      this.#views[i] = views
      if (views.length === 0) continue
      any = true
      fresh ||= views.some((view) => view.classifiedAtMs >= oldest)
    }
    return fresh ? undefined : any ? 'stale' : 'noCandidates'
  }

  /** One place per slot; undefined when all stay empty. Who comes first is drawn: the first slot has the choice. */
  #fillAll(count: number, at: Moment): (ServedAd | undefined)[] | undefined {
    this.#left.clear()
    this.#denials = this.#waits = this.#refusedByFloor = 0
    const ads: (ServedAd | undefined)[] = Array.from({ length: count })
    const first = count > 1 ? this.#parts.random.below(count) : 0
    let filled = 0
    for (let i = 0; i < count; i++) {
      const slot = (first + i) % count
      const ad = this.#fill(this.#views[slot] ?? [], at)
      if (ad === undefined) continue
      ads[slot] = ad
      filled++
    }
    return filled > 0 ? ads : undefined
  }

  #fill(views: readonly ServeView[], at: Moment): ServedAd | undefined {
    if (views.length === 0) return undefined
    this.#sampling.draw(views, this.#parts.stats, at.wallMs)
    this.#excludeUnfit(views, at)
    for (let best = this.#sampling.best(); best >= 0; best = this.#sampling.best()) {
      const view = views[best]
      if (view === undefined) return undefined
      const clearingCpmMicros = this.#price(view, best, views.length)
      const amountMicros = impressionMicros(clearingCpmMicros)
      const requestId = this.#parts.leases.spend(view.campaignId, amountMicros, at.monotonicMs)
      this.#left.add(view.campaignId)
      if (requestId !== undefined) return { view, requestId, clearingCpmMicros, amountMicros }
      this.#denials++
      if (this.#parts.leases.isWaiting(view.campaignId)) this.#waits++
      for (let i = 0; i < views.length; i++)
        if (views[i]?.campaignId === view.campaignId) this.#sampling.exclude(i)
    }
    return undefined
  }

  #excludeUnfit(views: readonly ServeView[], at: Moment): void {
    const oldest = at.scenarioMs - this.#settings.freshnessMs
    for (let i = 0; i < views.length; i++) {
      const view = views[i]
      if (view === undefined) continue
      const isBelowFloor = view.cpmMicros < view.floorMicros
      if (isBelowFloor) this.#refusedByFloor++
      const isFit =
        !isBelowFloor &&
        view.classifiedAtMs >= oldest &&
        !this.#left.has(view.campaignId) &&
        this.#parts.directory.isServable(view)
      if (!isFit) this.#sampling.exclude(i)
    }
  }

  #price(view: ServeView, position: number, count: number): number {
    if (this.#settings.isFirstPrice) return view.cpmMicros
    let runnerUpMeanScore = 0
    for (let i = 0; i < count; i++)
      if (i !== position)
        runnerUpMeanScore = Math.max(runnerUpMeanScore, this.#sampling.meanScore(i))
    return clearingPrice({
      formula: this.#settings.formula,
      runnerUpMeanScore,
      winnerMeanEngagement: this.#sampling.meanEngagement(position),
      // An impression that costs nothing would escape every budget.
      floorMicros: Math.max(view.floorMicros, CPM_MICROS_MIN),
      bidMicros: view.cpmMicros,
    })
  }

  #reasonForNothing(): NoContentReason {
    if (this.#denials > 0) return this.#waits === this.#denials ? 'warmup' : 'budget'
    return this.#refusedByFloor > 0 ? 'floor' : 'noCandidates'
  }
}

export interface AdRequest {
  readonly site: string
  /** At least one. */
  readonly slots: readonly string[]
}

/** One moment on the three clocks: for leases, for rates and statistics, for the scenario. */
export interface Moment {
  readonly monotonicMs: number
  readonly wallMs: number
  readonly scenarioMs: number
}

export interface ServedAd {
  readonly view: ServeView
  /** Names the impression; its beacon carries it. */
  readonly requestId: string
  readonly clearingCpmMicros: number
  readonly amountMicros: number
}

export type Decision =
  /** One place per slot that was asked for, at least one of them filled. */
  | { readonly type: 'Served'; readonly ads: readonly (ServedAd | undefined)[] }
  | { readonly type: 'NoContent'; readonly reason: NoContentReason }

export const NO_CONTENT_REASONS = [
  /** The slots have nothing to show, or the site is unknown. */
  'noCandidates',
  /** All there is was classified too long ago. */
  'stale',
  /** The pacing gate refused: the money has to last. */
  'paced',
  /** Nobody who fits can pay. */
  'budget',
  /** All candidates are below the slot's floor. */
  'floor',
  /** Spending rights are on their way: the node has just started, or spends faster than they come. */
  'warmup',
] as const
export type NoContentReason = (typeof NO_CONTENT_REASONS)[number]

export interface ServeParts {
  readonly index: FlatIndex
  readonly directory: CampaignDirectory
  readonly leases: Leases
  readonly stats: CreativeStats
  readonly gates: PacingGates
  readonly random: Random
  knowsSite(site: string): boolean
}

export interface ServeSettings {
  /** Candidates classified longer ago, in scenario time, are not shown. Default 48 hours. */
  readonly freshnessMs: number
  readonly formula: ScoreFormula
  /** True charges the bid instead of the second price. */
  readonly isFirstPrice: boolean
}

export const defaultServeSettings: ServeSettings = {
  freshnessMs: 172_800_000,
  formula: powerScore(0.5),
  isFirstPrice: false,
}

/** Made once: a decision for nothing allocates nothing. */
const NOTHING: ReadonlyMap<NoContentReason, Decision> = new Map(
  NO_CONTENT_REASONS.map((reason) => [reason, { type: 'NoContent', reason } as const]),
)

function noContent(reason: NoContentReason): Decision {
  return NOTHING.get(reason) ?? { type: 'NoContent', reason }
}
