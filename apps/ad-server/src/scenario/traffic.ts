import type { Scenario } from '../scenario.ts'

/** A run's world and its visitors. */
export interface Drive {
  readonly scenario: Scenario
  /** The scenario as it is on the day that contains `scenarioMs`: recorded bids differ from day to day. */
  readonly scenarioOn: (scenarioMs: number) => Scenario
  readonly traffic: Traffic
  /** What became of each recorded row; empty when nothing was recorded. */
  readonly rows: readonly RowCounts[]
  /** What else people should know of how the recordings are used. */
  readonly remarks: readonly string[]
}

/** Who comes when, and who clicks. For the load driver; no node knows of it. */
export interface Traffic {
  /** The scenario's clock when a run begins, in milliseconds since 1970. Midnight: budgets are daily. */
  readonly startMs: number
  /** Page views at that moment, relative to the mean; >= 0. */
  readonly volumeAt: (scenarioMs: number) => number
  /** The page of the next view, by its places in the scenario. `draw`: a number in [0, 1). */
  readonly nextPage: (draw: number) => PagePlace
  /** Clicks on an advertiser's ads at that moment, relative to the creatives' own rates. */
  readonly clickFactorAt: (advertiserId: string, scenarioMs: number) => number
}

export interface PagePlace {
  readonly site: number
  readonly page: number
}

/** Every row of a recording is either used or refused: `read = used + sum of refused`. */
export interface RowCounts {
  readonly file: string
  readonly read: number
  readonly used: number
  readonly refused: Readonly<Record<string, number>>
}
