import { identifierFault } from '../identifier.ts'
import type { ScenarioPage, ScenarioSite } from '../scenario.ts'
import { microsOfDollars } from '../money.ts'
import { categoryScoresOf } from './page-categories.ts'
import type { PagePlace } from './traffic.ts'
import type { PageViews } from './weblog.ts'

/** The three slots of each page; a creative fits the slot of its size. */
export const SLOT_SIZES = [
  { name: 'top', width: 728, height: 90 },
  { name: 'side', width: 300, height: 250 },
  { name: 'foot', width: 320, height: 50 },
] as const

/**
 * Makes sites of the sections of a recorded site, so that there are several entities to spread: `/blog/…`
 * is the site `blog`. Small sections share one. `places[i]` is where `pages[i]` went.
 */
export function sitesOf(pages: readonly PageViews[]): {
  readonly sites: readonly ScenarioSite[]
  readonly places: readonly PagePlace[]
} {
  const sections = new Map<string, ScenarioPage[]>()
  const isLarge = largeSections(pages)
  const found = pages.map((page, i) => {
    const section = sectionOf(page.path)
    const siteId = isLarge.has(section) ? section : 'others'
    let members = sections.get(siteId)
    if (members === undefined) sections.set(siteId, (members = []))
    members.push(pageOf(page, i))
    return { siteId, page: members.length - 1 }
  })
  const siteIds = [...sections.keys()]
  return {
    sites: [...sections].map(([siteId, members]) => ({
      siteId,
      floorCpmMicros: FLOOR_CPM_MICROS,
      pages: members,
    })),
    places: found.map(({ siteId, page }) => ({ site: siteIds.indexOf(siteId), page })),
  }
}

function pageOf({ path, views }: PageViews, i: number): ScenarioPage {
  return {
    url: path,
    weight: views,
    categoryScores: categoryScoresOf(path),
    slots: SLOT_SIZES.map(({ name, width, height }) => ({
      slotId: `page-${i + 1}-${name}`,
      width,
      height,
    })),
  }
}

function sectionOf(path: string): string {
  const section = path.split('/')[1] ?? ''
  return section === '' ? 'home' : section
}

function largeSections(pages: readonly PageViews[]): ReadonlySet<string> {
  const views = new Map<string, number>()
  for (const page of pages) {
    const section = sectionOf(page.path)
    if (identifierFault(section) === undefined)
      views.set(section, (views.get(section) ?? 0) + page.views)
  }
  const all = [...views.values()].reduce((sum, count) => sum + count, 0)
  return new Set([...views].filter(([, count]) => count >= all / 100).map(([section]) => section))
}

/** Ten cents for 1,000 impressions: the exchanges' cheapest hours lie below it, most hours above. */
const FLOOR_CPM_MICROS = microsOfDollars(0.1)
