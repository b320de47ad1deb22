import { AdServerError } from '../errors.ts'
import type { Scenario } from '../scenario.ts'
import { type AdvertiserFigures, campaignsOf, type Demand } from './campaigns.ts'
import { type Exchange, readExchange } from './exchange.ts'
import { RowTally } from './row-tally.ts'
import { sitesOf } from './sites.ts'
import type { TimeSeries } from './time-series.ts'
import type { Drive } from './traffic.ts'
import { readVolume, type RecordedVolume, VOLUME_MAX } from './volume.ts'
import { readWeblog } from './weblog.ts'

/** One recorded file: its path within the folder, and its text. */
export interface RecordedFile {
  readonly file: string
  readonly text: string
}

/** The recordings of one folder. */
export interface Recordings {
  readonly weblog: RecordedFile
  /** Volumes per 5 minutes: one or more. */
  readonly traffic: readonly RecordedFile[]
  /** Hourly figures of each ad exchange: one or more. */
  readonly exchanges: readonly {
    readonly id: string
    readonly cpm: RecordedFile
    readonly cpc: RecordedFile
  }[]
}

/**
 * A run driven by recordings: pages and the order of visits from the weblog, volume from the traffic
 * files, bids and click rates hour by hour from the ad exchanges. They are of different years: each is
 * repeated in whole weeks, so that weekday and hour always fit.
 *
 * Throws `REPLAY_UNREADABLE` when a file has no row that can be used.
 */
export function replayDrive(folder: string, recordings: Recordings, demand: Demand): Drive {
  const tallies = new Map<string, RowTally>()
  const withTally = ({ file, text }: RecordedFile) => {
    const tally = new RowTally(file)
    tallies.set(file, tally)
    return { text, tally }
  }
  const log = withTally(recordings.weblog)
  const weblog = readWeblog(log.text, log.tally)
  const traffic = readVolume(recordings.traffic.map(withTally))
  const exchanges = recordings.exchanges.map(({ id, cpm, cpc }) =>
    readExchange(id, withTally(cpm), withTally(cpc)),
  )
  const rows = [...tallies.values()].map((tally) => tally.counts())
  const useless = rows.find(({ used }) => used === 0)
  if (useless !== undefined) throw nothingUsable(folder, useless.file, useless.refused)
  const found = exchanges.filter((exchange) => exchange !== undefined)
  if (traffic === undefined) throw nothingUsable(folder, 'traffic', {})
  const { sites, places } = sitesOf(weblog.pages)
  const volumeByHour = hoursOf(traffic.volume, traffic.volume.firstMidnightMs)
  const scenarioOn = (at: number): Scenario => ({
    name: `replay of ${folder}`,
    source: `recordings in ${folder}`,
    campaigns: campaignsOf(
      found.map((exchange) => advertiserOn(exchange, at)),
      demand,
    ),
    sites,
    trafficByHour: volumeByHour,
  })
  const byAdvertiser = new Map(
    found.map(({ id, clickRate }) => [id, { clickRate, mean: clickRate.mean || 1 }]),
  )
  let visit = 0
  return {
    scenario: scenarioOn(traffic.volume.firstMidnightMs),
    scenarioOn,
    traffic: {
      startMs: traffic.volume.firstMidnightMs,
      volumeAt: (at) => traffic.volume.at(at),
      nextPage: () => {
        const page = weblog.visits[visit++ % weblog.visits.length] ?? 0
        return places[page] ?? { site: 0, page: 0 }
      },
      clickFactorAt: (advertiserId, at) => {
        const recorded = byAdvertiser.get(advertiserId)
        return recorded === undefined ? 1 : recorded.clickRate.at(at) / recorded.mean
      },
    },
    rows,
    remarks: remarksOn(traffic),
  }
}

function remarksOn({ volume, capped }: RecordedVolume): string[] {
  if (capped === 0) return []
  return [
    `traffic: the volume of ${capped} of ${volume.length} intervals is cut to ${VOLUME_MAX} times the mean`,
  ]
}

/** The exchange's bids on the day that contains `at`; its budget follows from its mean bid, the same every day. */
function advertiserOn({ id, cpmMicros, clickRate }: Exchange, at: number): AdvertiserFigures {
  return {
    advertiserId: id,
    cpmMicrosByHour: hoursOf(cpmMicros, at).map(Math.round),
    meanCpmMicros: cpmMicros.mean,
    clickRate: clickRate.mean,
  }
}

/** The 24 figures of a day, each at least a little more than nothing. */
function hoursOf(series: TimeSeries, at: number): number[] {
  const midnight = Math.floor(at / DAY_MS) * DAY_MS
  return Array.from({ length: 24 }, (_, hour) =>
    Math.max(Number.MIN_VALUE, series.at(midnight + hour * HOUR_MS)),
  )
}

function nothingUsable(
  folder: string,
  file: string,
  refused: Readonly<Record<string, number>>,
): AdServerError {
  const reasons = Object.entries(refused).map(([reason, count]) => `${count} rows: ${reason}`)
  const why = reasons.length === 0 ? 'it is empty' : reasons.join(', ')
  return new AdServerError(
    'REPLAY_UNREADABLE',
    `${folder}/${file} has no row that can be replayed (${why}); replace it, or start without --replay`,
  )
}

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
