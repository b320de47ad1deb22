import type { BenchCase, Contender } from './bench-case.ts'

/** One case measured: medians of all rounds, ratios as medians of the ratios within each round. */
export interface Measured {
  readonly name: string
  readonly unit: string
  readonly value: number
  /** Lowest and highest of ours: how steady the machine was. */
  readonly range: readonly [number, number]
  readonly raw: number | undefined
  readonly ratioToRaw: number | undefined
  readonly peers: readonly MeasuredPeer[]
  readonly missingPeers: readonly string[]
}

interface MeasuredPeer {
  readonly name: string
  readonly value: number
  readonly ratio: number
}

/**
 * Runs all contenders of a case in turn, round after round, so that whatever else the machine does
 * hits all of them alike. Warm-up rounds come first and do not count.
 */
export async function measure(
  benchCase: BenchCase,
  { rounds, warmUps }: { readonly rounds: number; readonly warmUps: number },
): Promise<Measured> {
  try {
    await benchCase.open?.()
    const { ours, raw } = benchCase
    const peers: { readonly name: string; readonly run: Contender }[] = []
    const missingPeers: string[] = []
    for (const { name, load } of benchCase.peers ?? []) {
      const run = load()
      if (run === undefined) missingPeers.push(name)
      else peers.push({ name, run })
    }
    const figures: { ours: number[]; raw: number[]; peers: number[][] } = {
      ours: [],
      raw: [],
      peers: peers.map(() => []),
    }
    for (let round = -warmUps; round < rounds; round++) {
      const rawValue = raw === undefined ? Number.NaN : await oneRound(raw)
      const value = await oneRound(ours)
      const peerValues: number[] = []
      for (const { run } of peers) peerValues.push(await oneRound(run))
      if (round < 0) continue
      figures.ours.push(value)
      figures.raw.push(rawValue)
      peerValues.forEach((each, i) => figures.peers[i]?.push(each))
    }
    return {
      name: benchCase.name,
      unit: benchCase.unit,
      value: median(figures.ours),
      range: [Math.min(...figures.ours), Math.max(...figures.ours)],
      raw: raw === undefined ? undefined : median(figures.raw),
      ratioToRaw: raw === undefined ? undefined : medianRatio(figures.ours, figures.raw),
      peers: peers.map(({ name }, i) => ({
        name,
        value: median(figures.peers[i] ?? []),
        ratio: medianRatio(figures.ours, figures.peers[i] ?? []),
      })),
      missingPeers,
    }
  } finally {
    await benchCase.close?.()
  }
}

async function oneRound(contender: Contender): Promise<number> {
  globalThis.gc?.()
  const value = await contender()
  if (!Number.isFinite(value) || value < 0) throw new Error(`a round measured ${value}`)
  return value
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

function medianRatio(values: readonly number[], bases: readonly number[]): number {
  return median(values.map((value, i) => value / (bases[i] ?? Number.NaN)))
}

/** Nanoseconds for each of `operations` that `work` does. */
export async function nsPer(operations: number, work: () => Promise<void> | void): Promise<number> {
  const startedAt = performance.now()
  await work()
  return ((performance.now() - startedAt) * 1e6) / operations
}

/** Ends the round with an error when something did not happen as often as it should have. */
export function verify(what: string, actual: unknown, expected: unknown): void {
  if (actual === expected) return
  throw new Error(
    `${what}: expected ${String(expected)}, got ${String(actual)}; nothing was measured`,
  )
}
