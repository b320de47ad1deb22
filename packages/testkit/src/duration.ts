/** A span of time: milliseconds, or a number with its unit, such as `'150ms'`, `'10s'`, `'5m'`, `'2h'`. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h'}`

export function durationMs(duration: Duration): number {
  const ms = typeof duration === 'number' ? duration : parsed(duration)
  if (ms >= 0) return ms
  throw new RangeError(`expected a duration >= 0 like 150, '10s' or '5m', got ${duration}`)
}

function parsed(duration: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(duration)
  return Number(match?.[1]) * (UNITS_MS[match?.[2] ?? ''] ?? Number.NaN)
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }
