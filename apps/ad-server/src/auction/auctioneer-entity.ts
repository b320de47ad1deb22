import {
  Behaviors,
  type ActorContext,
  type ActorRef,
  type Askable,
  type Behavior,
} from '@troupe/actor'
import { EntityType, type EntityContext } from '@troupe/sharding'
import type { CampaignChange, CampaignDirectory } from '../campaign/campaign-directory.ts'
import type { CampaignBidResponse, CampaignCommand } from '../campaign/campaign-protocol.ts'
import type { CampaignRecord } from '../campaign/campaign-record.ts'
import type { Catalog } from '../node/catalog.ts'
import type { ScenarioClock } from '../pacing/scenario-clock.ts'
import type { ScenarioSlot } from '../scenario.ts'
import type { FlatIndex } from '../serve-index/flat-index.ts'
import { refreshTtlMs } from '../serve-index/serve-index.ts'
import type { ServeIndexCommand } from '../serve-index/serve-index-actor.ts'
import { DEFAULT_SITE_FLOOR_MICROS } from './auction.ts'
import type { AuctionQuestion } from './site-book.ts'
import { SiteBook } from './site-book.ts'
import { staggerMs } from './stagger.ts'

/** What an auctioneer understands. Everything here travels between nodes. */
export type AuctioneerCommand =
  /** A page was looked at: its auction runs at once. */
  | {
      readonly type: 'PageCategoriesClassified'
      readonly url: string
      readonly categoryScores: Readonly<Record<string, number>>
      readonly slots: readonly ScenarioSlot[]
    }
  /** Runs one page's auction again. */
  | { readonly type: 'Reevaluate'; readonly url: string }
  /** A reader met an empty slot: all pages are auctioned again, not more often than every 15 seconds. */
  | { readonly type: 'ServeMissed' }
  | { readonly type: 'UpdateFloorCpm'; readonly floorMicros: number }
  | { readonly type: 'UpdateCategoryFloors'; readonly floors: Readonly<Record<string, number>> }
  /** Forgets all pages and takes all candidates out of the index. */
  | { readonly type: 'ClearSite'; readonly replyTo: ActorRef<SiteCleared> }
  /** Starts the entity if it is not running, and has it look at its pages. */
  | { readonly type: 'Wake' }

export interface SiteCleared {
  readonly type: 'SiteCleared'
}

export interface AuctioneerParts {
  readonly catalog: Catalog
  readonly directory: CampaignDirectory
  readonly index: ActorRef<ServeIndexCommand>
  readonly flat: FlatIndex
  readonly clock: ScenarioClock
  campaign(campaignId: string): Askable<CampaignCommand>
}

/**
 * The auctioneer of one site. Id: the site's.
 *
 * Keeps nothing that must survive: where it starts anew, it takes the site's pages from the scenario and
 * auctions them at once. Every five minutes of scenario time all fresh pages are auctioned again; in between
 * it follows what happens to campaigns that have, or could have, candidates here.
 */
export function auctioneerEntityType(parts: AuctioneerParts): EntityType<AuctioneerCommand> {
  return EntityType.create<AuctioneerCommand>('auctioneer', (entity) =>
    auctioneerEntity(entity, parts),
  )
}

type Message =
  | AuctioneerCommand
  | { readonly type: 'PeriodicReauction' }
  | { readonly type: 'DebouncedReauction' }
  | { readonly type: 'RetryEmptyAuction' }
  | { readonly type: 'CampaignChanged'; readonly change: CampaignChange }
  | {
      readonly type: 'BidsCollected'
      readonly urls: readonly string[]
      readonly responses: readonly CampaignBidResponse[]
    }

export function auctioneerEntity(
  entity: EntityContext,
  parts: AuctioneerParts,
): Behavior<AuctioneerCommand> {
  return Behaviors.setup<Message>((context) => {
    const { clock, directory, catalog } = parts
    const release = [
      directory.onChange((change) => context.self.tell({ type: 'CampaignChanged', change })),
      catalog.onLoad(() => context.self.tell({ type: 'Wake' })),
    ]
    const intervalMs = clock.realDurationOf(REAUCTION_MS, INTERVAL_LEAST_MS)
    const delayMs = clock.realDurationOf(staggerMs(entity.id, REAUCTION_MS))
    context.timers.startTimerAtFixedRate(
      'reauction',
      { type: 'PeriodicReauction' },
      intervalMs,
      delayMs,
    )
    const auctioneer = new Auctioneer(entity.id, parts, context)
    auctioneer.handle({ type: 'Wake' })
    return Behaviors.receive(
      (message) => {
        auctioneer.handle(message)
        return Behaviors.same
      },
      (signal) => {
        if (signal.type === 'PostStop' || signal.type === 'PreRestart')
          for (const end of release) end()
        return Behaviors.same
      },
    )
  })
}

