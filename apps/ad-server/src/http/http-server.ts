import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { HttpAnswer } from './ad-http.ts'
import type { RequestHead } from './http-router.ts'

/**
 * The socket side of the ad server: takes requests off the wire, hands their heads to `answer`, and
 * writes what comes back. Bounds everything a client can make it hold: header bytes, time to send a
 * request, idle connections, connections in all. A request that is not HTTP gets a 400 and its
 * connection is closed; no request ever gets a 5xx for what it contains.
 */
export class HttpServer {
  readonly #server: Server
  readonly port: number

  private constructor(server: Server) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
  }

  /** Starts listening; rejects with the system's error (EADDRINUSE, …) when it cannot. */
  static async start(
    listen: { readonly host: string; readonly port: number },
    handlers: HttpHandlers,
  ): Promise<HttpServer> {
    const server = createServer(
      {
        maxHeaderSize: HEADER_BYTES_MAX,
        headersTimeout: 5_000,
        requestTimeout: 10_000,
        keepAliveTimeout: 65_000,
        connectionsCheckingInterval: 2_000,
        noDelay: true,
      },
      (request, response) => answerTo(request, response, handlers),
    )
    server.maxConnections = CONNECTIONS_MAX
    server.on('drop', () => handlers.dropped())
    server.on('clientError', (error, socket) => refuse(error, socket as Socket, handlers))
    server.on('checkExpectation', (request, response: ServerResponse) => {
      write(response, handlers.refused(417, 'no expectations are met here'), request)
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(listen.port, listen.host, () => {
        server.off('error', reject)
        resolve()
      })
    })
    return new HttpServer(server)
  }

  /** Takes no new connections, lets requests under way be answered, and closes idle ones. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeIdleConnections()
    const busy = globalThis.setTimeout(() => this.#server.closeAllConnections(), STOP_GRACE_MS)
    await closed
    globalThis.clearTimeout(busy)
  }
}

export interface HttpHandlers {
  /** Answers one request, at once. */
  answer(head: RequestHead): HttpAnswer
  /** Counts and words the answer to something that never became a request. */
  refused(status: number, reason: string): HttpAnswer
  /** A connection was closed unanswered: there are too many. */
  dropped(): void
  /** The last byte of an answer was handed to the host, `ms` after its request was read. */
  handled(ms: number): void
}

function answerTo(
  request: IncomingMessage,
  response: ServerResponse,
  handlers: HttpHandlers,
): void {
  const startedAt = performance.now()
  response.on('finish', () => handlers.handled(performance.now() - startedAt))
  const answer = handlers.answer({
    method: request.method ?? '',
    target: request.url ?? '',
    httpVersion: request.httpVersion,
    rawHeaders: request.rawHeaders,
  })
  write(response, answer, request)
}

function write(response: ServerResponse, answer: HttpAnswer, request: IncomingMessage): void {
  const { status, headers, body } = answer
  // A body nobody reads would be taken for the next request of the connection. (`request.complete` is
  // still false here for every request, even those without a body.)
  const { 'content-length': length = '0', 'transfer-encoding': coding } = request.headers
  const isUnread = status === 413 || status === 417 || length !== '0' || coding !== undefined
  response.writeHead(status, {
    ...headers,
    ...(isUnread ? { connection: 'close' } : {}),
    ...(status === 204 ? {} : { 'content-length': Buffer.byteLength(body) }),
  })
  response.end(status === 204 || request.method === 'HEAD' ? undefined : body)
}

/** What the parser could not make a request of. */
function refuse(
  error: Error & { readonly code?: string },
  socket: Socket,
  handlers: HttpHandlers,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? 431
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? 408
        : 400
  const { body, headers } = handlers.refused(status, 'this is not a request we understand')
  const lines = Object.entries({
    ...headers,
    'content-length': String(Buffer.byteLength(body)),
    connection: 'close',
  })
  const head = lines.map(([name, value]) => `${name}: ${value}`).join('\r\n')
  socket.end(`HTTP/1.1 ${status} Refused\r\n${head}\r\n\r\n${body}`)
}

const HEADER_BYTES_MAX = 8 * 1_024
const CONNECTIONS_MAX = 2_000
const STOP_GRACE_MS = 2_000
