import type { CampaignDirectory } from '../campaign/campaign-directory.ts'
import { spendOf } from '../campaign/campaign-record.ts'
import { defaultPacingSettings, type PacingSettings } from '../pacing/pacing.ts'
import type { ScenarioClock } from '../pacing/scenario-clock.ts'
import { SitePacing } from '../pacing/site-pacing.ts'
import { TrafficShape } from '../pacing/traffic-shape.ts'
import type { FlatIndex } from '../serve-index/flat-index.ts'

/**
 * The pacing gates of this node, one per site that is asked for.
 *
 * A gate paces the campaigns that have candidates on its site. Which these are and what they have
 * spent is brought up to date a few times a second, not per request.
 */
export class PacingGates {
  readonly #clock: ScenarioClock
  readonly #settings: PacingSettings
  readonly #gates = new Map<string, Gate>()
  #trafficByHour: readonly number[] | undefined
  #servingNodes = 1

  constructor(clock: ScenarioClock, settings: PacingSettings = defaultPacingSettings) {
    this.#clock = clock
    this.#settings = settings
  }

  /** Sites with a gate. */
  get size(): number {
    return this.#gates.size
  }

  /** Expected traffic by hour for gates made from now on; without it they learn it. */
  expect(trafficByHour: readonly number[] | undefined): void {
    this.#trafficByHour = trafficByHour
  }

  /** The gate of a site, made at first use. Only for sites that exist: gates are never dropped. */
  of(site: string): SitePacing {
    let gate = this.#gates.get(site)
    if (gate === undefined) {
      const pacing = new SitePacing(
        new TrafficShape(this.#trafficByHour),
        this.#clock,
        this.#settings,
      )
      pacing.servedBy(this.#servingNodes)
      gate = { pacing, revisions: new Map() }
      this.#gates.set(site, gate)
    }
    return gate.pacing
  }

  servedBy(nodes: number): void {
    if (nodes === this.#servingNodes) return
    this.#servingNodes = nodes
    for (const { pacing } of this.#gates.values()) pacing.servedBy(nodes)
  }

  /** Publishes what is new to each gate, and has it forget campaigns without candidates on its site. */
  refresh(index: FlatIndex, directory: CampaignDirectory): void {
    for (const [site, gate] of this.#gates) {
      const present = index.campaignsOf(site)
      for (const campaignId of present.keys()) {
        const record = directory.recordOf(campaignId)
        if (record === undefined || gate.revisions.get(campaignId) === record.revision) continue
        gate.revisions.set(campaignId, record.revision)
        gate.pacing.publish(spendOf(record))
      }
      for (const campaignId of gate.revisions.keys()) {
        if (present.has(campaignId)) continue
        gate.revisions.delete(campaignId)
        gate.pacing.forget(campaignId)
      }
    }
  }
}

interface Gate {
  readonly pacing: SitePacing
  /** What was published to the gate last, by campaign. */
  readonly revisions: Map<string, number>
}
