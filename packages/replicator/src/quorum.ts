export type QuorumEffect =
  | { readonly type: 'Send'; readonly to: string }
  | { readonly type: 'Done'; readonly outcome: 'Success' | 'Timeout' | 'Failure' }

/**
 * Follows one question to other replicas until enough have answered or its time is up.
 *
 * Everybody is asked at once: a write goes to all members anyway, and the fastest majority decides.
 * Who has not answered is asked again a few times, because links lose what is under way when they
 * break; asking twice does no harm. Answers are counted as a set of incarnations, so that a repeated
 * answer never makes a majority. Emits `Done` exactly once.
 */
export class Quorum {
  readonly #others: readonly string[]
  readonly #needed: number
  readonly #answered = new Set<string>()
  readonly #refused = new Set<string>()
  #isDone = false

  /** `others`: all replicas but ours, by node key. `needed`: how many of them have to answer. */
  constructor(others: readonly string[], needed: number) {
    this.#others = others
    this.#needed = needed
  }

  start(): readonly QuorumEffect[] {
    if (this.#needed === 0) return this.#done('Success')
    const asked = this.#others.map((to): QuorumEffect => ({ type: 'Send', to }))
    return this.#needed > this.#others.length ? [...asked, ...this.#done('Failure')] : asked
  }

  answered(by: string): readonly QuorumEffect[] {
    if (this.#isDone || !this.#others.includes(by) || this.#refused.has(by)) return []
    this.#answered.add(by)
    return this.#answered.size >= this.#needed ? this.#done('Success') : []
  }

  /** `by` cannot do it, or is gone with what it had: done as soon as the others are not enough. */
  refused(by: string): readonly QuorumEffect[] {
    if (this.#isDone || !this.#others.includes(by)) return []
    this.#answered.delete(by)
    this.#refused.add(by)
    return this.#others.length - this.#refused.size < this.#needed ? this.#done('Failure') : []
  }

  /** Asks again whoever has said nothing yet. */
  again(): readonly QuorumEffect[] {
    if (this.#isDone) return []
    return this.#others
      .filter((to) => !this.#answered.has(to) && !this.#refused.has(to))
      .map((to) => ({ type: 'Send', to }))
  }

  timedOut(): readonly QuorumEffect[] {
    return this.#isDone ? [] : this.#done('Timeout')
  }

  #done(outcome: 'Success' | 'Timeout' | 'Failure'): readonly QuorumEffect[] {
    this.#isDone = true
    return [{ type: 'Done', outcome }]
  }
}