class Auctioneer {
  readonly #site: string
  readonly #parts: AuctioneerParts
  readonly #context: ActorContext<Message>
  readonly #book: SiteBook
  /** Auctions in a row that found nothing, by page. */
  readonly #empty = new Map<string, number>()
  #missedAt = -Infinity

  constructor(site: string, parts: AuctioneerParts, context: ActorContext<Message>) {
    this.#site = site
    this.#parts = parts
    this.#context = context
    this.#book = new SiteBook(site, DEFAULT_SITE_FLOOR_MICROS)
  }

  handle(message: Message): void {
    switch (message.type) {
      case 'PageCategoriesClassified': {
        const { url, categoryScores, slots } = message
        this.#book.classified({ url, categoryScores, slots, classifiedAtMs: this.#now() })
        return this.#auction([url])
      }
      case 'Reevaluate':
        return this.#auction([message.url])
      case 'ServeMissed': {
        const now = this.#context.system.platform.clock.monotonicMs()
        if (now - this.#missedAt < MISS_GAP_MS) return
        this.#missedAt = now
        return this.#reauctionSoon()
      }
      case 'UpdateFloorCpm':
        this.#book.updateFloor(message.floorMicros)
        this.#remove({ type: 'BelowFloor', floorMicros: message.floorMicros })
        return this.#reauctionSoon()
      case 'UpdateCategoryFloors':
        this.#book.updateCategoryFloors(message.floors)
        return this.#reauctionSoon()
      case 'ClearSite':
        this.#book.clear()
        this.#remove({ type: 'All' })
        message.replyTo.tell({ type: 'SiteCleared' })
        return
      case 'Wake':
        return this.#restore()
      case 'PeriodicReauction':
        this.#restore()
        this.#book.dropStale(this.#now())
        return this.#auction(this.#book.freshPages(this.#now()))
      case 'DebouncedReauction':
        return this.#auction(this.#book.freshPages(this.#now()))
      case 'RetryEmptyAuction':
        return this.#auction([...this.#empty.keys()])
      case 'CampaignChanged':
        return this.#campaignChanged(message.change)
      case 'BidsCollected': {
        const { urls, responses } = message
        this.#settle(urls.slice(0, PAGES_PER_TURN), responses)
        // A site of a thousand pages must not hold up the readers of this node.
        if (urls.length > PAGES_PER_TURN)
          this.#context.self.tell({ ...message, urls: urls.slice(PAGES_PER_TURN) })
        return
      }
      default:
        return message satisfies never
    }
  }

  #restore(): void {
    const site = this.#parts.catalog.site(this.#site)
    if (site === undefined) return
    const restored = this.#book.restore(site, this.#now())
    if (restored.length > 0) this.#auction(restored)
  }

  #campaignChanged(change: CampaignChange): void {
    const { campaignId } = change
    const hasCandidates = this.#parts.flat.campaignsOf(this.#site).has(campaignId)
    const record = this.#parts.directory.recordOf(campaignId)
    const mayBid = record !== undefined && fits(record, this.#site)
    if (!hasCandidates && !mayBid) return
    const scope = { site: this.#site }
    switch (change.type) {
      case 'CampaignStopped':
        this.#remove({ type: 'Campaign', campaignId })
        break
      case 'CreativesRemoved':
        for (const creativeId of change.creativeIds) this.#remove({ type: 'Creative', creativeId })
        break
      case 'CampaignBudgetExhausted': {
        // Kept, for the budget may come back; until then it cannot pay, and the next candidate is shown.
        const filter = { type: 'Campaign', campaignId } as const
        this.#parts.index.tell({ type: 'RefreshTTL', scope, filter, ttlMs: refreshTtlMs(86_400) })
        break
      }
      case 'CpmUpdated': {
        const cpmMicrosByCampaign = new Map([[campaignId, change.cpmMicros]])
        this.#parts.index.tell({ type: 'UpdateCpm', scope, cpmMicrosByCampaign })
        break
      }
      case 'CampaignStarted':
      case 'CampaignBudgetReset':
      case 'CreativesChanged':
        break
      default:
        change satisfies never
    }
    this.#reauctionSoon()
  }

  #remove(filter: Extract<ServeIndexCommand, { type: 'Remove' }>['filter']): void {
    this.#parts.index.tell({ type: 'Remove', scope: { site: this.#site }, filter })
  }

