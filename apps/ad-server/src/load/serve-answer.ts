import type { ServedAd } from '../node-protocol.ts'
import { isGoodPath } from './http-pool.ts'

/** The ads of an answer 200, or undefined when it is not what the protocol promises. */
export function adsOf(body: string): readonly ServedAd[] | undefined {
  let input: unknown
  try {
    input = JSON.parse(body)
  } catch {
    return undefined
  }
  const { ads } = (input ?? {}) as { readonly ads?: unknown }
  if (!Array.isArray(ads)) return undefined
  const shown = ads.filter((ad) => ad !== null)
  return shown.length > 0 && shown.every(isServedAd) ? shown : undefined
}

function isServedAd(input: unknown): input is ServedAd {
  if (typeof input !== 'object' || input === null) return false
  const ad = input as { readonly [Field in keyof ServedAd]?: unknown }
  const areTexts = [ad.slot, ad.campaignId, ad.creativeId, ad.assetUrl, ad.mime].every(
    (text) => typeof text === 'string',
  )
  const areFigures = [ad.width, ad.height].every((figure) => Number.isSafeInteger(figure))
  const areBeacons = [ad.impUrl, ad.clickUrl].every(
    (path) => typeof path === 'string' && isGoodPath(path),
  )
  return areTexts && areFigures && areBeacons
}
