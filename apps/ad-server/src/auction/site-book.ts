import type { CampaignBidResponse } from '../campaign/campaign-protocol.ts'
import type { ScenarioSite, ScenarioSlot } from '../scenario.ts'
import type { Candidate } from '../serve-index/serve-view.ts'
import type { AuctionSettings, CategoryScore, Floors } from './auction.ts'
import { defaultAuctionSettings, floorMicrosOf, runAuction, topCategories } from './auction.ts'

/**
 * What an auctioneer knows of its site: the pages, how they were classified, and the floors.
 *
 * From the answers of campaigns it makes the candidates of each slot. The best known pages are kept:
 * beyond PAGES_MAX the one classified longest ago is forgotten.
 */
export class SiteBook {
  readonly #site: string
  readonly #settings: SiteBookSettings
  readonly #pages = new Map<string, Page>()
  #siteFloorMicros: number
  #restoredFrom: ScenarioSite | undefined
  readonly #categoryFloors = new Map<string, number>()

  constructor(
    site: string,
    siteFloorMicros: number,
    settings: SiteBookSettings = defaultSiteBookSettings,
  ) {
    this.#site = site
    this.#siteFloorMicros = siteFloorMicros
    this.#settings = settings
  }

  get pages(): number {
    return this.#pages.size
  }

  /** A page was classified, anew or for the first time. */
  classified(page: ClassifiedPage): void {
    this.#pages.delete(page.url)
    this.#pages.set(page.url, {
      ...page,
      categories: topCategories(Object.entries(page.categoryScores), this.#settings.categoriesMax),
    })
    if (this.#pages.size <= PAGES_MAX) return
    const [oldest] = this.#pages.keys()
    if (oldest !== undefined) this.#pages.delete(oldest)
  }

  /** Takes the pages of the scenario; pages classified within the last half of the freshness window stay as they are. */
  restore(site: ScenarioSite, now: number): string[] {
    // A floor that was changed by hand since stays until another scenario comes.
    if (site !== this.#restoredFrom) this.#siteFloorMicros = site.floorCpmMicros
    this.#restoredFrom = site
    const restored: string[] = []
    for (const { url, categoryScores, slots } of site.pages) {
      const known = this.#pages.get(url)
      const isYoung =
        known !== undefined && now - known.classifiedAtMs < this.#settings.freshnessMs / 2
      if (isYoung && isSame(known, slots, categoryScores)) continue
      this.classified({ url, categoryScores, slots, classifiedAtMs: now })
      restored.push(url)
    }
    return restored
  }

  updateFloor(floorMicros: number): void {
    this.#siteFloorMicros = floorMicros
  }

  updateCategoryFloors(floors: Readonly<Record<string, number>>): void {
    this.#categoryFloors.clear()
    for (const [category, floorMicros] of Object.entries(floors))
      this.#categoryFloors.set(category, floorMicros)
  }

  /** Pages classified less than the freshness window ago. */
  freshPages(now: number): string[] {
    const fresh: string[] = []
    for (const { url, classifiedAtMs } of this.#pages.values())
      if (now - classifiedAtMs < this.#settings.freshnessMs) fresh.push(url)
    return fresh
  }

  /** Forgets pages beyond the window; returns their slots. */
  dropStale(now: number): string[] {
    const slots: string[] = []
    for (const page of this.#pages.values()) {
      if (now - page.classifiedAtMs < this.#settings.freshnessMs) continue
      this.#pages.delete(page.url)
      for (const { slotId } of page.slots) slots.push(slotId)
    }
    return slots
  }

  clear(): void {
    this.#pages.clear()
  }

  /** What to ask campaigns for an auction of these pages. Undefined when there is nothing to ask for. */
  questionFor(urls: Iterable<string>): AuctionQuestion | undefined {
    const categories = new Set<string>()
    const sizes = new Set<string>()
    let floorMicros = Infinity
    for (const url of urls) {
      const page = this.#pages.get(url)
      if (page === undefined) continue
      for (const { category } of page.categories) {
        categories.add(category)
        for (const slot of page.slots)
          floorMicros = Math.min(
            floorMicros,
            floorMicrosOf(this.#floorsOf(page), slot.slotId, category),
          )
      }
      for (const { width, height } of page.slots) sizes.add(`${width}x${height}`)
    }
    if (categories.size === 0 || sizes.size === 0) return undefined
    return { categories: [...categories], sizes: [...sizes], floorMicros }
  }

  /** The auction: what each slot of these pages shows from now on. Slots for which nobody bid have no candidates. */
  auction(urls: Iterable<string>, responses: readonly CampaignBidResponse[]): SlotResult[] {
    const results: SlotResult[] = []
    const offers = responses.map((response) => ({
      response,
      cpms: new Map(response.bids.map(({ category, cpmMicros }) => [category, cpmMicros])),
    }))
    for (const url of urls) {
      const page = this.#pages.get(url)
      if (page === undefined) continue
      const floors = this.#floorsOf(page)
      for (const slot of page.slots) {
        const bids = offers.flatMap((offer) => bidsOf(offer, page, slot, floors))
        const candidates = runAuction(bids, slot.slotId, floors, this.#settings.auction)
        results.push({ url, site: this.#site, slot: slot.slotId, candidates })
      }
    }
    return results
  }

  #floorsOf(page: Page): Floors {
    const bySlot = new Map<string, number>()
    for (const { slotId, floorCpmMicros } of page.slots)
      if (floorCpmMicros !== undefined) bySlot.set(slotId, floorCpmMicros)
    return { siteMicros: this.#siteFloorMicros, byCategory: this.#categoryFloors, bySlot }
  }
}

export interface ClassifiedPage {
  readonly url: string
  readonly categoryScores: Readonly<Record<string, number>>
  readonly slots: readonly ScenarioSlot[]
  /** Scenario time. */
  readonly classifiedAtMs: number
}

export interface AuctionQuestion {
  readonly categories: readonly string[]
  readonly sizes: readonly string[]
  readonly floorMicros: number
}

export interface SlotResult {
  readonly url: string
  readonly site: string
  readonly slot: string
  readonly candidates: readonly Candidate[]
}

export interface SiteBookSettings {
  /** How many categories of a page take part. */
  readonly categoriesMax: number
  /** How long a classification is good, in scenario time. */
  readonly freshnessMs: number
  readonly auction: AuctionSettings
}

export const defaultSiteBookSettings: SiteBookSettings = {
  categoriesMax: 3,
  freshnessMs: 172_800_000,
  auction: defaultAuctionSettings,
}

interface Page extends ClassifiedPage {
  readonly categories: readonly CategoryScore[]
}

interface Offer {
  readonly response: CampaignBidResponse
  readonly cpms: ReadonlyMap<string, number>
}

/** A campaign's creatives for one slot, in the category that fits the page best among those it bid for. */
function bidsOf(
  { response, cpms }: Offer,
  page: Page,
  slot: ScenarioSlot,
  floors: Floors,
): Candidate[] {
  const best = page.categories.find(({ category }) => cpms.has(category))
  const cpmMicros = best === undefined ? undefined : cpms.get(best.category)
  if (best === undefined || cpmMicros === undefined) return []
  return response.creatives
    .filter(({ width, height }) => width === slot.width && height === slot.height)
    .map((creative) => ({
      creativeId: creative.creativeId,
      campaignId: response.campaignId,
      advertiserId: response.advertiserId,
      campaignEpoch: response.epoch,
      assetUrl: creative.assetUrl,
      mime: creative.mime,
      width: creative.width,
      height: creative.height,
      category: best.category,
      cpmMicros,
      floorMicros: floorMicrosOf(floors, slot.slotId, best.category),
      categoryScore: best.score,
      classifiedAtMs: page.classifiedAtMs,
      landingUrl: creative.landingUrl,
    }))
}

function isSame(
  page: Page,
  slots: readonly ScenarioSlot[],
  scores: Readonly<Record<string, number>>,
): boolean {
  // Nearly always the very objects of the scenario.
  if (page.slots === slots && page.categoryScores === scores) return true
  return JSON.stringify([page.slots, page.categoryScores]) === JSON.stringify([slots, scores])
}

const PAGES_MAX = 10_000
