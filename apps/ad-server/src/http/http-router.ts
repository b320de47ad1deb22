import { identifierFault } from '../identifier.ts'

/**
 * What a request asks for, read from its line and headers: a pure function, so that every wrong
 * request has a test. Nothing of a request is trusted, and nothing of it is repeated in an answer.
 */
export interface RequestHead {
  readonly method: string
  /** The request target as it came. */
  readonly target: string
  readonly httpVersion: string
  /** Names and values by turns, as they came. */
  readonly rawHeaders: readonly string[]
}

export type Route =
  | { readonly type: 'Serve'; readonly site: string; readonly slots: readonly string[] }
  | { readonly type: 'Impression'; readonly token: string }
  | { readonly type: 'Click'; readonly token: string }
  | { readonly type: 'Health' }
  | { readonly type: 'Ready' }
  | Refusal

export interface Refusal {
  readonly type: 'Refused'
  readonly status: 400 | 404 | 405 | 413 | 414
  /** One sentence for people. */
  readonly reason: string
}

export function routeOf(head: RequestHead): Route {
  const fault = faultOf(head)
  if (fault !== undefined) return fault
  const { target } = head
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  const query = mark < 0 ? '' : target.slice(mark + 1)
  switch (path) {
    case '/v1/serve':
      return serveRoute(query)
    case '/v1/imp':
      return beaconRoute('Impression', query)
    case '/v1/click':
      return beaconRoute('Click', query)
    case '/healthz':
      return { type: 'Health' }
    case '/readyz':
      return { type: 'Ready' }
    default:
      return refused(404, 'there is nothing here; ads are at /v1/serve')
  }
}

function faultOf(head: RequestHead): Refusal | undefined {
  const { method, target, httpVersion, rawHeaders } = head
  if (target.length > TARGET_LENGTH_MAX)
    return refused(414, `the address is longer than ${TARGET_LENGTH_MAX} characters`)
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return refused(400, 'this is not HTTP/1.1')
  if (!target.startsWith('/')) return refused(400, 'the address does not start with a slash')
  let hosts = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase()
    const value = rawHeaders[i + 1] ?? ''
    if (name === 'host') hosts++
    const hasBody = name === 'transfer-encoding' || (name === 'content-length' && value !== '0')
    if (hasBody) return refused(413, 'requests have no body here')
  }
  if (hosts > 1) return refused(400, 'there is more than one Host header')
  return method === 'GET' ? undefined : refused(405, 'only GET is understood here')
}

function serveRoute(query: string): Route {
  const parsed = parseQuery(query)
  if (!(parsed instanceof Map)) return parsed
  const sites = [...(parsed.get('site') ?? []), ...(parsed.get('pub') ?? [])]
  const slots = parsed.get('slot') ?? []
  const [site] = sites
  if (site === undefined || sites.length > 1) return refused(400, 'site is needed, exactly once')
  if (slots.length === 0) return refused(400, 'slot is needed, once for each place on the page')
  if (slots.length > SLOTS_MAX) return refused(400, `there are more than ${SLOTS_MAX} slots`)
  if (new Set(slots).size < slots.length) return refused(400, 'a slot is named twice')
  for (const [what, text] of [['site', site], ...slots.map((slot) => ['slot', slot])] as const) {
    const fault = identifierFault(text ?? '')
    if (fault !== undefined) return refused(400, `${what} ${fault}`)
  }
  return { type: 'Serve', site, slots }
}

function beaconRoute(type: 'Impression' | 'Click', query: string): Route {
  const parsed = parseQuery(query)
  if (!(parsed instanceof Map)) return parsed
  const tokens = parsed.get('t') ?? []
  const [token] = tokens
  if (token === undefined || tokens.length > 1)
    return refused(400, 't, the token, is needed exactly once')
  return { type, token }
}

/** Values by name, in order. Other parameters than ours are allowed: pages add their own against caches. */
function parseQuery(query: string): Map<string, string[]> | Refusal {
  const values = new Map<string, string[]>()
  if (query === '') return values
  const pairs = query.split('&')
  if (pairs.length > PARAMETERS_MAX)
    return refused(400, `there are more than ${PARAMETERS_MAX} parameters`)
  for (const pair of pairs) {
    const equals = pair.indexOf('=')
    const name = decoded(equals < 0 ? pair : pair.slice(0, equals))
    const value = decoded(equals < 0 ? '' : pair.slice(equals + 1))
    if (name === undefined || value === undefined)
      return refused(
        400,
        'the parameters are not well-formed: a percent sign starts no valid character',
      )
    const list = values.get(name)
    if (list === undefined) values.set(name, [value])
    else list.push(value)
  }
  return values
}

function decoded(text: string): string | undefined {
  if (!/[%+]/.test(text)) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}

function refused(status: Refusal['status'], reason: string): Refusal {
  return { type: 'Refused', status, reason }
}

export const TARGET_LENGTH_MAX = 3_500
/** Most slots of one page. */
export const SLOTS_MAX = 20
const PARAMETERS_MAX = 64
