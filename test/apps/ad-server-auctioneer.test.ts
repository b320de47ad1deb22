import type { ActorRef } from '@troupe/actor'
import { ActorTestKit, type TestProbe } from '@troupe/testkit'
import { describe, expect, it } from 'vitest'
import {
  auctioneerEntity,
  type AuctioneerCommand,
} from '../../apps/ad-server/src/auction/auctioneer-entity.ts'
import { staggerMs } from '../../apps/ad-server/src/auction/stagger.ts'
import { Leases } from '../../apps/ad-server/src/budget/lease.ts'
import { CampaignDirectory } from '../../apps/ad-server/src/campaign/campaign-directory.ts'
import type {
  CampaignCommand,
  LeaseAnswer,
} from '../../apps/ad-server/src/campaign/campaign-protocol.ts'
import { servingActor } from '../../apps/ad-server/src/node/serving-actor.ts'
import { realTime, ScenarioClock } from '../../apps/ad-server/src/pacing/scenario-clock.ts'
import { FlatIndex } from '../../apps/ad-server/src/serve-index/flat-index.ts'
import type { ServeIndexCommand } from '../../apps/ad-server/src/serve-index/serve-index-actor.ts'
import { campaignOf, catalogOf, entityOf, recordOf } from './ad-server-cluster.ts'

const SHOES = 'adv|shoes'
const clock = new ScenarioClock(realTime)

describe('AuctioneerEntity', () => {
  interface Site {
    readonly kit: ActorTestKit
    readonly directory: CampaignDirectory
    readonly index: TestProbe<ServeIndexCommand>
    readonly campaign: TestProbe<CampaignCommand>
    readonly auctioneer: ActorRef<AuctioneerCommand>
  }

  async function site(kit: ActorTestKit): Promise<Site> {
    const directory = new CampaignDirectory()
    directory.observe(recordOf())
    const index = kit.createProbe<ServeIndexCommand>('index')
    const campaign = kit.createProbe<CampaignCommand>('campaign')
    const auctioneer = kit.spawn(
      auctioneerEntity(entityOf('site-1'), {
        catalog: catalogOf('shoes'),
        directory,
        index: index.ref,
        flat: new FlatIndex(),
        clock,
        campaign: () => campaign.ref,
      }),
    )
    await kit.settle()
    return { kit, directory, index, campaign, auctioneer }
  }

  async function bid({ campaign }: Site): Promise<void> {
    const request = await campaign.expectMessageType('CampaignBidRequest')
    request.replyTo.tell({
      type: 'CampaignBidResponse',
      campaignId: SHOES,
      advertiserId: 'adv',
      epoch: 1,
      bids: request.categories.map((category) => ({ category, cpmMicros: 5_000_000 })),
      rejections: [],
      creatives: campaignOf('shoes').creatives,
    })
  }

  it('auctions the pages of the scenario when it starts', async () => {
    await using kit = ActorTestKit.create()
    const each = await site(kit)

    await bid(each)

    const puts = await each.index.receiveMessages(2)
    expect(puts).toMatchObject([
      {
        type: 'Put',
        site: 'site-1',
        slot: 'top',
        candidates: [{ creativeId: 'shoes-1', cpmMicros: 5_000_000 }],
      },
      { type: 'Put', site: 'site-1', slot: 'side' },
    ])
  })

  it('auctions all fresh pages every five minutes, at the site’s own moment', async () => {
    await using kit = ActorTestKit.create()
    const each = await site(kit)
    await bid(each)
    await each.index.receiveMessages(2)
    await kit.clock.advance(staggerMs('site-1', 300_000) - 1)
    await each.campaign.expectNoMessage()

    await kit.clock.advance(1)
    await bid(each)
    await each.index.receiveMessages(2)
    await kit.clock.advance(300_000)
    await bid(each)

    await each.index.receiveMessages(2)
  })

  it('does without a campaign that does not answer within 550 ms', async () => {
    await using kit = ActorTestKit.create()
    const each = await site(kit)
    await each.campaign.expectMessageType('CampaignBidRequest')

    await kit.clock.advance(551)

    await each.index.expectNoMessage()
    // An auction without result is tried again after half a minute.
    await kit.clock.advance('30s')
    await bid(each)
    await each.index.receiveMessages(2)
  })

  it('removes a paused campaign and auctions once for several events within a second', async () => {
    await using kit = ActorTestKit.create()
    const each = await site(kit)
    await bid(each)
    await each.index.receiveMessages(2)

    each.directory.observe(recordOf({ status: 'Paused', epoch: 2, revision: 2 }))
    each.directory.observe(recordOf({ epoch: 2, revision: 3 }))
    await kit.settle()

    await each.index.expectMessage({
      type: 'Remove',
      scope: { site: 'site-1' },
      filter: { type: 'Campaign', campaignId: SHOES },
    })
    await kit.clock.advance('900ms')
    await each.campaign.expectNoMessage()
    await kit.clock.advance('200ms')
    await bid(each)
    await each.campaign.expectNoMessage('2s')
  })

  it('passes a new price on at once', async () => {
    await using kit = ActorTestKit.create()
    const each = await site(kit)
    await bid(each)
    await each.index.receiveMessages(2)

    each.directory.observe(recordOf({ maxCpmMicros: 7_000_000, revision: 2 }))

    const update = await each.index.expectMessageType('UpdateCpm')
    expect([...update.cpmMicrosByCampaign]).toEqual([[SHOES, 7_000_000]])
  })

  it('is not bothered by a campaign that may not bid here', async () => {
    await using kit = ActorTestKit.create()
    const each = await site(kit)
    await bid(each)
    await each.index.receiveMessages(2)

    each.directory.observe(recordOf({ campaignId: 'adv|hats', siteAllowlist: ['elsewhere'] }))
    await kit.clock.advance('2s')

    await each.campaign.expectNoMessage()
  })

  it('auctions a page as soon as it is classified', async () => {
    await using kit = ActorTestKit.create()
    const each = await site(kit)
    await bid(each)
    await each.index.receiveMessages(2)

    each.auctioneer.tell({
      type: 'PageCategoriesClassified',
      url: '/new',
      categoryScores: { sport: 0.9 },
      slots: [{ slotId: 'new-top', width: 300, height: 250 }],
    })
    await bid(each)

    const put = await each.index.expectMessageType('Put')
    expect(put).toMatchObject({ slot: 'new-top', candidates: [{ categoryScore: 0.9 }] })
  })

  it('looks again when a reader met an empty slot, at most every 15 seconds', async () => {
    await using kit = ActorTestKit.create()
    const each = await site(kit)
    await bid(each)
    await each.index.receiveMessages(2)
    for (let i = 0; i < 20; i++) each.auctioneer.tell({ type: 'ServeMissed' })
    await kit.clock.advance('1s')
    await bid(each)
    await each.index.receiveMessages(2)

    await kit.clock.advance('13s')
    each.auctioneer.tell({ type: 'ServeMissed' })
    await each.campaign.expectNoMessage('900ms')
    await kit.clock.advance('1s')
    each.auctioneer.tell({ type: 'ServeMissed' })
    await kit.clock.advance('1s')

    await bid(each)
  })

  it('takes out what a new floor excludes, and auctions with it', async () => {
    await using kit = ActorTestKit.create()
    const each = await site(kit)
    await bid(each)
    await each.index.receiveMessages(2)

    each.auctioneer.tell({ type: 'UpdateFloorCpm', floorMicros: 6_000_000 })

    await each.index.expectMessage({
      type: 'Remove',
      scope: { site: 'site-1' },
      filter: { type: 'BelowFloor', floorMicros: 6_000_000 },
    })
    await kit.clock.advance('1s')
    const { floorMicros } = await each.campaign.expectMessageType('CampaignBidRequest')
    expect(floorMicros).toBe(6_000_000)
  })

  it('clears the site', async () => {
    await using kit = ActorTestKit.create()
    const each = await site(kit)
    await bid(each)
    await each.index.receiveMessages(2)
    const admin = kit.createProbe<{ type: 'SiteCleared' }>()

    each.auctioneer.tell({ type: 'ClearSite', replyTo: admin.ref })

    await admin.expectMessage({ type: 'SiteCleared' })
    await each.index.expectMessage({
      type: 'Remove',
      scope: { site: 'site-1' },
      filter: { type: 'All' },
    })
  })
})

