import type { Decision, ServedAd } from '../serving/serve-path.ts'
import type { BeaconTokens } from './beacon-token.ts'

/**
 * The body of a 200: one place per slot that was asked for, in order; null where nothing is shown.
 *
 * `{"site":"s","ads":[{"slot":"top","creativeId":…,"assetUrl":…,"mime":…,"width":…,"height":…,
 * "impUrl":…,"clickUrl":…,"cpmMicros":…},null]}`. `impUrl` is to be fetched when the ad was seen, and a
 * click goes to `clickUrl`, which leads on to the landing page.
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
  return JSON.stringify({ site: request.site, ads })
}

function placeOf(
  site: string,
  slot: string,
  ad: ServedAd,
  signing: Parameters<typeof adAnswer>[2],
): object {
  const { view, requestId, amountMicros, clearingCpmMicros } = ad
  const { creativeId, campaignId, landingUrl } = view
  const day = signing.dayOf(campaignId)
  const { impression, click } = signing.tokens.sign(
    { site, slot, creativeId, campaignId, requestId, amountMicros, day, landingUrl },
    signing.now,
  )
  return {
    slot,
    creativeId,
    campaignId,
    assetUrl: view.assetUrl,
    mime: view.mime,
    width: view.width,
    height: view.height,
    impUrl: `/v1/imp?t=${impression}`,
    clickUrl: `/v1/click?t=${click}`,
    cpmMicros: clearingCpmMicros,
  }
}
