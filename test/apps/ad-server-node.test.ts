import { describe, expect, it, vi } from 'vitest'
import type { ActorRef } from '@troupe/actor'
import { LWWMapKey } from '@troupe/replicator'
import type { ReserveReply } from '../../apps/ad-server/src/budget/budget-protocol.ts'
import type {
  CampaignCommand,
  CampaignUpdated,
  SpendInfo,
} from '../../apps/ad-server/src/campaign/campaign-protocol.ts'
import type { RemoveReply } from '../../apps/ad-server/src/serve-index/serve-index-actor.ts'
import { bucketOf, mapKey } from '../../apps/ad-server/src/serve-index/serve-index.ts'
import { realTime } from '../../apps/ad-server/src/pacing/scenario-clock.ts'
import { AdCluster, campaignOf, creativeOf, scenarioOf, shown } from './ad-server-cluster.ts'

// Minutes of three nodes' virtual time take seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000 })

const ALL = [0, 1, 2] as const
const SHOES = 'adv|shoes'

function ask<Reply>(
  ads: AdCluster,
  i: number,
  campaignId: string,
  create: (replyTo: ActorRef<Reply>) => CampaignCommand,
  timeoutMs: number = 20_000,
): Promise<Reply> {
  const { campaigns } = ads.at(i)
  return ads.cluster.run(campaigns.entityRef(campaignId).ask<Reply>(create, { timeoutMs }))
}

const spendInfo = (ads: AdCluster, i: number = 0): Promise<SpendInfo> =>
  ask<SpendInfo>(ads, i, SHOES, (replyTo) => ({ type: 'GetSpendInfo', replyTo }))

function setStatus(
  ads: AdCluster,
  i: number,
  status: 'Active' | 'Paused',
): Promise<CampaignUpdated> {
  return ask(ads, i, SHOES, (replyTo) => ({ type: 'UpdateStatus', status, replyTo }))
}

function unassign(ads: AdCluster, i: number, ...creativeIds: string[]): Promise<CampaignUpdated> {
  return ask(ads, i, SHOES, (replyTo) => ({ type: 'UnassignCreatives', creativeIds, replyTo }))
}

describe('three nodes', () => {
  it('serve on every node what one auctioneer has put into the index', async () => {
    await using ads = await AdCluster.start(scenarioOf(campaignOf('shoes')))

    await ads.isServed()

    expect(ALL.map((i) => shown(ads.decide(i, 'side')))).toEqual(['shoes-1', 'shoes-1', 'shoes-1'])
    expect(ALL.map((i) => ads.at(i).flat.size)).toEqual([2, 2, 2])
    const homes = ALL.filter((i) => ads.at(i).auctioneers.state.entities > 0)
    expect(homes).toHaveLength(1)
  })

  it('agree byte for byte once nothing happens any more', async () => {
    await using ads = await AdCluster.start(scenarioOf(campaignOf('shoes'), campaignOf('hats')))
    await ads.isServed()
    await ads.cluster.clock.advance('20s')

    const digests = ALL.map((i) => ads.at(i).data.digest())

    expect(new Set(digests).size).toBe(1)
  })

  it('learn from each other how often a creative was shown and clicked', async () => {
    await using ads = await AdCluster.start(scenarioOf(campaignOf('shoes')))
    await ads.isServed()
    await ads.cluster.clock.advance('2s')
    const before = ads.at(2).countsOf('shoes-1').impressions
    for (let i = 0; i < 5; i++) ads.decide(0)
    const node = ads.at(1)
    const click = {
      site: 's',
      slot: 'top',
      creativeId: 'shoes-1',
      campaignId: SHOES,
      requestId: 'r',
    }
    node.beacon('click', { ...click, amountMicros: 1, day: 0, landingUrl: '/' }, node.moment())

    await ads.cluster.clock.advance('2s')

    expect(ads.at(2).countsOf('shoes-1')).toEqual({ impressions: before + 5, clicks: 1 })
  })

  it('give a node that starts again what it needs to serve', async () => {
    await using ads = await AdCluster.start(scenarioOf(campaignOf('shoes')))
    await ads.isServed()
    const [, , third] = ads.cluster.nodes

    await ads.cluster.run(third.restart())

    await ads.cluster.clock.until(
      () => shown(ads.decide(2)) === 'shoes-1',
      '60s',
      'an ad on the restarted node',
    )
  })

  it('go on serving on two when the third is lost, whoever lived there', async () => {
    for (const lost of ALL) {
      await using ads = await AdCluster.start(scenarioOf(campaignOf('shoes')))
      await ads.isServed()
      ads.cluster.nodes[lost]?.crash()

      await ads.cluster.clock.advance('3m')

      await ads.isServed()
      expect(ALL.filter((i) => ads.cluster.nodes[i]?.isRunning)).toHaveLength(2)
    }
  })
})

