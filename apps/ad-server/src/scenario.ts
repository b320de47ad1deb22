import { identifierFault, urlFault } from './identifier.ts'
import { isCpm, isMoney } from './money.ts'

/**
 * Everything a run needs to know of the world: who advertises, and where ads can be shown.
 *
 * The launcher makes one (built in, from a file or from recordings); each node gets the whole of it. Ids
 * contain no bar. A slot belongs to one page: its id is unique within its site.
 */
export interface Scenario {
  readonly name: string
  /** Where the figures come from, for people. */
  readonly source: string
  readonly campaigns: readonly ScenarioCampaign[]
  readonly sites: readonly ScenarioSite[]
  /** Relative traffic of each hour of the day, UTC: 24 figures > 0. Absent: flat until it is learned. */
  readonly trafficByHour?: readonly number[]
}

export interface ScenarioCampaign {
  readonly campaignId: string
  readonly advertiserId: string
  readonly status: 'Active' | 'Paused'
  /** What the campaign bids for 1,000 impressions, in micro-dollars. */
  readonly maxCpmMicros: number
  /** The bid by hour of the day (24 figures) where it changes; replaces `maxCpmMicros`. */
  readonly cpmMicrosByHour?: readonly number[]
  readonly dailyBudgetMicros: number
  /** Content categories it wants; none means any. */
  readonly categories: readonly string[]
  /** Sites it is limited to; none means any. */
  readonly siteAllowlist: readonly string[]
  readonly creatives: readonly ScenarioCreative[]
}

export interface ScenarioCreative {
  readonly creativeId: string
  readonly assetUrl: string
  readonly mime: string
  /** Size in pixels; it fits a slot of the same size. */
  readonly width: number
  readonly height: number
  readonly landingUrl: string
  /** How often it is clicked in truth, 0 to 1. For the traffic driver: no node reads it. */
  readonly clickRate: number
}

export interface ScenarioSite {
  readonly siteId: string
  readonly floorCpmMicros: number
  readonly pages: readonly ScenarioPage[]
}

export interface ScenarioPage {
  readonly url: string
  /** Share of the traffic, relative to the other pages of all sites; > 0. */
  readonly weight: number
  /** How well each category fits the page, 0 to 1. */
  readonly categoryScores: Readonly<Record<string, number>>
  readonly slots: readonly ScenarioSlot[]
}

export interface ScenarioSlot {
  readonly slotId: string
  readonly width: number
  readonly height: number
  /** Lowest price; the site's floor when absent. */
  readonly floorCpmMicros?: number
}

export type ScenarioFault = { readonly path: string; readonly reason: string }

export type ParsedScenario =
  | { readonly ok: true; readonly scenario: Scenario }
  /** All that is wrong, in order, up to a hundred; each with the place (`campaigns[2].maxCpmMicros`). */
  | { readonly ok: false; readonly faults: readonly ScenarioFault[] }

/** Checks a scenario that comes from outside. Unknown fields are faults: they are usually misspelt known ones. */
export function parseScenario(input: unknown): ParsedScenario {
  const faults: ScenarioFault[] = []
  const at = new Place(input, '', faults)
  const scenario = readScenario(at)
  return faults.length === 0 ? { ok: true, scenario } : { ok: false, faults: faults.slice(0, 100) }
}

function readScenario(at: Place): Scenario {
  const name = at.text('name', 200)
  const source = at.text('source', 2_000)
  const campaigns = at.list('campaigns', 1, 100_000).map(readCampaign)
  const sites = at.list('sites', 1, 100_000).map(readSite)
  const trafficByHour = at.hours('trafficByHour', (value) => typeof value === 'number' && value > 0)
  at.noOthers()
  at.unique('campaigns', campaigns, (campaign) => `${campaign.advertiserId}|${campaign.campaignId}`)
  at.unique('sites', sites, (site) => site.siteId)
  const creatives = campaigns.flatMap((campaign) => campaign.creatives)
  at.unique('creatives of all campaigns', creatives, (creative) => creative.creativeId)
  return {
    name,
    source,
    campaigns,
    sites,
    ...(trafficByHour === undefined ? {} : { trafficByHour }),
  }
}

