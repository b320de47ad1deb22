import type { EntityContext } from '@troupe/sharding'
import { type SimulatedNode, TestCluster, type TestClusterOptions } from '@troupe/testkit/cluster'
import type { CampaignRecord } from '../../apps/ad-server/src/campaign/campaign-record.ts'
import { Catalog } from '../../apps/ad-server/src/node/catalog.ts'
import { AdNode } from '../../apps/ad-server/src/node/ad-node.ts'
import { defaultPacingSettings } from '../../apps/ad-server/src/pacing/pacing.ts'
import { realTime, type ScenarioOrigin } from '../../apps/ad-server/src/pacing/scenario-clock.ts'
import type { Scenario, ScenarioCampaign } from '../../apps/ad-server/src/scenario.ts'
import type { Decision } from '../../apps/ad-server/src/serving/serve-path.ts'

/** A campaign of the scenario below: bids on sport, one creative of the usual size. */
export function campaignOf(name: string, more: Partial<ScenarioCampaign> = {}): ScenarioCampaign {
  return {
    campaignId: name,
    advertiserId: 'adv',
    status: 'Active',
    maxCpmMicros: 5_000_000,
    dailyBudgetMicros: 1_000_000_000,
    categories: ['sport'],
    siteAllowlist: [],
    creatives: [creativeOf(`${name}-1`)],
    ...more,
  }
}

export function creativeOf(creativeId: string): ScenarioCampaign['creatives'][number] {
  return {
    creativeId,
    assetUrl: `/assets/${creativeId}.svg`,
    mime: 'image/svg+xml',
    width: 300,
    height: 250,
    landingUrl: `https://${creativeId}.example/`,
    clickRate: 0.01,
  }
}

/** One site with one page of two slots, and the given campaigns. */
export function scenarioOf(...campaigns: readonly ScenarioCampaign[]): Scenario {
  const size = { width: 300, height: 250 }
  return {
    name: 'test',
    source: 'made up',
    campaigns,
    sites: [
      {
        siteId: 'site-1',
        floorCpmMicros: 1_000_000,
        pages: [
          {
            url: '/1',
            weight: 1,
            categoryScores: { sport: 0.8 },
            slots: [
              { slotId: 'top', ...size },
              { slotId: 'side', ...size },
            ],
          },
        ],
      },
    ],
  }
}

/** Serving nodes on a simulated cluster, gates open unless told otherwise. A node that is restarted serves again. */
export class AdCluster implements AsyncDisposable {
  readonly cluster: TestCluster
  readonly #nodes: Map<SimulatedNode, AdNode>

  private constructor(cluster: TestCluster, nodes: Map<SimulatedNode, AdNode>) {
    this.cluster = cluster
    this.#nodes = nodes
  }

  static async start(
    scenario: Scenario,
    options: TestClusterOptions & {
      readonly origin?: ScenarioOrigin
      readonly isPaced?: boolean
    } = {},
  ): Promise<AdCluster> {
    const nodes = new Map<SimulatedNode, AdNode>()
    const origin = options.origin ?? realTime
    const start = (node: SimulatedNode): void => {
      const pacing = {
        ...defaultPacingSettings,
        ...(options.isPaced === true ? {} : { fixedThrottle: 0 }),
      }
      nodes.set(node, AdNode.start(node.system, { origin, scenario, pacing }))
    }
    const cluster = await TestCluster.start({ ...options, start })
    return new AdCluster(cluster, nodes)
  }

  /** The serving node on the cluster's node number `i`. */
  at(i: number): AdNode {
    const node = this.cluster.nodes[i]
    const serving = node === undefined ? undefined : this.#nodes.get(node)
    if (serving === undefined) throw new Error(`there is no node ${i}`)
    return serving
  }

  /** Waits until every running node has an ad for the slot. */
  async isServed(slot: string = 'top'): Promise<void> {
    const running = this.cluster.nodes.flatMap((node, i) => (node.isRunning ? [i] : []))
    for (const i of running)
      await this.cluster.clock.until(
        () => shown(this.decide(i, slot)) !== undefined,
        '60s',
        `an ad on node ${i}`,
      )
  }

  decide(i: number, ...slots: readonly string[]): Decision {
    return this.at(i).decide({ site: 'site-1', slots: slots.length > 0 ? slots : ['top'] })
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.cluster[Symbol.asyncDispose]()
  }
}

/** The creative in the first place of an answer. */
export function shown(decision: Decision): string | undefined {
  return decision.type === 'Served' ? decision.ads[0]?.view.creativeId : undefined
}

/** What the campaign `shoes` publishes of itself. */
export function recordOf(more: Partial<CampaignRecord> = {}): CampaignRecord {
  return {
    campaignId: 'adv|shoes',
    advertiserId: 'adv',
    status: 'Active',
    epoch: 1,
    blockedCreatives: [],
    maxCpmMicros: 5_000_000,
    categories: ['sport'],
    siteAllowlist: [],
    creatives: 1,
    budgetMicros: 1,
    spentMicros: 0,
    outstandingMicros: 0,
    isExhausted: false,
    day: 0,
    dayStartMs: 0,
    dayEndMs: 1,
    revision: 1,
    ...more,
  }
}

/** An entity as sharding would start it. */
export const entityOf = (id: string): EntityContext => {
  return { id, typeName: 'test', shard: 1, epoch: 1, passivate: () => {} }
}

/** The scenario above, as a node knows it. */
export function catalogOf(...names: readonly string[]): Catalog {
  const catalog = new Catalog()
  catalog.load(scenarioOf(...names.map((name) => campaignOf(name))))
  return catalog
}
