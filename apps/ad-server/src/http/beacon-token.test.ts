import { describe, expect, it } from 'vitest'
import type { BeaconAd } from './beacon-token.ts'
import { BeaconTokens, TOKEN_TTL_MS } from './beacon-token.ts'

const NOW = 1_800_000_000_000
const ad: BeaconAd = {
  site: 'site-1',
  slot: 'top',
  creativeId: 'shoes-1',
  campaignId: 'shoes|spring',
  requestId: 'inc~1.7',
  amountMicros: 5_000,
  day: 20_000,
  landingUrl: 'https://shoes.example/?a=1&b=|',
}
const tokens = new BeaconTokens('the secret of this test')

describe('BeaconTokens', () => {
  it('carry the ad from the node that served it to any node with the secret', () => {
    const { impression, click } = tokens.sign(ad, NOW)
    const elsewhere = new BeaconTokens('the secret of this test')

    expect(elsewhere.verify('impression', impression, NOW + 1_000)).toEqual({
      type: 'Good',
      ad: { ...ad, issuedAtMs: NOW },
    })
    expect(elsewhere.verify('click', click, NOW)).toMatchObject({ type: 'Good' })
  })

  it('of one event are no good for another', () => {
    const { impression, click } = tokens.sign(ad, NOW)

    expect(tokens.verify('click', impression, NOW)).toEqual({ type: 'Forged' })
    expect(tokens.verify('impression', click, NOW)).toEqual({ type: 'Forged' })
  })

  it('of another cluster are no good here', () => {
    const { click } = new BeaconTokens('another secret, just as long').sign(ad, NOW)

    expect(tokens.verify('click', click, NOW)).toEqual({ type: 'Forged' })
  })

  it('expire, early and late', () => {
    const { click } = tokens.sign(ad, NOW)

    expect(
      [-TOKEN_TTL_MS - 1, -TOKEN_TTL_MS, TOKEN_TTL_MS, TOKEN_TTL_MS + 1].map(
        (ms) => tokens.verify('click', click, NOW + ms).type,
      ),
    ).toEqual(['Expired', 'Good', 'Good', 'Expired'])
  })

  it('are refused with any single character changed', () => {
    const { click } = tokens.sign(ad, NOW)
    for (let i = 0; i < click.length; i++) {
      const changed = click.slice(0, i) + (click[i] === 'A' ? 'B' : 'A') + click.slice(i + 1)
      expect(tokens.verify('click', changed, NOW).type).toBe('Forged')
    }
  })

  it.each(['', '.', 'a', 'a.b', `${'x'.repeat(4_000)}.y`, '{}.', '\u0000.\u0000', 'é.é'])(
    'refuse %j',
    (token) => {
      expect(tokens.verify('click', token, NOW)).toEqual({ type: 'Forged' })
    },
  )

  it('do not lead where no landing page may be, even when signed', () => {
    for (const landingUrl of [
      'javascript:alert(1)',
      '//evil.example/',
      'https://a\r\nset-cookie: x',
    ]) {
      const { click } = tokens.sign({ ...ad, landingUrl }, NOW)
      expect(tokens.verify('click', click, NOW).type).toBe('Forged')
    }
  })
})
