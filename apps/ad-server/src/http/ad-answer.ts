import type { ServeAnswer, ServedAd } from '../node-protocol.ts'
import type { Decision } from '../serving/serve-path.ts'
import type { BeaconTokens } from './beacon-token.ts'

/**
 * The body of a 200: a `ServeAnswer`. `impUrl` is to be fetched when the ad was seen, and a click goes to
 * `clickUrl`, which leads on to the landing page.
 */
export function adAnswer(
  request: { readonly site: string; readonly slots: readonly string[] },
  decision: Extract<Decision, { readonly type: 'Served' }>,
  signing: {
    readonly tokens: BeaconTokens
    readonly now: number
    dayOf(campaignId: string): number
  },
): string {
  const ads = decision.ads.map((ad, i) =>
    ad === undefined ? null : placeOf(request.site, request.slots[i] ?? '', ad, signing),
  )
  const answer: ServeAnswer = { site: request.site, ads }
  return JSON.stringify(answer)
}

type Chosen = NonNullable<Extract<Decision, { readonly type: 'Served' }>['ads'][number]>

function placeOf(
  site: string,
  slot: string,
  ad: Chosen,
  signing: Parameters<typeof adAnswer>[2],
): ServedAd {
  const { view, requestId, amountMicros, clearingCpmMicros } = ad
  const { creativeId, campaignId, landingUrl } = view
  const day = signing.dayOf(campaignId)
  const { impression, click } = signing.tokens.sign(
    { site, slot, creativeId, campaignId, requestId, amountMicros, day, landingUrl },
    signing.now,
  )
  return {
    slot,
    campaignId,
    creativeId,
    version: view.version,
    assetUrl: view.assetUrl,
    mime: view.mime,
    width: view.width,
    height: view.height,
    impUrl: `/v1/imp?t=${impression}`,
    clickUrl: `/v1/click?t=${click}`,
    cpmMicros: clearingCpmMicros,
  }
}
