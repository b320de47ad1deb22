/**
 * The floor under every way of passing messages in one thread: a ring of functions and their
 * arguments, run by one loop. It leaves out all that makes an actor: a mailbox and a turn of its own,
 * fairness, failures, stopping, refs, and time for the rest of the process.
 */
export class Trampoline {
  #ring: unknown[] = Array.from({ length: 4_096 }, () => undefined)
  #mask = 4_095
  #head = 0
  #tail = 0
  #isRunning = false

  send<M>(to: (message: M) => void, message: M): void {
    const tail = this.#tail
    this.#ring[tail] = to
    this.#ring[tail + 1] = message
    this.#tail = (tail + 2) & this.#mask
    if (this.#tail === this.#head) this.#grow()
    if (!this.#isRunning) {
      this.#isRunning = true
      void Promise.resolve().then(() => this.#run())
    }
  }

  #run(): void {
    while (this.#head !== this.#tail) {
      const head = this.#head
      const to = this.#ring[head] as (message: unknown) => void
      const message = this.#ring[head + 1]
      this.#ring[head] = undefined
      this.#ring[head + 1] = undefined
      this.#head = (head + 2) & this.#mask
      to(message)
    }
    this.#isRunning = false
  }

  #grow(): void {
    const old = this.#ring
    const size = old.length
    const ring: unknown[] = Array.from({ length: size * 2 }, () => undefined)
    for (let i = 0; i < size; i++) ring[i] = old[(this.#head + i) & (size - 1)]
    this.#ring = ring
    this.#head = 0
    this.#tail = size
    this.#mask = size * 2 - 1
  }
}
