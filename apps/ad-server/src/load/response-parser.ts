/** One HTTP answer. */
export interface HttpAnswer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/**
 * Reads HTTP/1.1 answers from the bytes of one kept-alive connection, in order.
 *
 * The load driver sends thousands of requests a second from the process that also shows the summary:
 * a client that does no more than needed leaves the cores to the nodes. It understands bodies with a
 * length, chunked bodies, and answers that have none (204, 304); everything else is refused, because
 * a connection whose answers cannot be told apart is of no use.
 */
export class ResponseParser {
  readonly #onAnswer: (answer: HttpAnswer) => void
  #buffer = ''

  constructor(onAnswer: (answer: HttpAnswer) => void) {
    this.#onAnswer = onAnswer
  }

  /** True between two answers: a connection that ends here has lost nothing. */
  get isEmpty(): boolean {
    return this.#buffer === ''
  }

  /** `bytes`: one character per byte (latin1), so that lengths count bytes. Throws on nonsense. */
  push(bytes: string): void {
    this.#buffer += bytes
    if (this.#buffer.length > ANSWER_BYTES_MAX)
      throw new RangeError(`an HTTP answer is longer than ${ANSWER_BYTES_MAX} bytes`)
    while (this.#buffer !== '' && this.#takeOne());
  }

  #takeOne(): boolean {
    const headEnd = this.#buffer.indexOf('\r\n\r\n')
    if (headEnd < 0) return false
    const lines = this.#buffer.slice(0, headEnd).split('\r\n')
    const status = statusOf(lines[0] ?? '')
    const headers = headersOf(lines)
    const body = bodyOf(this.#buffer, headEnd + 4, status, headers)
    if (body === undefined) return false
    this.#buffer = this.#buffer.slice(body.end)
    this.#onAnswer({ status, headers, body: Buffer.from(body.bytes, 'latin1').toString('utf8') })
    return true
  }
}

function statusOf(line: string): number {
  const [, status] = /^HTTP\/1\.[01] ([2-5]\d\d)(?: |$)/.exec(line) ?? []
  if (status === undefined) throw new SyntaxError('not an HTTP/1.1 answer')
  return Number(status)
}

function headersOf(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>()
  for (const line of lines.slice(1)) {
    const colon = line.indexOf(':')
    if (colon < 1) throw new SyntaxError('an HTTP answer has a header without a name')
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())
  }
  return headers
}

interface Body {
  readonly bytes: string
  /** Where the next answer begins. */
  readonly end: number
}

/** Undefined while a part of it is still under way. */
function bodyOf(
  buffer: string,
  start: number,
  status: number,
  headers: ReadonlyMap<string, string>,
): Body | undefined {
  if (status === 204 || status === 304) return { bytes: '', end: start }
  if (headers.get('transfer-encoding')?.toLowerCase() === 'chunked')
    return chunkedBodyOf(buffer, start)
  const text = headers.get('content-length') ?? ''
  if (!/^\d{1,9}$/.test(text)) throw new SyntaxError('an HTTP answer does not say how long it is')
  const end = start + Number(text)
  return buffer.length < end ? undefined : { bytes: buffer.slice(start, end), end }
}

function chunkedBodyOf(buffer: string, start: number): Body | undefined {
  let bytes = ''
  for (let at = start; ;) {
    const lineEnd = buffer.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const [, digits] = /^([0-9a-f]{1,7})(?:;|$)/i.exec(buffer.slice(at, lineEnd)) ?? []
    if (digits === undefined) throw new SyntaxError('an HTTP answer has a chunk without a length')
    const chunkStart = lineEnd + 2
    const chunkEnd = chunkStart + Number.parseInt(digits, 16)
    if (buffer.length < chunkEnd + 2) return undefined
    if (chunkEnd === chunkStart) return { bytes, end: chunkEnd + 2 }
    bytes += buffer.slice(chunkStart, chunkEnd)
    at = chunkEnd + 2
  }
}

/** An ad is described in less than a kilobyte. */
const ANSWER_BYTES_MAX = 1_000_000
