import type { Clock, Logger } from '@troupe/actor'

/**
 * Logs who was turned away, but not without end: whoever floods the port with links would else flood
 * the log as well. The first ten of each minute are written, the others counted into the next line.
 */
export class RefusalLog {
  readonly #log: Logger
  readonly #clock: Clock
  #minuteBegan = -MINUTE_MS
  #written = 0
  #unwritten = 0

  constructor(log: Logger, clock: Clock) {
    this.#log = log
    this.#clock = clock
  }

  refused(remote: string, reason: string): void {
    const now = this.#clock.monotonicMs()
    if (now - this.#minuteBegan >= MINUTE_MS) {
      this.#minuteBegan = now
      this.#written = 0
    }
    if (this.#written >= WRITTEN_MAX) {
      this.#unwritten++
      return
    }
    this.#written++
    const fields = { remote, reason }
    this.#log.warn(
      this.#unwritten === 0 ? fields : { ...fields, unwritten: this.#unwritten },
      'link refused',
    )
    this.#unwritten = 0
  }
}

const MINUTE_MS = 60_000
const WRITTEN_MAX = 10
