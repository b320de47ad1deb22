import { urlFault } from '../identifier.ts'
import { rowsOf, type RowTally, timeOf } from './row-tally.ts'

/** The page views of a web site's log. */
export interface Weblog {
  /** Path and number of views of each page, most viewed first. */
  readonly pages: readonly PageViews[]
  /** Every view in recorded order, as a place in `pages`: visitors walk from page to page. */
  readonly visits: readonly number[]
}

export interface PageViews {
  readonly path: string
  readonly views: number
}

/**
 * Reads `time visitor method path status bytes agent`, separated by tabs. Used are the views of pages
 * by people: that is where ads are shown. Each other row counts as refused with its reason.
 */
export function readWeblog(text: string, tally: RowTally): Weblog {
  const views = new Map<string, number>()
  const paths: string[] = []
  for (const row of rowsOf(text, HEADER)) {
    const path = pageOf(row, tally)
    if (path === undefined) continue
    if (!views.has(path) && views.size >= PAGES_MAX) {
      tally.refuse(`more than ${PAGES_MAX} different pages`)
      continue
    }
    tally.use()
    views.set(path, (views.get(path) ?? 0) + 1)
    paths.push(path)
  }
  const pages = [...views]
    .map(([path, count]) => ({ path, views: count }))
    .sort((a, b) => b.views - a.views || (a.path < b.path ? -1 : 1))
  const places = new Map(pages.map(({ path }, place) => [path, place]))
  return { pages, visits: paths.map((path) => places.get(path) ?? 0) }
}

function pageOf(row: string, tally: RowTally): string | undefined {
  const columns = row.split('\t')
  const [time, , method, path, status, , agent] = columns
  if (columns.length !== 7) return tally.refuse('not 7 columns')
  if (time === undefined || timeOf(time) === undefined) return tally.refuse('no time')
  if (path === undefined || urlFault(path) !== undefined) return tally.refuse('no path')
  if (!/^\d{3}$/.test(status ?? '')) return tally.refuse('no status')
  if (method !== 'GET') return tally.refuse('not a GET')
  if (status !== '200' && status !== '304') return tally.refuse('no page was shown (status)')
  if (OTHER_FILE.test(path)) return tally.refuse('not a page (image, style, download)')
  if (agent === 'bot') return tally.refuse('a bot, not a visitor')
  return path
}

/** A path that ends like a file, except those of pages. */
const OTHER_FILE = /\.(?!x?html?$|php$)[a-z0-9]{1,6}$/i
const HEADER = 'time\tvisitor\tmethod\tpath\tstatus\tbytes\tagent'
/** Each page brings three slots, and each of these a handful of index entries on every node. */
const PAGES_MAX = 10_000