describe('a removed creative', () => {
  const two = campaignOf('shoes', { creatives: [creativeOf('shoes-1'), creativeOf('shoes-2')] })

  it('is not served by any node that confirmed the removal, and soon by none', async () => {
    await using ads = await AdCluster.start(scenarioOf(two))
    await ads.isServed()

    const reply = await unassign(ads, 0, 'shoes-1')

    expect(reply.type).toBe('CampaignUpdated')
    const stillServing = ALL.filter((i) =>
      Array.from({ length: 40 }, () => shown(ads.decide(i))).includes('shoes-1'),
    )
    expect(stillServing.length).toBeLessThanOrEqual(1)
    await ads.cluster.clock.advance('1s')
    for (const i of ALL)
      for (let n = 0; n < 40; n++) expect(shown(ads.decide(i))).not.toBe('shoes-1')
  })

  it('is not served again when a late auction puts it back into the index', async () => {
    await using ads = await AdCluster.start(scenarioOf(two))
    await ads.isServed()
    const late = ads
      .at(1)
      .flat.viewsOf('site-1|top')
      .find((view) => view.creativeId === 'shoes-1')
    await unassign(ads, 0, 'shoes-1')
    await ads.cluster.clock.advance('2s')
    expect(
      ads
        .at(2)
        .flat.viewsOf('site-1|top')
        .map((view) => view.creativeId),
    ).toEqual(['shoes-2'])

    if (late !== undefined)
      ads.at(1).index.tell({ type: 'Append', site: 'site-1', slot: 'top', candidate: late })
    await ads.cluster.clock.advance('1s')

    expect(ads.at(2).flat.viewsOf('site-1|top')).toHaveLength(2)
    for (const i of ALL) for (let n = 0; n < 40; n++) expect(shown(ads.decide(i))).toBe('shoes-2')
  })

  it('is out of the index of a majority when Remove is answered, and comes back only by being put again', async () => {
    await using ads = await AdCluster.start(scenarioOf(two))
    await ads.isServed()
    const { index } = ads.at(0)
    const remove = (replyTo: ActorRef<RemoveReply>): Parameters<typeof index.tell>[0] => {
      return {
        type: 'Remove',
        scope: { site: 'site-1' },
        filter: { type: 'Creative', creativeId: 'shoes-1' },
        replyTo,
      }
    }

    const reply = await ads.cluster.run(index.ask<RemoveReply>(remove, { timeoutMs: 10_000 }))

    expect(reply).toEqual({ type: 'Removed', entries: 2 })
    const holding = ALL.filter((i) =>
      ads
        .at(i)
        .flat.viewsOf('site-1|top')
        .some((view) => view.creativeId === 'shoes-1'),
    )
    expect(holding.length).toBeLessThanOrEqual(1)
  })

  it('is told to be unconfirmed when there is no majority, after six attempts in 5.8 seconds', async () => {
    await using ads = await AdCluster.start(scenarioOf(two))
    await ads.isServed()
    const [a, b, c] = ads.cluster.nodes
    ads.cluster.network.partition([a.name], [b.name, c.name])
    const { index } = ads.at(0)
    const startedAt = ads.cluster.clock.now

    const reply = await ads.cluster.run(
      index.ask<RemoveReply>(
        (replyTo) => ({ type: 'Remove', scope: {}, filter: { type: 'All' }, replyTo }),
        { timeoutMs: 10_000 },
      ),
    )

    expect(reply).toEqual({ type: 'RemoveFailed', attempts: 6 })
    expect(Math.round((ads.cluster.clock.now - startedAt) / 100)).toBe(58)
    expect(ads.at(0).flat.size).toBe(0)
  })
})

