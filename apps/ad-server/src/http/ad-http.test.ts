import { describe, expect, it } from 'vitest'
import type { Decision, Moment } from '../serving/serve-path.ts'
import type { AdHttpNode, HttpAnswer } from './ad-http.ts'
import { AdHttp } from './ad-http.ts'
import type { BeaconAd } from './beacon-token.ts'
import { BeaconTokens, TOKEN_TTL_MS } from './beacon-token.ts'

const view = {
  creativeId: 'shoes-1',
  campaignId: 'shoes|spring',
  advertiserId: 'shoes',
  campaignEpoch: 1,
  assetUrl: '/assets/shoes-1.svg',
  mime: 'image/svg+xml',
  width: 300,
  height: 250,
  category: 'sport',
  cpmMicros: 5_000_000,
  floorMicros: 0,
  categoryScore: 0.5,
  classifiedAtMs: 0,
  landingUrl: 'https://shoes.example/frühling?a=%20',
  expiresAtMs: 1,
  version: 1,
}

/** A node that always decides the same, and remembers the beacons it got. */
class FakeNode implements AdHttpNode {
  isReady = true
  now = 1_000_000
  decision: Decision = {
    type: 'Served',
    ads: [
      { view, requestId: 'inc~1.1', clearingCpmMicros: 2_000_000, amountMicros: 2_000 },
      undefined,
    ],
  }
  readonly beacons: (readonly [string, BeaconAd])[] = []
  readonly failures: unknown[] = []
  fault: Error | undefined

  moment(): Moment {
    return { monotonicMs: this.now, wallMs: this.now, scenarioMs: this.now }
  }

  decide(): Decision {
    if (this.fault !== undefined) throw this.fault
    return this.decision
  }

  dayOf(): number {
    return 42
  }

  beacon(event: string, ad: BeaconAd): void {
    this.beacons.push([event, ad])
  }

  failed(error: unknown): void {
    this.failures.push(error)
  }
}

function fixture(): {
  node: FakeNode
  http: AdHttp
  get: (target: string, method?: string) => HttpAnswer
} {
  const node = new FakeNode()
  const http = new AdHttp(node, new BeaconTokens('the secret of this test'))
  const get = (target: string, method: string = 'GET'): HttpAnswer =>
    http.answer({ method, target, httpVersion: '1.1', rawHeaders: [] })
  return { node, http, get }
}

interface Place {
  readonly impUrl: string
  readonly clickUrl: string
}

function adIn(answer: HttpAnswer): Place {
  return (JSON.parse(answer.body) as { ads: [Place] }).ads[0]
}

describe('GET /v1/serve', () => {
  it('answers one place per slot, null where nothing is shown', () => {
    const { get } = fixture()

    const answer = get('/v1/serve?site=s&slot=top&slot=side')

    expect(answer.status).toBe(200)
    expect(JSON.parse(answer.body)).toMatchObject({
      site: 's',
      ads: [
        {
          slot: 'top',
          creativeId: 'shoes-1',
          assetUrl: '/assets/shoes-1.svg',
          cpmMicros: 2_000_000,
        },
        null,
      ],
    })
  })

  it('answers 500 and notes why when the decision itself fails, and goes on', () => {
    const { node, get, http } = fixture()
    node.fault = new Error('a bug')

    const answer = get('/v1/serve?site=s&slot=top')
    const [noted] = node.failures
    node.fault = undefined

    expect(answer.status).toBe(500)
    expect(answer.body).not.toContain('a bug')
    expect(noted).toMatchObject({ message: 'a bug' })
    expect(http.figures.httpErrors).toEqual({ '500': 1 })
    expect(get('/v1/serve?site=s&slot=top').status).toBe(200)
  })

  it('answers 204 with the reason when nothing is shown', () => {
    const { node, get, http } = fixture()
    node.decision = { type: 'NoContent', reason: 'paced' }

    expect(get('/v1/serve?site=s&slot=top')).toMatchObject({
      status: 204,
      body: '',
      headers: { 'x-ad-reason': 'paced' },
    })
    expect(http.figures).toMatchObject({ requests: 1, served: 0, noContent: { paced: 1 } })
  })

  it('tells what was wrong in JSON, and counts it by status', () => {
    const { get, http } = fixture()

    const answers = [
      get('/v1/serve?site=s'),
      get('/nowhere'),
      get('/v1/serve?site=s&slot=a', 'POST'),
    ]

    expect(answers.map(({ status }) => status)).toEqual([400, 404, 405])
    expect(answers[0]?.body).toBe('{"error":"slot is needed, once for each place on the page"}')
    expect(answers[2]?.headers['allow']).toBe('GET')
    expect(http.figures).toMatchObject({ requests: 0, httpErrors: { 400: 1, 404: 1, 405: 1 } })
  })

  it('counts every request once: served or not', () => {
    const { get, node, http } = fixture()
    get('/v1/serve?site=s&slot=top&slot=side')
    node.decision = { type: 'NoContent', reason: 'budget' }
    get('/v1/serve?site=s&slot=top')

    const { requests, served, ads, noContent, decisionMs } = http.figures
    expect({ requests, served, ads, noContent }).toEqual({
      requests: 2,
      served: 1,
      ads: 1,
      noContent: { budget: 1 },
    })
    expect(decisionMs).toEqual([[0, 2]])
  })
})

describe('beacons', () => {
  it('hand an impression on once, and refuse it the second time', () => {
    const { get, node, http } = fixture()
    const { impUrl } = adIn(get('/v1/serve?site=s&slot=top&slot=side'))

    expect([get(impUrl).status, get(impUrl).status]).toEqual([204, 409])
    expect(node.beacons).toMatchObject([
      [
        'impression',
        { requestId: 'inc~1.1', campaignId: 'shoes|spring', amountMicros: 2_000, day: 42 },
      ],
    ])
    expect(http.figures).toMatchObject({ impressions: 1, beaconsRefused: { replayed: 1 } })
  })

  it('lead a click to the landing page in its token', () => {
    const { get, node } = fixture()
    const { clickUrl } = adIn(get('/v1/serve?site=s&slot=top&slot=side'))

    const answer = get(`${clickUrl}&to=https://evil.example/`)

    expect(answer.status).toBe(302)
    expect(answer.headers['location']).toBe('https://shoes.example/fr%C3%BChling?a=%20')
    expect(node.beacons.map(([event]) => event)).toEqual(['click'])
  })

  it('are refused when forged, of the other kind, or too old', () => {
    const { get, node, http } = fixture()
    const { impUrl, clickUrl } = adIn(get('/v1/serve?site=s&slot=top&slot=side'))

    expect(get(impUrl.replace('/v1/imp', '/v1/click')).status).toBe(403)
    expect(get('/v1/click?t=abc.def').status).toBe(403)
    node.now += TOKEN_TTL_MS + 1_000
    expect(get(clickUrl).status).toBe(403)
    expect(node.beacons).toEqual([])
    expect(http.figures).toMatchObject({ clicks: 0, beaconsRefused: { forged: 2, expired: 1 } })
  })
})

describe('health', () => {
  it('is alive before it is ready', () => {
    const { get, node } = fixture()
    node.isReady = false

    expect([get('/healthz').status, get('/readyz').status]).toEqual([200, 503])
    node.isReady = true
    expect(get('/readyz').status).toBe(200)
  })
})
