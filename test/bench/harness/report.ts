import type { Measured } from './measure.ts'

/** One object a line; with several peers one line for each. */
export function jsonLines(suite: string, measured: Measured): string {
  const base = {
    suite,
    case: measured.name,
    value: rounded(measured.value),
    unit: measured.unit,
    ...(measured.ratioToRaw === undefined ? {} : { ratioToRaw: rounded(measured.ratioToRaw) }),
  }
  if (measured.peers.length === 0) return JSON.stringify(base)
  return measured.peers
    .map(({ name, ratio }) => JSON.stringify({ ...base, peer: name, ratioToPeer: rounded(ratio) }))
    .join('\n')
}

/** A table for people: one line a case, and below it one for each peer. */
export function table(suite: string, all: readonly Measured[]): string {
  const rows = [['case', 'ours', 'lowest to highest', 'raw', 'ours / raw', 'unit']]
  for (const measured of all) {
    const { name, value, range, raw, ratioToRaw, unit } = measured
    const spread = `${figure(range[0])} to ${figure(range[1])}`
    rows.push([name, figure(value), spread, figure(raw), ratioText(ratioToRaw), unit])
    for (const peer of measured.peers) {
      rows.push([`  beside ${peer.name}`, figure(peer.value), '', '', ratioText(peer.ratio), unit])
    }
    for (const peer of measured.missingPeers) rows.push([`  ${peer} is not installed: skipped`])
  }
  const widths = rows[0]?.map((_, i) =>
    Math.max(...rows.map((row) => (row.length === 1 ? 0 : (row[i] ?? '').length))),
  )
  const lines = rows.map((row) =>
    row
      .map((text, i) => {
        const width = widths?.[i] ?? 0
        return i === 0 || i === 5 ? text.padEnd(width) : text.padStart(width)
      })
      .join('  ')
      .trimEnd(),
  )
  return [`${suite}`, ...lines.map((line) => `  ${line}`), ''].join('\n')
}

function figure(value: number | undefined): string {
  return value === undefined ? '-' : rounded(value).toLocaleString('en')
}

function ratioText(ratio: number | undefined): string {
  return ratio === undefined ? '-' : `${rounded(ratio)} x`
}

function rounded(value: number): number {
  return Number(value.toPrecision(4))
}
