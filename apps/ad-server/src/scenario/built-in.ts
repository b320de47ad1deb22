import type { Scenario } from '../scenario.ts'
import { type AdvertiserFigures, campaignsOf, type Demand } from './campaigns.ts'
import { EXCHANGES, PAGE_VIEWS, SOURCE, VOLUME_BY_HOUR } from './figures.ts'
import { sitesOf } from './sites.ts'
import type { Drive, PagePlace, Traffic } from './traffic.ts'

/** A small world of figures derived from recordings; needs no files and is the same everywhere. */
export function builtInDrive(demand: Demand): Drive {
  const { sites, places } = sitesOf(PAGE_VIEWS)
  const scenario: Scenario = {
    name: 'built-in',
    source: SOURCE,
    campaigns: campaignsOf(EXCHANGES.map(advertiserOf), demand),
    sites,
    trafficByHour: VOLUME_BY_HOUR.workday,
  }
  return { scenario, scenarioOn: () => scenario, traffic: trafficOf(places), rows: [], remarks: [] }
}

type ExchangeFigures = (typeof EXCHANGES)[number]

function advertiserOf({ id, cpmByHour, clickRateByHour }: ExchangeFigures): AdvertiserFigures {
  return {
    advertiserId: id,
    // Thousandths of a dollar in the table.
    cpmMicrosByHour: cpmByHour.map((cpm) => cpm * 1_000),
    meanCpmMicros: meanOf(cpmByHour) * 1_000,
    clickRate: meanOf(clickRateByHour) / 1_000_000,
  }
}

function trafficOf(places: readonly PagePlace[]): Traffic {
  const before = runningSums(PAGE_VIEWS.map((page) => page.views))
  const all = before.at(-1) ?? 0
  const clickFactors = new Map(
    EXCHANGES.map(({ id, clickRateByHour }) => {
      const mean = meanOf(clickRateByHour)
      return [id as string, clickRateByHour.map((rate) => rate / mean)]
    }),
  )
  return {
    startMs: MONDAY_MS,
    volumeAt: (at) => {
      const day = isWeekend(at) ? VOLUME_BY_HOUR.weekend : VOLUME_BY_HOUR.workday
      return day[hourOf(at)] ?? 1
    },
    nextPage: (draw) => {
      const page = before.findIndex((sum) => draw * all < sum)
      return places[page] ?? places[0] ?? { site: 0, page: 0 }
    },
    clickFactorAt: (advertiserId, at) => clickFactors.get(advertiserId)?.[hourOf(at)] ?? 1,
  }
}

function runningSums(figures: readonly number[]): number[] {
  let sum = 0
  return figures.map((figure) => (sum += figure))
}

function meanOf(figures: readonly number[]): number {
  return figures.reduce((sum, figure) => sum + figure, 0) / figures.length
}

function hourOf(at: number): number {
  return Math.floor(at / 3_600_000) % 24
}

function isWeekend(at: number): boolean {
  const weekday = new Date(at).getUTCDay()
  return weekday === 0 || weekday === 6
}

const MONDAY_MS = Date.UTC(2015, 2, 2)