function readCampaign(at: Place): ScenarioCampaign {
  const campaignId = at.id('campaignId')
  const advertiserId = at.id('advertiserId')
  const status = at.oneOf('status', ['Active', 'Paused'])
  const maxCpmMicros = at.cpm('maxCpmMicros')
  const cpmMicrosByHour = at.hours('cpmMicrosByHour', isCpm)
  const dailyBudgetMicros = at.number('dailyBudgetMicros', isMoney, 'whole micro-dollars >= 0')
  const categories = at.ids('categories')
  const siteAllowlist = at.ids('siteAllowlist')
  const creatives = at.list('creatives', 0, 10_000).map(readCreative)
  at.noOthers()
  return {
    campaignId,
    advertiserId,
    status,
    maxCpmMicros,
    ...(cpmMicrosByHour === undefined ? {} : { cpmMicrosByHour }),
    dailyBudgetMicros,
    categories,
    siteAllowlist,
    creatives,
  }
}

function readCreative(at: Place): ScenarioCreative {
  const creative = {
    creativeId: at.id('creativeId'),
    assetUrl: at.url('assetUrl'),
    mime: at.mime('mime'),
    width: at.pixels('width'),
    height: at.pixels('height'),
    landingUrl: at.url('landingUrl'),
    clickRate: at.number('clickRate', isShare, 'a share, 0 to 1'),
  }
  at.noOthers()
  return creative
}

function readSite(at: Place): ScenarioSite {
  const siteId = at.id('siteId')
  const floorCpmMicros = at.number('floorCpmMicros', isMoney, 'whole micro-dollars >= 0')
  const pages = at.list('pages', 1, 100_000).map(readPage)
  at.noOthers()
  at.unique('pages', pages, (page) => page.url)
  at.unique(
    'slots of all pages',
    pages.flatMap((page) => page.slots),
    (slot) => slot.slotId,
  )
  return { siteId, floorCpmMicros, pages }
}

function readPage(at: Place): ScenarioPage {
  const url = at.url('url')
  const weight = at.number('weight', (value) => value > 0 && value < Infinity, 'a number > 0')
  const categoryScores = at.scores('categoryScores')
  const slots = at.list('slots', 1, 100).map(readSlot)
  at.noOthers()
  return { url, weight, categoryScores, slots }
}

function readSlot(at: Place): ScenarioSlot {
  const slotId = at.id('slotId')
  const width = at.pixels('width')
  const height = at.pixels('height')
  const floorCpmMicros = at.has('floorCpmMicros')
    ? at.number('floorCpmMicros', isMoney, 'whole micro-dollars >= 0')
    : undefined
  at.noOthers()
  return { slotId, width, height, ...(floorCpmMicros === undefined ? {} : { floorCpmMicros }) }
}

/**
 * One object of the input. Each reader checks a field, notes what is wrong with it, and returns a
 * stand-in of the right type, so that one pass finds every fault.
 */
class Place {
  readonly #fields: Readonly<Record<string, unknown>>
  readonly #path: string
  readonly #faults: ScenarioFault[]
  readonly #read = new Set<string>()

  constructor(input: unknown, path: string, faults: ScenarioFault[]) {
    this.#path = path
    this.#faults = faults
    const isObject = typeof input === 'object' && input !== null && !Array.isArray(input)
    this.#fields = isObject ? (input as Readonly<Record<string, unknown>>) : {}
    if (!isObject) this.#faults.push({ path: path || 'scenario', reason: 'is not an object' })
  }

  has(field: string): boolean {
    return this.#take(field) !== undefined
  }

  text(field: string, lengthMax: number): string {
    const value = this.#take(field)
    const isGood = typeof value === 'string' && value.length > 0 && value.length <= lengthMax
    return isGood ? value : this.#fault(field, `is not a text of 1 to ${lengthMax} characters`, '')
  }

  id(field: string): string {
    return this.#checkedText(field, identifierFault)
  }

