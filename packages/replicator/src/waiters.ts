/** Those who wait for a condition that is looked at now and then. Each is called at most once. */
export class Waiters {
  #all: Waiter[] = []

  /** Returns how to give up. */
  add(isReached: () => boolean, resolve: () => void): () => void {
    const waiter = { isReached, resolve }
    this.#all.push(waiter)
    return () => {
      this.#all = this.#all.filter((each) => each !== waiter)
    }
  }

  /** Calls those whose condition holds. */
  wake(): void {
    if (this.#all.length === 0) return
    const all = this.#all
    this.#all = []
    for (const each of all) {
      if (each.isReached()) each.resolve()
      else this.#all.push(each)
    }
  }
}

interface Waiter {
  readonly isReached: () => boolean
  readonly resolve: () => void
}
