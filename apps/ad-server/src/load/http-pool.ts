import { HttpConnection, type HttpOutcome, type HttpRequest } from './http-connection.ts'

/**
 * The connections to one node. A request takes an idle one, opens another, or waits in line; the most
 * recently used connection is taken first, so that a quiet pool shrinks by the server's own time-outs.
 */
export class HttpPool {
  readonly #target: { readonly host: string; readonly port: number }
  readonly #now: () => number
  readonly #all = new Set<HttpConnection>()
  readonly #idle: HttpConnection[] = []
  readonly #waiting: HttpRequest[] = []
  #isClosed = false

  /** `now`: a monotonic clock in milliseconds. */
  constructor(target: { readonly host: string; readonly port: number }, now: () => number) {
    this.#target = target
    this.#now = now
  }

  /** `path` must be good: see `isGoodPath`. */
  get(path: string, onOutcome: (outcome: HttpOutcome) => void): void {
    const request = { path, onOutcome, deadlineMs: this.#now() + ANSWER_WITHIN_MS }
    if (this.#isClosed) onOutcome({ type: 'Broken', reason: 'refused' })
    else this.#dispatch(request)
  }

  /** Gives up what has waited too long; to be called now and then. */
  breakLate(): void {
    const now = this.#now()
    for (const connection of this.#all) connection.breakWhenLate(now)
    while (this.#waiting[0] !== undefined && now > this.#waiting[0].deadlineMs)
      this.#waiting.shift()?.onOutcome({ type: 'Broken', reason: 'no answer in time' })
  }

  /** Breaks all requests that are under way. */
  close(): void {
    this.#isClosed = true
    for (const connection of this.#all) connection.close()
    for (const request of this.#waiting.splice(0))
      request.onOutcome({ type: 'Broken', reason: 'connection lost' })
  }

  #dispatch(request: HttpRequest): void {
    const idle = this.#idle.pop()
    if (idle !== undefined) return idle.send(request)
    if (this.#all.size >= CONNECTIONS_MAX) {
      this.#waiting.push(request)
      return
    }
    const connection = new HttpConnection(
      this.#target,
      (free) => this.#freed(free),
      (closed) => this.#closed(closed),
    )
    this.#all.add(connection)
    connection.send(request)
  }

  #freed(connection: HttpConnection): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#idle.push(connection)
    else connection.send(next)
  }

  #closed(connection: HttpConnection): void {
    this.#all.delete(connection)
    const at = this.#idle.indexOf(connection)
    if (at >= 0) this.#idle.splice(at, 1)
    const next = this.#isClosed ? undefined : this.#waiting.shift()
    if (next !== undefined) this.#dispatch(next)
  }
}

/** Paths come from nodes; one with a line end in it would smuggle a second request. */
export function isGoodPath(path: string): boolean {
  return path.length <= 8_192 && /^\/[\u0021-\u007e]*$/.test(path)
}

const CONNECTIONS_MAX = 32
/** A retry costs the nodes more than patience: a second request for an ad reserves a second time. */
const ANSWER_WITHIN_MS = 5_000
