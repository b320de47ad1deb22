import { describe, expect, it } from 'vitest'
import type { RequestHead, Route } from './http-router.ts'
import { routeOf, SLOTS_MAX, TARGET_LENGTH_MAX } from './http-router.ts'

function route(target: string, more: Partial<RequestHead> = {}): Route {
  return routeOf({
    method: 'GET',
    target,
    httpVersion: '1.1',
    rawHeaders: ['Host', 'ads.example'],
    ...more,
  })
}

describe('a good request', () => {
  it('names a site and its slots, in any order, with anything else besides', () => {
    expect(route('/v1/serve?slot=a&site=s%2D1&slot=b+c&cachebuster=7')).toEqual({
      type: 'Serve',
      site: 's-1',
      slots: ['a', 'b c'],
    })
  })

  it('may call the site pub, as publishers do', () => {
    expect(route('/v1/serve?pub=s&url=%2Fnews&slot=a')).toEqual({
      type: 'Serve',
      site: 's',
      slots: ['a'],
    })
  })

  it.each([
    ['/v1/imp?t=a.b', { type: 'Impression', token: 'a.b' }],
    ['/v1/click?x=1&t=a.b', { type: 'Click', token: 'a.b' }],
    ['/healthz', { type: 'Health' }],
    ['/readyz?verbose', { type: 'Ready' }],
  ])('%s', (target, expected) => {
    expect(route(target)).toEqual(expected)
  })

  it('may say that its body is empty', () => {
    expect(route('/healthz', { rawHeaders: ['Host', 'a', 'Content-Length', '0'] })).toEqual({
      type: 'Health',
    })
  })
})

describe('a wrong request', () => {
  const slots = Array.from({ length: SLOTS_MAX + 1 }, (_, i) => `&slot=s${i}`).join('')

  it.each([
    ['/v1/serve', 400, 'site is needed'],
    ['/v1/serve?site=s', 400, 'slot is needed'],
    ['/v1/serve?slot=a', 400, 'site is needed'],
    ['/v1/serve?site=s&site=t&slot=a', 400, 'site is needed, exactly once'],
    ['/v1/serve?site=s&pub=s&slot=a', 400, 'site is needed, exactly once'],
    ['/v1/serve?site=&slot=a', 400, 'site is empty'],
    ['/v1/serve?site=s&slot=', 400, 'slot is empty'],
    ['/v1/serve?site=s&slot=a&slot=a', 400, 'a slot is named twice'],
    [`/v1/serve?site=s${slots}`, 400, 'more than 20 slots'],
    ['/v1/serve?site=a|b&slot=a', 400, 'site contains a bar'],
    ['/v1/serve?site=a%00b&slot=a', 400, 'site contains control characters'],
    ['/v1/serve?site=s&slot=a%0d%0ax', 400, 'slot contains control characters'],
    ['/v1/serve?site=s&slot=%e2%80%aea', 400, 'slot contains direction marks'],
    ['/v1/serve?site=%zz&slot=a', 400, 'not well-formed'],
    ['/v1/serve?site=%ff&slot=a', 400, 'not well-formed'],
    ['/v1/serve?%&site=s&slot=a', 400, 'not well-formed'],
    [`/v1/serve?site=${'s'.repeat(129)}&slot=a`, 400, 'site is longer than 128'],
    [`/v1/serve?${'a&'.repeat(64)}site=s&slot=a`, 400, 'more than 64 parameters'],
    ['/v1/imp', 400, 't, the token'],
    ['/v1/click?t=a&t=b', 400, 't, the token'],
    ['/', 404, 'nothing here'],
    ['/v1/serve/', 404, 'nothing here'],
    ['/V1/serve', 404, 'nothing here'],
    ['/__proto__', 404, 'nothing here'],
    ['http://ads.example/v1/serve', 400, 'does not start with a slash'],
    ['*', 400, 'does not start with a slash'],
    [`/${'a'.repeat(TARGET_LENGTH_MAX)}`, 414, 'longer than'],
  ])('%s is refused', (target, status, reason) => {
    expect(route(target)).toMatchObject({
      type: 'Refused',
      status,
      reason: expect.stringContaining(reason),
    })
  })

  it.each(['POST', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'BREW'])(
    'with the method %s is refused',
    (method) => {
      expect(route('/v1/serve?site=s&slot=a', { method })).toMatchObject({ status: 405 })
    },
  )

  it.each([
    [['Host', 'a', 'host', 'b'], 400],
    [['Host', 'a', 'Content-Length', '5'], 413],
    [['Host', 'a', 'Transfer-Encoding', 'chunked'], 413],
  ])('with the headers %j is refused', (rawHeaders, status) => {
    expect(route('/healthz', { rawHeaders })).toMatchObject({ type: 'Refused', status })
  })

  it('of another protocol is refused', () => {
    expect(route('/healthz', { httpVersion: '2.0' })).toMatchObject({ status: 400 })
  })

  it('is never repeated in the answer', () => {
    const answer = JSON.stringify(route('/v1/serve?site=<script>|&slot=a'))

    expect(answer).not.toContain('script')
  })
})