  url(field: string): string {
    return this.#checkedText(field, urlFault)
  }

  mime(field: string): string {
    return this.#checkedText(field, (text) =>
      /^[a-z]{1,20}\/[a-z0-9.+-]{1,40}$/.test(text) ? undefined : 'is not a media type',
    )
  }

  oneOf<T extends string>(field: string, texts: readonly [T, ...T[]]): T {
    const value = this.#take(field)
    const known = texts.find((text) => text === value)
    return known ?? this.#fault(field, `is not one of ${texts.join(', ')}`, texts[0])
  }

  number(field: string, isGood: (value: number) => boolean, expected: string): number {
    const value = this.#take(field)
    if (typeof value === 'number' && isGood(value)) return value
    return this.#fault(field, `is not ${expected}`, 0)
  }

  cpm(field: string): number {
    return this.number(field, isCpm, 'a price from 1000 to 1000000000 micro-dollars')
  }

  pixels(field: string): number {
    return this.number(field, isPixels, 'a whole number of pixels, 1 to 10000')
  }

  ids(field: string): readonly string[] {
    const items = this.#array(field, 0, 1_000)
    items.forEach((item, i) => {
      const fault = typeof item === 'string' ? identifierFault(item) : 'is not a text'
      if (fault !== undefined) this.#fault(`${field}[${i}]`, fault, undefined)
    })
    return items as readonly string[]
  }

  hours(field: string, isGood: (value: unknown) => boolean): readonly number[] | undefined {
    const value = this.#take(field)
    if (value === undefined) return undefined
    if (Array.isArray(value) && value.length === 24 && value.every(isGood))
      return value as readonly number[]
    return this.#fault(field, 'is not 24 good figures, one for each hour', undefined)
  }

  scores(field: string): Readonly<Record<string, number>> {
    const value = this.#take(field)
    const entries = typeof value === 'object' && value !== null ? Object.entries(value) : []
    if (entries.length < 1 || entries.length > 100)
      return this.#fault(field, 'does not name 1 to 100 categories', {})
    for (const [category, score] of entries) {
      const fault =
        identifierFault(category) ?? (isShare(score) ? undefined : 'is not a share, 0 to 1')
      if (fault !== undefined) this.#fault(`${field}.${category.slice(0, 40)}`, fault, undefined)
    }
    return Object.fromEntries(entries as [string, number][])
  }

  list(field: string, least: number, most: number): readonly Place[] {
    return this.#array(field, least, most).map(
      (item, i) => new Place(item, `${this.#path}${this.#path && '.'}${field}[${i}]`, this.#faults),
    )
  }

  unique<T>(what: string, items: readonly T[], idOf: (item: T) => string): void {
    const seen = new Set<string>()
    for (const item of items) {
      const id = idOf(item)
      if (seen.has(id)) this.#fault(what, `name ${id} twice`, undefined)
      seen.add(id)
    }
  }

  noOthers(): void {
    for (const field of Object.keys(this.#fields))
      if (!this.#read.has(field)) this.#fault(field.slice(0, 40), 'is not a known field', undefined)
  }

  #take(field: string): unknown {
    this.#read.add(field)
    return Object.hasOwn(this.#fields, field) ? this.#fields[field] : undefined
  }

  #checkedText(field: string, faultOf: (text: string) => string | undefined): string {
    const value = this.#take(field)
    const fault = typeof value === 'string' ? faultOf(value) : 'is not a text'
    return fault === undefined ? (value as string) : this.#fault(field, fault, '')
  }

  #array(field: string, least: number, most: number): readonly unknown[] {
    const value = this.#take(field)
    if (Array.isArray(value) && value.length >= least && value.length <= most) return value
    return this.#fault(field, `is not a list of ${least} to ${most}`, [])
  }

  #fault<T>(field: string, reason: string, standIn: T): T {
    const path = `${this.#path}${this.#path && '.'}${field}`
    this.#faults.push({ path, reason })
    return standIn
  }
}

function isShare(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= 1
}

function isPixels(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 10_000
}