describe('a paused campaign', () => {
  it('is fenced: nothing of it is served, though its candidates return to the index', async () => {
    await using ads = await AdCluster.start(scenarioOf(campaignOf('shoes')))
    await ads.isServed()
    const late = ads.at(1).flat.viewsOf('site-1|top')[0]

    expect(await setStatus(ads, 0, 'Paused')).toEqual({ type: 'CampaignUpdated', epoch: 2 })

    await ads.cluster.clock.advance('1s')
    if (late !== undefined)
      ads.at(1).index.tell({ type: 'Append', site: 'site-1', slot: 'top', candidate: late })
    await ads.cluster.clock.advance('1s')
    expect(ads.at(0).flat.size).toBe(1)
    expect(ALL.map((i) => ads.decide(i))).toEqual(
      ALL.map(() => ({ type: 'NoContent', reason: 'noCandidates' })),
    )
  })

  it('returns what nodes hold of its budget, and is served again when it is resumed', async () => {
    await using ads = await AdCluster.start(scenarioOf(campaignOf('shoes')))
    await ads.isServed()
    await setStatus(ads, 0, 'Paused')
    await ads.cluster.clock.advance('3s')
    expect((await spendInfo(ads)).outstandingMicros).toBe(0)

    await setStatus(ads, 1, 'Active')

    await ads.isServed()
    expect(ads.at(2).flat.viewsOf('site-1|top')[0]?.campaignEpoch).toBe(2)
  })

  it('is ended by a scenario that no longer has it', async () => {
    await using ads = await AdCluster.start(scenarioOf(campaignOf('shoes'), campaignOf('hats')))
    await ads.isServed()
    for (const i of ALL) ads.at(i).load(scenarioOf(campaignOf('hats')))

    await ads.cluster.clock.advance('5s')

    expect(ads.at(0).directory.recordOf(SHOES)?.status).toBe('Ended')
    for (const i of ALL) for (let n = 0; n < 20; n++) expect(shown(ads.decide(i))).toBe('hats-1')
  })
})

describe('a budget', () => {
  /** Pays 100 impressions at the floor of a dollar. */
  const poor = campaignOf('shoes', { dailyBudgetMicros: 100_000 })

  it('pays on three nodes together all but less than one bid, and then the answer is 204 for lack of budget', async () => {
    await using ads = await AdCluster.start(scenarioOf(poor))
    await ads.isServed()
    let paidMicros = 3_000
    for (let round = 0; round < 200; round++) {
      for (const i of ALL) {
        const decision = ads.decide(i)
        if (decision.type === 'Served') paidMicros += decision.ads[0]?.amountMicros ?? 0
      }
      await ads.cluster.clock.advance('100ms')
    }

    // A rest that cannot pay the bid counts as nothing left.
    expect(paidMicros).toBeGreaterThan(100_000 - 5_000)
    expect(paidMicros).toBeLessThanOrEqual(100_000)
    expect(ALL.map((i) => ads.decide(i))).toEqual(
      ALL.map(() => ({ type: 'NoContent', reason: 'budget' })),
    )
    await ads.cluster.clock.advance('3s')
    expect(await spendInfo(ads)).toMatchObject({ spentMicros: paidMicros, outstandingMicros: 0 })
  })

  it('is never overspent when its owner is lost in the middle', async () => {
    for (const lost of ALL) {
      await using ads = await AdCluster.start(scenarioOf(poor))
      await ads.isServed()
      let paidMicros = 3_000
      for (let round = 0; round < 400; round++) {
        if (round === 20) ads.cluster.nodes[lost]?.crash()
        for (const i of ALL) {
          if (ads.cluster.nodes[i]?.isRunning !== true) continue
          const decision = ads.decide(i)
          if (decision.type === 'Served') paidMicros += decision.ads[0]?.amountMicros ?? 0
        }
        await ads.cluster.clock.advance('100ms')
      }

      expect(paidMicros).toBeLessThanOrEqual(100_000)
      expect(paidMicros).toBeGreaterThan(50_000)
      const survivor = lost === 0 ? 1 : 0
      const { spentMicros, outstandingMicros } = await spendInfo(ads, survivor)
      expect(spentMicros + outstandingMicros).toBeLessThanOrEqual(100_000)
      expect(spentMicros + outstandingMicros).toBeGreaterThanOrEqual(paidMicros)
    }
  })

  it('returns at midnight', async () => {
    const scenarioStartMs = Date.UTC(2026, 2, 2, 23, 59)
    const origin = { ...realTime, scenarioStartMs, realStartMs: (await startOfWorld()).wallMs }
    await using ads = await AdCluster.start(scenarioOf(poor), { origin })
    await ads.isServed()
    for (let round = 0; round < 100; round++) {
      for (const i of ALL) ads.decide(i)
      await ads.cluster.clock.advance('100ms')
    }
    expect(ads.decide(0)).toEqual({ type: 'NoContent', reason: 'budget' })

    await ads.cluster.clock.advance('1m')

    await ads.cluster.clock.until(
      () => shown(ads.decide(0)) === 'shoes-1',
      '10s',
      'an ad on the new day',
    )
  })

  it('pays a request by message once, whatever is repeated and whoever is lost', async () => {
    await using ads = await AdCluster.start(
      scenarioOf(campaignOf('shoes', { dailyBudgetMicros: 1_000_000, status: 'Paused' })),
    )
    const reserve = (i: number, requestId: string): Promise<ReserveReply> =>
      ask(ads, i, SHOES, (replyTo) => ({
        type: 'TryReserve',
        requestId,
        amountMicros: 5_000,
        replyTo,
      }))
    for (let i = 0; i < 200; i++) expect((await reserve(i % 3, `r${i}`)).type).toBe('Reserved')
    const owner = ALL.find((i) => ads.at(i).campaigns.state.entities > 0) ?? 0
    const asker = owner === 0 ? 1 : 0
    ads.cluster.nodes[owner]?.crash()
    await ads.cluster.clock.advance('2m')

    expect((await reserve(asker, 'r199')).type).toBe('Reserved')
    expect((await reserve(asker, 'new')).type).toBe('InsufficientBudget')
    expect((await spendInfo(ads, asker)).spentMicros).toBe(1_000_000)
  })
})

