export interface Seeds {
  readonly seeds: readonly number[]
  /** Print what happened. */
  readonly isTraced: boolean
  /** Play every seed twice, and fail when the second run takes other steps. */
  readonly isTwice: boolean
}

/**
 * Which seeds to run. `npm run simulate` sets TROUPE_SEED to run that one, TROUPE_SEEDS to run so many
 * (from TROUPE_SEED on, default 1), TROUPE_TRACE=1 to see what happened, and TROUPE_TWICE=1 to play each
 * twice. Without them: seeds 1 to `count`.
 */
export function seedsOf(env: Readonly<Record<string, string | undefined>>, count: number): Seeds {
  const first = wholeNumber(env, 'TROUPE_SEED')
  const many = wholeNumber(env, 'TROUPE_SEEDS') ?? (first === undefined ? count : 1)
  const seeds = Array.from({ length: many }, (_, i) => (first ?? 1) + i)
  return { seeds, isTraced: env['TROUPE_TRACE'] === '1', isTwice: env['TROUPE_TWICE'] === '1' }
}

function wholeNumber(
  env: Readonly<Record<string, string | undefined>>,
  name: string,
): number | undefined {
  const text = env[name]
  if (text === undefined || text === '') return undefined
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= 1) return value
  throw new RangeError(`${name} must be a whole number from 1 on, got ${JSON.stringify(text)}`)
}
