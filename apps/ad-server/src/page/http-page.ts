import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { performance } from 'node:perf_hooks'
import { portError } from '../launcher/http-ports.ts'
import { isGoodPath } from '../load/http-pool.ts'
import type { HttpAnswer } from '../load/response-parser.ts'
import type { Scenario } from '../scenario.ts'
import { creativeImage } from './creative-image.ts'
import { encodePageEvent, type PageEvent } from './page-event.ts'

export interface PageSettings {
  readonly scenario: Scenario
  readonly host: string
  readonly port: number
  /** Somebody asked for this very port: when it is taken that is an error, not a reason to take another. */
  readonly isPortAsked: boolean
  /** One request to a node: undefined when none answers. */
  readonly ask: (path: string) => Promise<HttpAnswer | undefined>
  /** Path and address of a page to show ads for. */
  readonly nextPage: () => {
    readonly path: string
    readonly url: string
    readonly slots: readonly string[]
  }
}

/**
 * The live page: static files, and the figures as server-sent events. For the machine it runs on only:
 * it binds to loopback, answers no other host name, and has nothing to configure.
 */
export class HttpPage {
  readonly #settings: PageSettings
  readonly #server: Server
  readonly #listeners = new Set<ServerResponse>()
  #latest: PageEvent | undefined
  #port = 0

  private constructor(settings: PageSettings) {
    this.#settings = settings
    this.#server = createServer((request, response) => {
      this.#handle(request, response).catch(() => response.destroy())
    })
  }

  /** Throws `PORT_UNUSABLE` when the port that was asked for is, or when a hundred ports in a row are taken. */
  static async start(settings: PageSettings): Promise<HttpPage> {
    const page = new HttpPage(settings)
    for (let port = settings.port; ; port++) {
      const fault = await page.#listen(port)
      if (fault === undefined) return page
      const isLast = settings.isPortAsked || port >= Math.min(65_535, settings.port + PORTS_TRIED)
      if (isLast) throw portError(port, '--page-port', fault)
    }
  }

  get port(): number {
    return this.#port
  }

  get url(): string {
    return `http://${this.#settings.host}:${this.#port}/`
  }

  /** Tells everybody who looks. */
  show(event: PageEvent): void {
    this.#latest = event
    const text = encodePageEvent(event)
    for (const listener of this.#listeners) {
      // A browser that does not read (a sleeping laptop) must not fill our memory.
      if (listener.writableLength > UNREAD_BYTES_MAX) listener.destroy()
      else listener.write(text)
    }
  }

  close(): Promise<void> {
    for (const listener of this.#listeners) listener.end()
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeAllConnections()
    })
  }

  #listen(port: number): Promise<Error | undefined> {
    return new Promise((resolve) => {
      const failed = (error: Error): void => resolve(error)
      this.#server.once('error', failed)
      this.#server.listen(port, this.#settings.host, () => {
        this.#server.off('error', failed)
        const address = this.#server.address()
        this.#port = typeof address === 'object' && address !== null ? address.port : port
        resolve(undefined)
      })
    })
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!isLocal(request.headers.host)) return refuse(response, 403, 'ask for 127.0.0.1')
    if (request.method !== 'GET') return refuse(response, 405, 'only GET')
    const url = new URL(request.url ?? '/', 'http://page')
    const file = FILES[url.pathname]
    if (file !== undefined) {
      const [name, type] = file
      return answer(response, type, await readFile(new URL(name, FOLDER)))
    }
    if (url.pathname === '/events') return this.#listenTo(response)
    if (url.pathname === '/ad') return this.#ad(response)
    if (url.pathname === '/beacon')
      return this.#beacon(response, url.searchParams.get('path') ?? '')
    if (url.pathname.startsWith('/creatives/')) return this.#creative(response, url.pathname)
    refuse(response, 404, 'no such page')
  }

  #listenTo(response: ServerResponse): void {
    if (this.#listeners.size >= LISTENERS_MAX) return refuse(response, 503, 'too many viewers')
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream' })
    response.write(
      `retry: 1000\n\n${this.#latest === undefined ? '' : encodePageEvent(this.#latest)}`,
    )
    this.#listeners.add(response)
    response.on('close', () => this.#listeners.delete(response))
  }

  /** One real request for a page's slots, on behalf of the browser. */
  async #ad(response: ServerResponse): Promise<void> {
    const { path, url, slots } = this.#settings.nextPage()
    const startedAt = performance.now()
    const answered = await this.#settings.ask(path)
    if (answered === undefined) return refuse(response, 502, 'no node answers')
    const tookMs = performance.now() - startedAt
    const none = slots.map(() => null)
    const { ads = none } =
      answered.status === 200 ? (JSON.parse(answered.body) as { readonly ads?: unknown[] }) : {}
    const reason = answered.headers.get('x-ad-reason') ?? ''
    const json = JSON.stringify({ status: answered.status, reason, url, ads, tookMs })
    answer(response, 'application/json', json)
  }

  async #beacon(response: ServerResponse, path: string): Promise<void> {
    if (!/^\/v1\/(?:imp|click)\?/.test(path) || !isGoodPath(path))
      return refuse(response, 400, 'not a beacon')
    const answered = await this.#settings.ask(path)
    const isCounted = answered !== undefined && answered.status < 400
    if (isCounted) response.writeHead(204, HEADERS).end()
    else refuse(response, 502, `the node said ${answered?.status ?? 'nothing'}`)
  }

  #creative(response: ServerResponse, path: string): void {
    for (const campaign of this.#settings.scenario.campaigns) {
      const creative = campaign.creatives.find(({ assetUrl }) => assetUrl === path)
      if (creative !== undefined)
        return answer(response, 'image/svg+xml', creativeImage(campaign, creative))
    }
    refuse(response, 404, 'no such creative')
  }
}

/** Another host name that leads here is a foreign page that reads along (DNS rebinding). */
function isLocal(host: string | undefined): boolean {
  return /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/.test(host ?? '')
}

function answer(response: ServerResponse, type: string, body: string | Uint8Array): void {
  response.writeHead(200, {
    ...HEADERS,
    'content-type': type,
    'content-length': Buffer.byteLength(body),
  })
  response.end(body)
}

function refuse(response: ServerResponse, status: number, why: string): void {
  response.writeHead(status, { ...HEADERS, 'content-type': 'text/plain' }).end(`${why}\n`)
}

const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'self'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
}

/** Beside src/ and dist/, so that both find it. */
const FOLDER = new URL('../../page/', import.meta.url)
const FILES: Readonly<Record<string, readonly [name: string, type: string]>> = {
  '/': ['index.html', 'text/html; charset=utf-8'],
  '/page.css': ['page.css', 'text/css; charset=utf-8'],
  '/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  '/icon.svg': ['icon.svg', 'image/svg+xml'],
}

const LISTENERS_MAX = 64
const UNREAD_BYTES_MAX = 1_000_000
const PORTS_TRIED = 100
