import { rowsOf, type RowTally, timeOf } from './row-tally.ts'
import type { Sample } from './time-series.ts'

/**
 * Reads `timestamp,value`, one row a step. A value is a number >= 0. `check` may refuse a row for a
 * reason of its own; a row it accepts is used.
 */
export function readValueRows(
  text: string,
  stepMs: number,
  tally: RowTally,
  check: (sample: Sample) => string | undefined = () => undefined,
): Sample[] {
  const samples: Sample[] = []
  const steps = new Set<number>()
  for (const row of rowsOf(text, 'timestamp,value')) {
    const sample = sampleOf(row, tally)
    if (sample === undefined) continue
    const step = Math.floor(sample.at / stepMs)
    const fault = steps.has(step) ? 'a second row for the same time' : check(sample)
    if (fault !== undefined) {
      tally.refuse(fault)
      continue
    }
    steps.add(step)
    samples.push(sample)
    tally.use()
  }
  return samples
}

function sampleOf(row: string, tally: RowTally): Sample | undefined {
  const columns = row.split(',')
  const [time, value] = columns
  if (columns.length !== 2) return tally.refuse('not 2 columns')
  const at = timeOf(time ?? '')
  if (at === undefined) return tally.refuse('no time')
  if (!/^\d+(?:\.\d+)?(?:e-?\d+)?$/i.test(value ?? '')) return tally.refuse('no number >= 0')
  const number = Number(value)
  return Number.isFinite(number) ? { at, value: number } : tally.refuse('no number >= 0')
}
