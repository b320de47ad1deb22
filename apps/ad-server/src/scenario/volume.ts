import type { RowTally } from './row-tally.ts'
import { TimeSeries } from './time-series.ts'
import { readValueRows } from './value-rows.ts'

export interface RecordedVolume {
  /** With the mean 1. */
  readonly volume: TimeSeries
  /** Intervals whose volume was cut. */
  readonly capped: number
}

/**
 * Joins recorded volumes per 5 minutes into one shape with the mean 1.
 *
 * Each file counts the same, whatever its level: it is divided by its own mean. A recorded burst of a
 * hundred times the usual would measure the load generator and nothing else; `capped` says for how many
 * intervals the joint volume was cut to `VOLUME_MAX`. Undefined when a file has no usable row.
 */
export function readVolume(
  files: readonly { readonly text: string; readonly tally: RowTally }[],
): RecordedVolume | undefined {
  const all = files.map(({ text, tally }) => readValueRows(text, STEP_MS, tally))
  const [first] = all
  if (first === undefined || all.some((samples) => samples.length === 0)) return undefined
  const series = all.map((samples) => new TimeSeries(samples, STEP_MS))
  const means = series.map((each) => each.mean || 1)
  const longest = series.reduce((a, b) => (b.length > a.length ? b : a))
  let capped = 0
  const joint = longest.map((_, at) => {
    const sum = series.reduce((total, each, i) => total + each.at(at) / (means[i] ?? 1), 0)
    const value = sum / series.length
    if (value > VOLUME_MAX) capped++
    return Math.min(value, VOLUME_MAX)
  })
  const mean = joint.mean || 1
  return { volume: joint.map((value) => value / mean), capped }
}

/** Five times the mean: the busiest hour of an ordinary week has twice the mean. */
export const VOLUME_MAX = 5
const STEP_MS = 300_000
