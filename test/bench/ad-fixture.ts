import { Leases } from '../../apps/ad-server/src/budget/lease.ts'
import { CampaignDirectory } from '../../apps/ad-server/src/campaign/campaign-directory.ts'
import { realTime, ScenarioClock } from '../../apps/ad-server/src/pacing/scenario-clock.ts'
import { SeededRandom } from '../../apps/ad-server/src/random.ts'
import { CreativeStats } from '../../apps/ad-server/src/sampling/creative-stats.ts'
import { FlatIndex } from '../../apps/ad-server/src/serve-index/flat-index.ts'
import { bucketOf, mapKey, namespaceOf } from '../../apps/ad-server/src/serve-index/serve-index.ts'
import type { ServeView } from '../../apps/ad-server/src/serve-index/serve-view.ts'
import { PacingGates } from '../../apps/ad-server/src/serving/pacing-gates.ts'
import type { Moment } from '../../apps/ad-server/src/serving/serve-path.ts'
import { ServePath } from '../../apps/ad-server/src/serving/serve-path.ts'

const SLOTS_PER_SITE = 30
const CANDIDATES = 20
const CAMPAIGNS = 300
const HOUR = 3_600_000

/**
 * A serving node as it is after an hour of work: sites of 30 slots with 20 candidates each, of 300
 * campaigns that all have money, creatives with some history, a pacing gate for each site that is on plan.
 */
export class ServingFixture {
  readonly path: ServePath
  readonly requests: readonly { readonly site: string; readonly slots: readonly string[] }[]
  /** The same candidates for a decision written by hand. */
  readonly bySlot = new Map<string, ServeView[]>()
  readonly #startedAt = Date.now() - performance.now()

  constructor(sites: number) {
    const index = new FlatIndex()
    const directory = new CampaignDirectory()
    const leases = new Leases('bench')
    const stats = new CreativeStats()
    const gates = new PacingGates(new ScenarioClock(realTime))
    const random = new SeededRandom(42)
    const now = this.moment()
    for (let c = 0; c < CAMPAIGNS; c++) this.#fund(c, directory, leases, now)
    const knownSites = new Set<string>()
    for (let s = 0; s < sites; s++) {
      const site = `site-${s}`
      knownSites.add(site)
      for (let t = 0; t < SLOTS_PER_SITE; t++) {
        const views = this.#views(s * SLOTS_PER_SITE + t, random, now)
        const namespace = namespaceOf(site, `slot-${t}`)
        this.bySlot.set(namespace, views)
        for (const view of views)
          index.apply(mapKey(namespace, bucketOf(view.creativeId)), [view], [])
      }
    }
    for (let c = 0; c < CAMPAIGNS * 5; c++)
      for (let i = random.below(200); i > 0; i--) {
        stats.impression(`creative-${c}`, now.wallMs)
        if (i % 150 === 0) stats.click(`creative-${c}`, now.wallMs)
      }
    for (const site of knownSites) gates.of(site)
    gates.refresh(index, directory)
    const knowsSite = (site: string): boolean => knownSites.has(site)
    this.path = new ServePath({ index, directory, leases, stats, gates, random, knowsSite })
    this.requests = Array.from({ length: 10_000 }, () => {
      const first = random.below(SLOTS_PER_SITE - 2)
      const slots = [first, first + 1, first + 2].map((t) => `slot-${t}`)
      return { site: `site-${random.below(sites)}`, slots }
    })
  }

  moment(): Moment {
    const monotonicMs = performance.now()
    const wallMs = this.#startedAt + monotonicMs
    return { monotonicMs, wallMs, scenarioMs: wallMs }
  }

  #views(slot: number, random: SeededRandom, now: Moment): ServeView[] {
    return Array.from({ length: CANDIDATES }, (_, i) => {
      const campaign = (slot * 7 + i * 11) % CAMPAIGNS
      return {
        creativeId: `creative-${campaign * 5 + (slot % 5)}`,
        campaignId: `adv|${campaign}`,
        advertiserId: 'adv',
        campaignEpoch: 1,
        assetUrl: '/assets/creative.svg',
        mime: 'image/svg+xml',
        width: 300,
        height: 250,
        category: 'sport',
        cpmMicros: 1_000_000 + random.below(9_000_000),
        floorMicros: 500_000,
        categoryScore: 0.5,
        classifiedAtMs: now.scenarioMs - HOUR,
        landingUrl: 'https://landing.example/page',
        expiresAtMs: now.scenarioMs + 2 * HOUR,
        version: 1,
      }
    })
  }

  /** Money for longer than any bench runs, and a plan that does not make the gate refuse. */
  #fund(campaign: number, directory: CampaignDirectory, leases: Leases, now: Moment): void {
    const campaignId = `adv|${campaign}`
    leases.prepare(campaignId, 1_000, now.monotonicMs)
    for (const effect of leases.tick(now.monotonicMs)) {
      if (effect.type !== 'RequestLease') continue
      const { requestId } = effect
      const grant = { requestId, leaseId: `L${campaign}`, grantedMicros: 1e15, ttlMs: 1e12 }
      leases.granted(effect.campaignId, grant, now.monotonicMs)
    }
    directory.observe({
      campaignId,
      advertiserId: 'adv',
      status: 'Active',
      epoch: 1,
      blockedCreatives: [],
      maxCpmMicros: 5_000_000,
      categories: [],
      siteAllowlist: [],
      creatives: 5,
      budgetMicros: 1e15,
      spentMicros: 1e12,
      outstandingMicros: 0,
      isExhausted: false,
      day: 0,
      dayStartMs: now.scenarioMs - 12 * HOUR,
      dayEndMs: now.scenarioMs + 12 * HOUR,
      revision: 1,
    })
  }
}
