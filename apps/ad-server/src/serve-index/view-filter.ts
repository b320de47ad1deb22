import type { ServeView } from './serve-view.ts'

/** Which entries of the index an operation means. */
export type ViewFilter =
  | { readonly type: 'All' }
  | { readonly type: 'Creative'; readonly creativeId: string }
  /** Everything of a campaign, except the creatives to keep. */
  | { readonly type: 'Campaign'; readonly campaignId: string; readonly keep?: readonly string[] }
  | { readonly type: 'Advertiser'; readonly advertiserId: string }
  /** Everything but these creatives; none named means everything. */
  | { readonly type: 'AllExcept'; readonly creativeIds: ReadonlySet<string> }
  /** A price equal to the floor stays. */
  | { readonly type: 'BelowFloor'; readonly floorMicros: number }
  /** Landing pages on one of these domains or below it. */
  | { readonly type: 'Domains'; readonly domains: readonly string[] }
  | { readonly type: 'AdProductCategories'; readonly categories: ReadonlySet<string> }

export function matches(view: ServeView, filter: ViewFilter): boolean {
  switch (filter.type) {
    case 'All':
      return true
    case 'Creative':
      return view.creativeId === filter.creativeId
    case 'Campaign':
      return (
        view.campaignId === filter.campaignId && filter.keep?.includes(view.creativeId) !== true
      )
    case 'Advertiser':
      return view.advertiserId === filter.advertiserId
    case 'AllExcept':
      return !filter.creativeIds.has(view.creativeId)
    case 'BelowFloor':
      return view.cpmMicros < filter.floorMicros
    case 'Domains': {
      const host = landingDomainOf(view)
      return filter.domains.some((domain) => host === domain || host.endsWith(`.${domain}`))
    }
    case 'AdProductCategories':
      return view.adProductCategory !== undefined && filter.categories.has(view.adProductCategory)
    default:
      return filter satisfies never
  }
}

/** The host a creative leads to, in lower case; empty for a path on the same site. */
export function landingDomainOf(view: ServeView): string {
  return URL.canParse(view.landingUrl) ? new URL(view.landingUrl).hostname : ''
}