describe('expired candidates', () => {
  it('are swept from the replica of every node', async () => {
    // Two hours of the scenario, the life of a candidate, take twelve seconds.
    const origin = { ...realTime, speed: 600 }
    await using ads = await AdCluster.start(scenarioOf(campaignOf('shoes')), { origin })
    await ads.isServed()
    const [view] = ads.at(0).flat.viewsOf('site-1|top')
    await setStatus(ads, 0, 'Paused')
    await ads.cluster.clock.advance('2s')
    const heldBy = (i: number): number => {
      const key = LWWMapKey.create(mapKey('site-1|top', bucketOf('shoes-1')))
      return ads.at(i).data.read(key)?.size ?? 0
    }
    if (view !== undefined)
      ads.at(1).index.tell({ type: 'Append', site: 'site-1', slot: 'top', candidate: view })
    await ads.cluster.clock.advance('1s')
    expect(ALL.map(heldBy)).toEqual([1, 1, 1])

    await ads.cluster.clock.advance('14s')

    expect(ALL.map(heldBy)).toEqual([0, 0, 0])
    expect(ALL.map((i) => ads.at(i).flat.size)).toEqual([0, 0, 0])
  })
})

describe('the pacing gate', () => {
  it('holds three nodes together to what the day’s budget allows', async () => {
    // A dollar a day pays one impression in 86 seconds at the floor: 720 requests a minute must wait.
    const campaign = campaignOf('shoes', { dailyBudgetMicros: 1_000_000 })
    await using ads = await AdCluster.start(scenarioOf(campaign), { isPaced: true })
    const answers = new Map<string, number>()
    for (let round = 0; round < 600; round++) {
      for (const i of ALL) {
        const decision = ads.decide(i)
        const answer = decision.type === 'Served' ? 'served' : decision.reason
        answers.set(answer, (answers.get(answer) ?? 0) + 1)
      }
      await ads.cluster.clock.advance('250ms')
    }

    expect(answers.get('paced')).toBeGreaterThan(1_000)
  })
})

/** When virtual time begins, on the wall. */
async function startOfWorld(): Promise<{ readonly wallMs: number }> {
  await using ads = await AdCluster.start(scenarioOf(campaignOf('x')), { nodes: 1 })
  const { wallMs } = ads.at(0).moment()
  return { wallMs: wallMs - ads.cluster.clock.now }
}
