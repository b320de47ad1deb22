import { BetaSampler } from './beta-sampler.ts'
import type { Random } from '../random.ts'
import type { ScoreFormula } from './score-formula.ts'
import { powerScore } from './score-formula.ts'
import type { CreativeCounts, ServeView } from '../serve-index/serve-view.ts'

/**
 * Chooses between known earners and creatives nobody knows yet.
 *
 * Each candidate's click rate is drawn from what its counts allow: Beta(clicks + 1, misses + 1). The
 * highest `rate * weight of the price` wins. A creative with many impressions draws close to its true
 * rate, a new one draws wide and so wins now and then, until enough is known: exploration that ends by
 * itself. A creative without any impression draws around its category score instead.
 *
 * Invariant: after `draw`, positions 0 to count - 1 describe the candidates of that call. All room is
 * reused; one instance serves one node.
 */
export class ThompsonSampling {
  readonly #settings: SamplingSettings
  readonly #random: Random
  readonly #sampler: BetaSampler
  #scores = new Float64Array(64)
  #means = new Float64Array(64)
  #weights = new Float64Array(64)
  #count = 0

  constructor(random: Random, settings: SamplingSettings = defaultSamplingSettings) {
    this.#random = random
    this.#settings = settings
    this.#sampler = new BetaSampler(random)
  }

  /** Draws a score for each candidate. `counts` is asked once per candidate. */
  draw(candidates: readonly ServeView[], counts: CountsSource, now: number): void {
    const count = candidates.length
    if (count > this.#scores.length) this.#grow(count)
    this.#count = count
    for (let i = 0; i < count; i++) {
      const view = candidates[i]
      if (view === undefined) continue
      const seen = counts.countsOf(view.creativeId, now)
      const known = seen.impressions > 0 ? seen : (view.ctrStats ?? seen)
      const weight = this.#settings.formula.weightOf(view.cpmMicros)
      this.#weights[i] = weight
      this.#means[i] = meanRate(known, view.categoryScore)
      this.#scores[i] = this.#engagement(known, view.categoryScore) * weight
    }
  }

  /** Position of the best candidate not yet excluded, or -1. */
  best(): number {
    let best = -1
    let highest = EXCLUDED
    for (let i = 0; i < this.#count; i++) {
      const score = this.#scores[i] ?? EXCLUDED
      if (score > highest) {
        highest = score
        best = i
      }
    }
    return best
  }

  /** Takes a candidate out: its campaign could not pay. */
  exclude(position: number): void {
    this.#scores[position] = EXCLUDED
  }

  /** The click rate expected of a candidate, from its counts alone. */
  meanEngagement(position: number): number {
    return this.#means[position] ?? 0
  }

  /** The score expected of a candidate; 0 once it is excluded: who cannot pay sets no price. */
  meanScore(position: number): number {
    if ((this.#scores[position] ?? EXCLUDED) === EXCLUDED) return 0
    return (this.#means[position] ?? 0) * (this.#weights[position] ?? 0)
  }

  #engagement(known: CreativeCounts, categoryScore: number): number {
    const { coldSpread, newcomerBonus, newcomerImpressions } = this.#settings
    const { impressions, clicks } = known
    const bonus = newcomerBonus * Math.max(0, 1 - impressions / newcomerImpressions)
    if (impressions === 0) {
      const guess = categoryScore + (2 * this.#random.next() - 1) * coldSpread
      return Math.max(COLD_RATE_MIN, guess) + bonus
    }
    // A click may outlive its impression in the window: misses are never counted below zero.
    return this.#sampler.beta(clicks + 1, Math.max(0, impressions - clicks) + 1) + bonus
  }

  #grow(count: number): void {
    const room = 2 ** Math.ceil(Math.log2(count))
    this.#scores = new Float64Array(room)
    this.#means = new Float64Array(room)
    this.#weights = new Float64Array(room)
  }
}

/** Where the counts of a creative come from. The answer is read at once and not kept. */
export interface CountsSource {
  countsOf(creativeId: string, now: number): CreativeCounts
}

/** The click rate to expect: (clicks + 1) / (impressions + 2), or the category score while nothing is known. */
export function meanRate(known: CreativeCounts, categoryScore: number): number {
  if (known.impressions === 0) return categoryScore
  return (known.clicks + 1) / (Math.max(known.impressions, known.clicks) + 2)
}

export interface SamplingSettings {
  readonly formula: ScoreFormula
  /** How far a creative without impressions strays from its category score. Default 0.15. */
  readonly coldSpread: number
  /** Added to the rate of newcomers, fading to nothing at `newcomerImpressions`. Default 0, off. */
  readonly newcomerBonus: number
  readonly newcomerImpressions: number
}

export const defaultSamplingSettings: SamplingSettings = {
  formula: powerScore(0.5),
  coldSpread: 0.15,
  newcomerBonus: 0,
  newcomerImpressions: 50,
}

const COLD_RATE_MIN = 0.001
/** Below every score: scores are never negative. */
const EXCLUDED = -1
