import { readLocal, writeLocal } from '@troupe/replicator'
import type { SimulatedNode } from '@troupe/testkit/cluster'
import { faults, type Simulation } from '@troupe/testkit/simulation'
import { expect } from 'vitest'
import type { SpendInfo } from '../../apps/ad-server/src/campaign/campaign-protocol.ts'
import { AdNode } from '../../apps/ad-server/src/node/ad-node.ts'
import { defaultPacingSettings } from '../../apps/ad-server/src/pacing/pacing.ts'
import { realTime } from '../../apps/ad-server/src/pacing/scenario-clock.ts'
import { campaignOf, scenarioOf } from '../apps/ad-server-cluster.ts'

export interface BudgetOptions {
  /** The planted bug: what a campaign promises is stored on its own node only. */
  readonly storesLocally?: boolean
}

/** Pays 6,000 impressions at the floor: few enough that the money runs out while things go wrong. */
const BUDGET_MICROS = 6_000_000
/** Of each node, 200 ms apart. */
const REQUESTS_PER_ROUND = 20
const PLAY = '40s'

/**
 * Every node serves all it can pay, while links break and nodes die. Whatever readers were shown on
 * whichever nodes, alive or dead, never costs more than the budget, and in the end the campaign knows of
 * at least as much as was shown.
 */
export async function budgetHolds(world: Simulation, options: BudgetOptions = {}): Promise<void> {
  const ads = await serveEverywhere(world, options)
  const plan = faults.plan(world.random('faults'), { nodes: world.nodes, duration: PLAY })
  await Promise.all([faults.play(world, plan), traffic(world, ads)])
  await settled(world, ads)
}

/**
 * The same while one node after the other is cut off for so long that the others declare it dead and
 * start its entities anew: for a while two owners believe that the budget is theirs.
 */
export async function budgetHoldsThroughIsolation(
  world: Simulation,
  options: BudgetOptions = {},
): Promise<void> {
  const ads = await serveEverywhere(world, options)
  const random = world.random('isolation')
  const isolations = async (): Promise<void> => {
    for (let i = 0; i < 2; i++) {
      const lonely = world.nodes[random.below(world.nodes.length)] as SimulatedNode
      const others = world.nodes.filter((node) => node !== lonely)
      lonely.supervise(2_000)
      await world.clock.advance(2_000 + random.below(4_000))
      const heal = world.network.partition(
        [lonely.name],
        others.map(({ name }) => name),
      )
      await world.clock.advance(8_000 + random.below(8_000))
      heal()
      await world.clock.until(() => world.cluster.isFormed(), '60s', 'all nodes together again')
    }
  }
  await Promise.all([isolations(), traffic(world, ads)])
  await settled(world, ads)
}

interface Ads {
  readonly serving: Map<SimulatedNode, AdNode>
  paidMicros: number
}

async function serveEverywhere(world: Simulation, options: BudgetOptions): Promise<Ads> {
  const serving = new Map<SimulatedNode, AdNode>()
  const scenario = scenarioOf(campaignOf('shoes', { dailyBudgetMicros: BUDGET_MICROS }))
  const pacing = { ...defaultPacingSettings, fixedThrottle: 0 }
  await world.onStart((node) => {
    const ad = AdNode.start(node.system, { origin: realTime, scenario, pacing })
    if (options.storesLocally === true) plantLocalStore(ad)
    serving.set(node, ad)
  })
  return { serving, paidMicros: 0 }
}

async function traffic(world: Simulation, ads: Ads): Promise<void> {
  for (let round = 0; round < 200; round++) {
    for (const node of world.nodes) {
      const ad = node.isStarted ? ads.serving.get(node) : undefined
      for (let i = 0; i < REQUESTS_PER_ROUND; i++) {
        const decision = ad?.decide({ site: 'site-1', slots: ['top'] })
        if (decision?.type === 'Served') ads.paidMicros += decision.ads[0]?.amountMicros ?? 0
      }
    }
    expect(ads.paidMicros).toBeLessThanOrEqual(BUDGET_MICROS)
    await world.clock.advance(200)
  }
}

async function settled(world: Simulation, ads: Ads): Promise<void> {
  await world.clock.until(() => world.cluster.isFormed(), '60s', 'all nodes together again')
  const [first] = world.nodes
  const campaign = ads.serving.get(first)?.campaigns.entityRef('adv|shoes')
  const info = await campaign?.ask<SpendInfo>((replyTo) => ({ type: 'GetSpendInfo', replyTo }), {
    timeoutMs: 30_000,
  })
  const knownMicros = (info?.spentMicros ?? 0) + (info?.outstandingMicros ?? 0)
  expect(ads.paidMicros).toBeGreaterThan(0)
  expect(knownMicros).toBeGreaterThanOrEqual(ads.paidMicros)
  expect(knownMicros).toBeLessThanOrEqual(BUDGET_MICROS)
}

function plantLocalStore({ data }: AdNode): void {
  const update = data.update.bind(data)
  const get = data.get.bind(data)
  data.update = (key, modify, options) =>
    update(key as never, modify as never, {
      ...options,
      consistency: writeLocal,
    }) as never
  data.get = (key, options) => get(key as never, { ...options, consistency: readLocal }) as never
}
