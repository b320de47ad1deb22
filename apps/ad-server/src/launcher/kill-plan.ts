import type { Random } from '../random.ts'

/**
 * When to kill which node: a random one every few seconds, and never a second one before the first is
 * back. A cluster of three that loses two at once has no majority; surviving that is not the point here.
 */
export class KillPlan {
  readonly #random: Random
  readonly #everyMs: number
  #nextAt: number
  #kills = 0

  constructor(random: Random, now: number, everyMs: number = KILL_EVERY_MS) {
    this.#random = random
    this.#everyMs = everyMs
    this.#nextAt = now + everyMs
  }

  get kills(): number {
    return this.#kills
  }

  /** Whom to kill now, if anybody. `isComplete`: every node is up, and all agree that it is. */
  next(names: readonly string[], isComplete: boolean, now: number): string | undefined {
    if (now < this.#nextAt || !isComplete) return undefined
    this.#nextAt = now + this.#everyMs
    this.#kills++
    return names[this.#random.below(names.length)]
  }
}

const KILL_EVERY_MS = 5_000
