import { connect, type Socket } from 'node:net'
import { type HttpAnswer, ResponseParser } from './response-parser.ts'

export type HttpOutcome =
  | { readonly type: 'Answered'; readonly answer: HttpAnswer }
  /** No answer, and nobody knows whether the request was handled. */
  | { readonly type: 'Broken'; readonly reason: BrokenReason }

export type BrokenReason = 'refused' | 'connection lost' | 'no answer in time' | 'not HTTP'

export interface HttpRequest {
  /** Path and query; must be free of spaces and line ends. */
  readonly path: string
  /** Called exactly once. */
  readonly onOutcome: (outcome: HttpOutcome) => void
  /** Monotonic; when it is later than this the connection is given up. */
  readonly deadlineMs: number
}

/** One kept-alive connection; one request at a time. */
export class HttpConnection {
  readonly #host: string
  readonly #socket: Socket
  readonly #onIdle: (connection: HttpConnection) => void
  readonly #onClosed: (connection: HttpConnection) => void
  #request: HttpRequest | undefined
  #isLast = false
  #reason: BrokenReason = 'connection lost'

  constructor(
    target: { readonly host: string; readonly port: number },
    onIdle: (connection: HttpConnection) => void,
    onClosed: (connection: HttpConnection) => void,
  ) {
    this.#host = `${target.host}:${target.port}`
    this.#onIdle = onIdle
    this.#onClosed = onClosed
    const parser = new ResponseParser((answer) => this.#answered(answer))
    this.#socket = connect({ ...target, noDelay: true })
    this.#socket.setEncoding('latin1')
    this.#socket.on('data', (bytes: string) => {
      try {
        parser.push(bytes)
      } catch {
        this.#break('not HTTP')
      }
    })
    this.#socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED') this.#reason = 'refused'
    })
    this.#socket.on('end', () => this.#socket.destroy())
    this.#socket.on('close', () => this.#closed())
  }

  /** Only for a connection that is idle or new. */
  send(request: HttpRequest): void {
    this.#request = request
    this.#socket.write(`GET ${request.path} HTTP/1.1\r\nHost: ${this.#host}\r\n\r\n`)
  }

  breakWhenLate(now: number): void {
    if (this.#request !== undefined && now > this.#request.deadlineMs)
      this.#break('no answer in time')
  }

  close(): void {
    this.#socket.destroy()
  }

  #answered(answer: HttpAnswer): void {
    const request = this.#request
    // Bytes nobody asked for: the answers can no longer be told apart.
    if (request === undefined) return this.#break('not HTTP')
    this.#request = undefined
    if (answer.headers.get('connection')?.toLowerCase() === 'close') this.#isLast = true
    request.onOutcome({ type: 'Answered', answer })
    if (this.#isLast) this.#socket.destroy()
    else this.#onIdle(this)
  }

  #break(reason: BrokenReason): void {
    this.#reason = reason
    this.#socket.destroy()
  }

  #closed(): void {
    this.#onClosed(this)
    const request = this.#request
    this.#request = undefined
    request?.onOutcome({ type: 'Broken', reason: this.#reason })
  }
}