describe('the serving actor', () => {
  it('fetches a first block for each campaign, and returns all before the node leaves', async () => {
    await using kit = ActorTestKit.create()
    const directory = new CampaignDirectory()
    const campaign = kit.createProbe<CampaignCommand>('campaign')
    const leases = new Leases('n1')
    const serving = kit.spawn(
      servingActor({
        nodeId: 'n1',
        leases,
        directory,
        campaign: () => campaign.ref,
        servingNodes: () => 3,
        ticked: () => {},
        refresh: () => {},
      }),
    )
    directory.observe(recordOf())
    await kit.clock.advance('100ms')
    const { request, replyTo } = await campaign.expectMessageType('RequestLease')
    expect(request).toMatchObject({ nodeId: 'n1', wantMicros: 100_000, servingNodes: 3 })
    const grant = {
      requestId: request.requestId,
      leaseId: 'L1',
      grantedMicros: 100_000,
      ttlMs: 30_000,
    }
    const answer = (given: LeaseAnswer['answer']): LeaseAnswer => ({
      type: 'LeaseAnswer',
      campaignId: SHOES,
      answer: given,
    })
    replyTo.tell(answer({ type: 'LeaseGranted', ...grant }))
    await kit.settle()
    const now = kit.system.platform.clock.monotonicMs()
    expect(leases.spend(SHOES, 5_000, now)).toBe('L1.1')

    const leaver = kit.createProbe<'Returned'>()
    serving.tell({ type: 'ReturnLeases', replyTo: leaver.ref })

    const { report } = await campaign.expectMessageType('ReportLease')
    expect(report).toEqual({ leaseId: 'L1', spentMicros: 5_000, isFinal: true })
    await leaver.expectNoMessage()
    replyTo.tell(answer({ type: 'LeaseSettled', leaseId: 'L1' }))
    await leaver.expectMessage('Returned')
  })
})
