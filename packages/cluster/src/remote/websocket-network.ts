import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Link, LinkHandlers, Listener, Network } from '@troupe/actor'
import { WebSocket, WebSocketServer } from 'ws'
import { formatAddress } from '../node-address.ts'
import { FRAME_BYTES_MAX, HANDSHAKE_FRAME_BYTES_MAX, HANDSHAKE_FRAMES } from './protocol.ts'

/**
 * Links as WebSockets: one binary message per frame, no compression. The only file that knows `ws`.
 *
 * The server answers nothing but cluster links: a plain request gets 426, and so browsers, which
 * always send an Origin, get 403. Times are short, because who has not said what it wants within
 * seconds is not a node.
 */
export function webSocketNetwork(): Network {
  return {
    listen: (host, port, onLink) => listen(host, port, onLink),
    connect: (host, port, handlers) => connect(host, port, handlers),
  }
}

function listen(host: string, port: number, onLink: (link: Link) => void): Promise<Listener> {
  const server = createServer(
    { headersTimeout: 5_000, requestTimeout: 10_000, connectionsCheckingInterval: 1_000 },
    (_request, response) => {
      response.writeHead(426, { 'content-type': 'text/plain', connection: 'close' })
      response.end('This port speaks the Troupe cluster protocol over WebSocket.\n')
    },
  )
  server.maxConnections = CONNECTIONS_MAX
  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: HANDSHAKE_FRAME_BYTES_MAX,
    skipUTF8Validation: true,
    ...CLOSING,
    handleProtocols: (offered) => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  })
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy())
    const refusal = refusalOf(request)
    if (refusal !== undefined) {
      refuseUpgrade(socket, refusal)
      return
    }
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      onLink(new WebSocketLink(webSocket, remoteOf(request)))
      liftLimitAfterHandshake(webSocket)
    })
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      server.on('error', () => {})
      resolve({
        host,
        port: (server.address() as AddressInfo).port,
        close: () => closeServer(server, sockets),
      })
    })
  })
}

/**
 * A stranger can make us hold a handshake's worth of bytes, not a frame's worth. The limit is lifted
 * when the last frame of the handshake has been looked at and the link is still open. `ws` knows one
 * limit per socket and has no setter for it; a test over real sockets notices should its inside change.
 */
function liftLimitAfterHandshake(webSocket: WebSocket): void {
  let frames = 0
  const count = (): void => {
    if (++frames < HANDSHAKE_FRAMES || webSocket.readyState !== WebSocket.OPEN) return
    webSocket.off('message', count)
    const inside = webSocket as unknown as { readonly _receiver?: { _maxPayload: number } }
    if (inside._receiver !== undefined) inside._receiver._maxPayload = FRAME_BYTES_MAX
  }
  webSocket.on('message', count)
}

/** Why a request to open a link is turned away, as status and sentence. */
function refusalOf(request: IncomingMessage): readonly [status: string, text: string] | undefined {
  if (request.url !== PATH) return ['404 Not Found', `cluster links live at ${PATH}`]
  if (request.headers.origin !== undefined) return ['403 Forbidden', 'browsers are not nodes']
  const offered = request.headers['sec-websocket-protocol'] ?? ''
  if (!offered.split(',').some((each) => each.trim() === SUBPROTOCOL)) {
    return ['400 Bad Request', `subprotocol ${SUBPROTOCOL} expected`]
  }
  return undefined
}

function refuseUpgrade(socket: Duplex, [status, text]: readonly [string, string]): void {
  const length = Buffer.byteLength(text)
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: ${length}\r\n\r\n${text}`,
  )
}

function closeServer(server: Server, sockets: WebSocketServer): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    for (const client of sockets.clients) client.terminate()
    sockets.close()
    server.closeAllConnections()
  })
}

function connect(host: string, port: number, handlers: LinkHandlers): Link {
  const address = formatAddress(host, port)
  const webSocket = new WebSocket(`ws://${address}${PATH}`, SUBPROTOCOL, {
    perMessageDeflate: false,
    maxPayload: FRAME_BYTES_MAX,
    skipUTF8Validation: true,
    handshakeTimeout: 5_000,
    ...CLOSING,
  })
  const link = new WebSocketLink(webSocket, address)
  link.attach(handlers)
  return link
}

class WebSocketLink implements Link {
  readonly remote: string
  readonly #webSocket: WebSocket
  #handlers: LinkHandlers | undefined
  #isClosed = false
  readonly #written = (): void => this.#handlers?.onDrain()

  constructor(webSocket: WebSocket, remote: string) {
    this.#webSocket = webSocket
    this.remote = remote
    let failure: string | undefined
    webSocket.on('open', () => this.#handlers?.onOpen())
    webSocket.on('error', (error) => (failure = error.message))
    webSocket.on('message', (frame, isBinary) => {
      if (!isBinary) this.close(1003, 'binary frames only')
      else if (!this.#isClosed) this.#handlers?.onFrame(frame as Buffer)
    })
    webSocket.on('close', (code, reason) => {
      if (this.#isClosed) return
      this.#isClosed = true
      this.#handlers?.onClose(failure ?? (reason.toString('utf8') || `closed with code ${code}`))
    })
  }

  attach(handlers: LinkHandlers): void {
    this.#handlers = handlers
  }

  send(frame: Uint8Array): void {
    if (this.#isClosed || this.#webSocket.readyState !== WebSocket.OPEN) return
    this.#webSocket.send(frame, BINARY, this.#written)
  }

  get bufferedBytes(): number {
    return this.#webSocket.bufferedAmount
  }

  close(code: number, reason: string): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#handlers?.onClose(reason)
    this.#webSocket.close(code, reason.slice(0, REASON_MAX))
  }
}

function remoteOf(request: IncomingMessage): string {
  return formatAddress(request.socket.remoteAddress ?? 'unknown', request.socket.remotePort ?? 0)
}

const PATH = '/troupe'
const SUBPROTOCOL = 'troupe.v1'
const BINARY = { binary: true, compress: false }
const CONNECTIONS_MAX = 4_096
const REASON_MAX = 120
/** How long a peer may leave the closing handshake unanswered, in milliseconds. Newer than its type. */
const CLOSING: object = { closeTimeout: 2_000 }
