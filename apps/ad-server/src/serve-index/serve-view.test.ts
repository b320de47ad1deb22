import { describe, expect, it } from 'vitest'
import { parseCandidate, parseServeView } from './serve-view.ts'

const view = {
  creativeId: 'shoes-1',
  campaignId: 'shoes|spring',
  advertiserId: 'shoes',
  campaignEpoch: 3,
  assetUrl: '/assets/shoes-1.svg',
  mime: 'image/svg+xml',
  width: 300,
  height: 250,
  category: 'sport',
  cpmMicros: 5_000_000,
  floorMicros: 500_000,
  categoryScore: 0.5,
  classifiedAtMs: 1,
  landingUrl: 'https://shoes.example/',
  expiresAtMs: 7_200_000,
  version: 1,
}

describe('parseServeView', () => {
  it('takes a good view, and only the fields it knows', () => {
    const parsed = parseServeView({
      ...view,
      ctrStats: { impressions: 2, clicks: 1, x: 1 },
      extra: 1,
    })

    expect(parsed).toEqual({
      ok: true,
      value: { ...view, ctrStats: { impressions: 2, clicks: 1 } },
    })
  })

  it.each([
    ['creativeId', 'a|b', 'contains a bar'],
    ['campaignId', 'a|b|c', 'contains a bar'],
    ['advertiserId', 7, 'is not a text'],
    ['campaignEpoch', -1, 'is not a whole number'],
    ['assetUrl', 'javascript:alert(1)', 'is neither'],
    ['landingUrl', 'data:text/html,x', 'is neither'],
    ['mime', 'text/html; charset=x', 'is not a media type'],
    ['width', 0, 'is not between'],
    ['cpmMicros', 0.5, 'is not between'],
    ['floorMicros', 5_000_001, 'is not between'],
    ['categoryScore', 1.01, 'is not between'],
    ['ctrStats', { impressions: 1 }, 'is not a pair'],
    ['expiresAtMs', NaN, 'is not a time'],
    ['version', 1.5, 'is not a whole number'],
  ])('refuses %s = %j and names the field', (field, value, reason) => {
    expect(parseServeView({ ...view, [field]: value })).toMatchObject({
      ok: false,
      reason: expect.stringMatching(new RegExp(`^${field} ${reason}`)),
    })
  })

  it.each([[null], ['text'], [undefined]])('refuses %j as a whole', (input) => {
    expect(parseCandidate(input)).toMatchObject({ ok: false })
  })
})
