import { encodeState, GCounter, type Replica } from '@troupe/crdt'

/**
 * The views one client has shown, counted by itself under its own name. Because they are a replicated
 * value of their own, they can be merged upstream at any time and any number of times: each view
 * counts once.
 */
export class OwnViews {
  readonly #replica: Replica
  readonly #counters = new Map<string, GCounter>()

  constructor(replica: Replica) {
    this.#replica = replica
  }

  add(adId: string): void {
    let counter = this.#counters.get(adId)
    if (counter === undefined) {
      counter = GCounter.create(this.#replica)
      this.#counters.set(adId, counter)
    }
    counter.increment()
  }

  /** Everything there is to merge upstream, by ad. */
  *states(): Generator<readonly [adId: string, state: Uint8Array]> {
    for (const [adId, counter] of this.#counters) yield [adId, encodeState(counter)]
  }
}
