import { describe, expect, it } from 'vitest'
import { adsOf } from './serve-answer.ts'

const AD = {
  slot: 'top',
  campaignId: 'desk-lamp',
  creativeId: 'desk-lamp-top-bold',
  version: 1,
  assetUrl: '/creatives/a.svg',
  mime: 'image/svg+xml',
  width: 728,
  height: 90,
  impUrl: '/v1/imp?t=1',
  clickUrl: '/v1/click?t=1',
}

describe('the ads of an answer', () => {
  it('are those of the slots that are filled', () => {
    expect(adsOf(JSON.stringify({ ads: [null, AD, null] }))).toEqual([AD])
  })

  it.each([
    ['no JSON', '<html>'],
    ['nothing', 'null'],
    ['no ads', '{}'],
    ['only empty slots: that is a 204', JSON.stringify({ ads: [null] })],
    ['an ad without a size', JSON.stringify({ ads: [{ ...AD, width: '728' }] })],
    ['a beacon on another host', JSON.stringify({ ads: [{ ...AD, impUrl: 'http://x/' }] })],
    ['a beacon with a line end', JSON.stringify({ ads: [{ ...AD, impUrl: '/a\r\nHost: x' }] })],
  ])('are refused: %s', (_, body) => {
    expect(adsOf(body)).toBeUndefined()
  })
})
