/**
 * Answers wait here until what they promise is stored.
 *
 * Storing takes a round trip, and meanwhile the next requests come in: one commit stores all that
 * happened before it began, and releases all answers that waited for it. A commit that is not confirmed
 * confirms nothing; its answers wait for the next, which stores the same and more.
 *
 * Invariants: at most one commit is under way; an answer is released only by a commit that began after
 * it was held.
 */
export class CommitQueue<A> {
  readonly #heldMax: number
  #held: A[] = []
  #committing: A[] | undefined
  #isDirty = false

  /** `heldMax`: most answers that wait. Beyond it the oldest are forgotten: who asked will ask again. */
  constructor(heldMax: number = 10_000) {
    this.#heldMax = heldMax
  }

  /** True when everything that happened is stored. */
  get isIdle(): boolean {
    return this.#committing === undefined && !this.#isDirty
  }

  /** Something changed that has to be stored; `answer`, if any, waits for it. */
  changed(answer?: A): void {
    this.#isDirty = true
    if (answer === undefined) return
    this.#held.push(answer)
    if (this.#held.length > this.#heldMax) this.#held.shift()
  }

  /** True when a commit should begin now: the caller takes the state of this moment and stores it. */
  begin(): boolean {
    if (this.#committing !== undefined || !this.#isDirty) return false
    this.#committing = this.#held
    this.#held = []
    this.#isDirty = false
    return true
  }

  /** The commit is confirmed. Returns the answers to send, in the order they were held. */
  confirmed(): readonly A[] {
    const released = this.#committing ?? []
    this.#committing = undefined
    return released
  }

  /** Nobody knows whether the commit is stored. */
  unconfirmed(): void {
    if (this.#committing === undefined) return
    this.#held.unshift(...this.#committing)
    this.#committing = undefined
    this.#isDirty = true
  }
}
