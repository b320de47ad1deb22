import { CPM_MICROS_MAX, CPM_MICROS_MIN, microsOfDollars } from '../money.ts'
import type { RowTally } from './row-tally.ts'
import { TimeSeries } from './time-series.ts'
import { readValueRows } from './value-rows.ts'

/** What one ad exchange paid and how often its ads were clicked, hour by hour. */
export interface Exchange {
  /** Names the advertiser: `exchange-2`. */
  readonly id: string
  /** Price of 1,000 impressions, in micro-dollars. */
  readonly cpmMicros: TimeSeries
  /** Share of impressions that were clicked. */
  readonly clickRate: TimeSeries
}

/**
 * Reads the hourly prices of 1,000 impressions and of a click. The click rate of an hour follows from
 * both: CPM / (1000 x CPC). Undefined when no row of one of the files can be used.
 */
export function readExchange(
  id: string,
  cpm: { readonly text: string; readonly tally: RowTally },
  cpc: { readonly text: string; readonly tally: RowTally },
): Exchange | undefined {
  const prices = readValueRows(cpm.text, HOUR_MS, cpm.tally, ({ value }) => {
    if (microsOfDollars(value) < CPM_MICROS_MIN) return 'cheaper than a tenth of a cent'
    return microsOfDollars(value) > CPM_MICROS_MAX ? 'dearer than 1000 dollars' : undefined
  })
  const cpmOfHour = new Map(prices.map(({ at, value }) => [hourOf(at), value]))
  const rateOf = (at: number, cpc: number) => (cpmOfHour.get(hourOf(at)) ?? NaN) / (1_000 * cpc)
  const perClick = readValueRows(cpc.text, HOUR_MS, cpc.tally, ({ at, value }) => {
    if (!cpmOfHour.has(hourOf(at))) return 'no price of impressions for this hour'
    return rateOf(at, value) <= 1 ? undefined : 'more clicks than impressions'
  })
  if (prices.length === 0 || perClick.length === 0) return undefined
  const bids = prices.map(({ at, value }) => ({ at, value: microsOfDollars(value) }))
  const rates = perClick.map(({ at, value }) => ({ at, value: rateOf(at, value) }))
  return {
    id,
    cpmMicros: new TimeSeries(bids, HOUR_MS),
    clickRate: new TimeSeries(rates, HOUR_MS),
  }
}

function hourOf(at: number): number {
  return Math.floor(at / HOUR_MS)
}

const HOUR_MS = 3_600_000
