import { campaignEntityId } from '../campaign/campaign-record.ts'
import type { Scenario, ScenarioCampaign, ScenarioSite } from '../scenario.ts'
import { fnv1a32 } from '../serve-index/fnv-1a.ts'

/**
 * The scenario as this node knows it, by the ids of its entities.
 *
 * Every node has the whole scenario, so an entity finds what it starts from wherever it lives, also
 * after the node it lived on is gone.
 */
export class Catalog {
  readonly #listeners = new Set<() => void>()
  #campaigns: ReadonlyMap<string, CatalogCampaign> = new Map()
  #sites: ReadonlyMap<string, ScenarioSite> = new Map()
  #trafficByHour: readonly number[] | undefined

  get campaignIds(): Iterable<string> {
    return this.#campaigns.keys()
  }

  get siteIds(): Iterable<string> {
    return this.#sites.keys()
  }

  get trafficByHour(): readonly number[] | undefined {
    return this.#trafficByHour
  }

  /** By the id of the campaign's entity. */
  campaign(entityId: string): CatalogCampaign | undefined {
    return this.#campaigns.get(entityId)
  }

  site(siteId: string): ScenarioSite | undefined {
    return this.#sites.get(siteId)
  }

  hasSite(siteId: string): boolean {
    return this.#sites.has(siteId)
  }

  /** Replaces everything, and tells the listeners. `scenario` was checked. */
  load(scenario: Scenario): void {
    this.#campaigns = new Map(
      scenario.campaigns.map((campaign) => [
        campaignEntityId(campaign.advertiserId, campaign.campaignId),
        { campaign, hash: fnv1a32(JSON.stringify(campaign)) },
      ]),
    )
    this.#sites = new Map(scenario.sites.map((site) => [site.siteId, site]))
    this.#trafficByHour = scenario.trafficByHour
    for (const listener of this.#listeners) listener()
  }

  /** Calls `listener` after each load, until the returned function is called. */
  onLoad(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }
}

export interface CatalogCampaign {
  readonly campaign: ScenarioCampaign
  /** Changes with the campaign: tells a new configuration from the known one. */
  readonly hash: number
}
