import type { Random } from '../random.ts'

/**
 * When to kill which node: a random one every few seconds, and never before the last one is back and
 * all have been together for a while. A cluster of three that loses two at once has no majority, and
 * who never sees it whole cannot see that it recovers.
 */
export class KillPlan {
  readonly #random: Random
  readonly #everyMs: number
  readonly #calmMs: number
  #nextAt: number
  #completeSince: number | undefined
  #kills = 0

  constructor(
    random: Random,
    now: number,
    everyMs: number = KILL_EVERY_MS,
    calmMs: number = CALM_MS,
  ) {
    this.#random = random
    this.#everyMs = everyMs
    this.#calmMs = calmMs
    this.#nextAt = now + everyMs
  }

  get kills(): number {
    return this.#kills
  }

  /** Whom to kill now, if anybody. `isComplete`: every node is up, and all agree that it is. */
  next(names: readonly string[], isComplete: boolean, now: number): string | undefined {
    if (!isComplete) {
      this.#completeSince = undefined
      return undefined
    }
    this.#completeSince ??= now
    if (now < this.#nextAt || now - this.#completeSince < this.#calmMs) return undefined
    this.#nextAt = now + this.#everyMs
    this.#completeSince = undefined
    this.#kills++
    return names[this.#random.below(names.length)]
  }
}

const KILL_EVERY_MS = 5_000
const CALM_MS = 2_000