  /** Several events within a second make one auction. */
  #reauctionSoon(): void {
    this.#context.timers.startSingleTimer('debounce', { type: 'DebouncedReauction' }, DEBOUNCE_MS)
  }

  /** Asks every campaign that could bid; who does not answer in time is not waited for. */
  #auction(urls: readonly string[]): void {
    const question = this.#book.questionFor(urls)
    if (question === undefined) return
    const asked = [...this.#parts.directory.records()].filter(
      (record) => record.status === 'Active' && fits(record, this.#site, question.categories),
    )
    const answers = asked.map(({ campaignId }) => this.#ask(campaignId, question))
    const collected = Promise.all(answers).then((responses) =>
      responses.filter((each) => each !== undefined),
    )
    this.#context.pipeToSelf(
      collected,
      (responses) => ({ type: 'BidsCollected', urls, responses }),
      () => ({ type: 'BidsCollected', urls, responses: [] }),
    )
  }

  #ask(campaignId: string, question: AuctionQuestion): Promise<CampaignBidResponse | undefined> {
    const { categories, sizes, floorMicros } = question
    return this.#parts
      .campaign(campaignId)
      .ask<CampaignBidResponse>(
        (replyTo) => {
          return {
            type: 'CampaignBidRequest',
            site: this.#site,
            categories,
            sizes,
            floorMicros,
            replyTo,
          }
        },
        { timeoutMs: BID_TIMEOUT_MS },
      )
      .catch(() => undefined)
  }

  #settle(urls: readonly string[], responses: readonly CampaignBidResponse[]): void {
    const filled = new Set<string>()
    for (const { url, site, slot, candidates } of this.#book.auction(urls, responses)) {
      if (candidates.length === 0) continue
      filled.add(url)
      this.#parts.index.tell({ type: 'Put', site, slot, candidates })
    }
    this.#noteEmpty(urls, filled)
  }

  /** A page without any candidate is tried three times more, half a minute apart; then it waits for its turn. */
  #noteEmpty(urls: readonly string[], filled: ReadonlySet<string>): void {
    for (const url of urls) {
      const tries = this.#empty.get(url) ?? 0
      if (filled.has(url)) this.#empty.delete(url)
      else if (tries < EMPTY_RETRIES) this.#empty.set(url, tries + 1)
      else this.#empty.delete(url)
    }
    if (this.#empty.size === 0 || this.#context.timers.isTimerActive('retry')) return
    const delayMs = this.#parts.clock.realDurationOf(EMPTY_RETRY_MS, INTERVAL_LEAST_MS)
    this.#context.timers.startSingleTimer('retry', { type: 'RetryEmptyAuction' }, delayMs)
  }

  #now(): number {
    return this.#parts.clock.at(this.#context.system.platform.clock.wallMs())
  }
}

/** Whether a campaign could bid on a site at all (and for one of the categories): spares useless questions. */
function fits(record: CampaignRecord, site: string, categories?: readonly string[]): boolean {
  const { siteAllowlist, categories: wanted } = record
  if (siteAllowlist.length > 0 && !siteAllowlist.includes(site)) return false
  if (categories === undefined || wanted.length === 0) return true
  return wanted.some((category) => categories.includes(category))
}

/** Scenario time. */
const REAUCTION_MS = 300_000
const EMPTY_RETRY_MS = 30_000
/** Real time: however fast a scenario runs, nothing periodic runs more often. */
const INTERVAL_LEAST_MS = 1_000
const DEBOUNCE_MS = 1_000
const MISS_GAP_MS = 15_000
const BID_TIMEOUT_MS = 550
const EMPTY_RETRIES = 3
/** Pages whose slots are auctioned before others get their turn. */
const PAGES_PER_TURN = 20
