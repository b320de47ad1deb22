import type { ActorRef } from '@troupe/actor'
import { ActorTestKit, type TestProbe } from '@troupe/testkit'
import { describe, expect, it } from 'vitest'
import {
  auctioneerEntity,
  type AuctioneerCommand,
} from '../../apps/ad-server/src/auction/auctioneer-entity.ts'
import { staggerMs } from '../../apps/ad-server/src/auction/stagger.ts'
import type { ReserveReply } from '../../apps/ad-server/src/budget/budget-protocol.ts'
import { Leases } from '../../apps/ad-server/src/budget/lease.ts'
import type { CampaignState } from '../../apps/ad-server/src/campaign/campaign.ts'
import { CampaignDirectory } from '../../apps/ad-server/src/campaign/campaign-directory.ts'
import { campaignEntity } from '../../apps/ad-server/src/campaign/campaign-entity.ts'
import type {
  CampaignCommand,
  CampaignUpdated,
  LeaseAnswer,
} from '../../apps/ad-server/src/campaign/campaign-protocol.ts'
import type { CampaignRecord } from '../../apps/ad-server/src/campaign/campaign-record.ts'
import type {
  CampaignStorage,
  LoadResult,
} from '../../apps/ad-server/src/campaign/campaign-store.ts'
import { Catalog } from '../../apps/ad-server/src/node/catalog.ts'
import { servingActor } from '../../apps/ad-server/src/node/serving-actor.ts'
import { realTime, ScenarioClock } from '../../apps/ad-server/src/pacing/scenario-clock.ts'
import { FlatIndex } from '../../apps/ad-server/src/serve-index/flat-index.ts'
import type { ServeIndexCommand } from '../../apps/ad-server/src/serve-index/serve-index-actor.ts'
import { campaignOf, scenarioOf } from './ad-server-cluster.ts'

const SHOES = 'adv|shoes'
const clock = new ScenarioClock(realTime)
const entityOf = (id: string): Parameters<typeof campaignEntity>[0] => {
  return { id, typeName: 'test', shard: 1, epoch: 1, passivate: () => {} }
}

function catalogOf(...names: readonly string[]): Catalog {
  const catalog = new Catalog()
  catalog.load(scenarioOf(...names.map((name) => campaignOf(name))))
  return catalog
}

/** A store whose rounds end when and how the test says. */
class FakeStore implements CampaignStorage {
  loaded: LoadResult = { type: 'Loaded', state: undefined }
  readonly commits: {
    readonly state: CampaignState
    readonly record: CampaignRecord
    readonly isTakedown: boolean
  }[] = []
  #end: ((outcome: 'Committed' | 'Unknown' | 'Fenced') => void) | undefined

  load(): Promise<LoadResult> {
    return Promise.resolve(this.loaded)
  }

  commit(
    state: CampaignState,
    record: CampaignRecord,
    isTakedown: boolean,
  ): ReturnType<CampaignStorage['commit']> {
    this.commits.push({ state, record, isTakedown })
    return new Promise((resolve) => (this.#end = resolve))
  }

  end(outcome: 'Committed' | 'Unknown' | 'Fenced'): void {
    this.#end?.(outcome)
    this.#end = undefined
  }
}

async function campaignWith(
  kit: ActorTestKit,
  store: FakeStore,
): Promise<ActorRef<CampaignCommand>> {
  const parts = { catalog: catalogOf('shoes'), directory: new CampaignDirectory(), clock }
  const ref = kit.spawn(
    campaignEntity(entityOf(SHOES), { ...parts, storeOf: () => store, isLive: () => true }),
  )
  await kit.settle()
  return ref
}

const reserve = (requestId: string, replyTo: ActorRef<ReserveReply>): CampaignCommand => {
  return { type: 'TryReserve', requestId, amountMicros: 5_000, replyTo }
}

describe('CampaignEntity', () => {
  it('stores that it owns the campaign before it answers anything', async () => {
    await using kit = ActorTestKit.create()
    const store = new FakeStore()
    const campaign = await campaignWith(kit, store)
    const client = kit.createProbe<ReserveReply>()
    expect(store.commits).toHaveLength(1)

    campaign.tell(reserve('r1', client.ref))
    await client.expectNoMessage('400ms')
    store.end('Committed')
    await client.expectNoMessage('10ms')
    store.end('Committed')

    await client.expectMessage({ type: 'Reserved', remainingMicros: 999_995_000 })
  })

  it('stores what several answers promise in one round', async () => {
    await using kit = ActorTestKit.create()
    const store = new FakeStore()
    const campaign = await campaignWith(kit, store)
    const client = kit.createProbe<ReserveReply>()
    for (let i = 0; i < 50; i++) campaign.tell(reserve(`r${i}`, client.ref))
    await kit.settle()
    store.end('Committed')
    await kit.settle()
    store.end('Committed')

    await client.receiveMessages(50)
    expect(store.commits).toHaveLength(2)
    expect(store.commits[1]?.state.budget.spentMicros).toBe(250_000)
  })

  it('answers nothing while nobody confirms, and tries again at its next tick', async () => {
    await using kit = ActorTestKit.create()
    const store = new FakeStore()
    const campaign = await campaignWith(kit, store)
    const client = kit.createProbe<ReserveReply>()
    store.end('Committed')
    await kit.settle()
    campaign.tell(reserve('r1', client.ref))
    await kit.settle()
    store.end('Unknown')
    await client.expectNoMessage('400ms')
    expect(store.commits).toHaveLength(2)

    await kit.clock.advance('200ms')
    store.end('Committed')

    await client.expectMessage({ type: 'Reserved', remainingMicros: 999_995_000 })
    expect(store.commits).toHaveLength(3)
  })

  it('lets a repeated question wait for what its first answer waits for', async () => {
    await using kit = ActorTestKit.create()
    const store = new FakeStore()
    const campaign = await campaignWith(kit, store)
    store.end('Committed')
    await kit.settle()
    const client = kit.createProbe<ReserveReply>()
    campaign.tell(reserve('r1', client.ref))
    await kit.settle()
    campaign.tell(reserve('r1', client.ref))

    await client.expectNoMessage('300ms')
    store.end('Committed')
    await client.expectMessageType('Reserved')
  })

  it('stops without a word when a newer owner has taken over', async () => {
    await using kit = ActorTestKit.create()
    const store = new FakeStore()
    const campaign = await campaignWith(kit, store)
    const client = kit.createProbe<ReserveReply>()
    campaign.tell(reserve('r1', client.ref))
    await kit.settle()
    store.end('Fenced')

    await client.expectTerminated(campaign)
    await client.expectNoMessage()
  })

  it('asks again for its state while no majority knows it, and keeps what it is told meanwhile', async () => {
    await using kit = ActorTestKit.create()
    const store = new FakeStore()
    store.loaded = { type: 'Unknown' }
    const campaign = await campaignWith(kit, store)
    const client = kit.createProbe<ReserveReply>()
    campaign.tell(reserve('r1', client.ref))
    await kit.clock.advance('2s')
    expect(store.commits).toHaveLength(0)

    store.loaded = { type: 'Loaded', state: undefined }
    await kit.clock.advance('600ms')
    store.end('Committed')
    await kit.settle()
    store.end('Committed')

    await client.expectMessageType('Reserved')
  })

  it('publishes a takedown to a majority, and spending from its own node on', async () => {
    await using kit = ActorTestKit.create()
    const store = new FakeStore()
    const campaign = await campaignWith(kit, store)
    store.end('Committed')
    await kit.settle()
    campaign.tell(reserve('r1', kit.createProbe<ReserveReply>().ref))
    await kit.settle()
    store.end('Committed')
    await kit.settle()
    const admin = kit.createProbe<CampaignUpdated>()
    campaign.tell({ type: 'UpdateStatus', status: 'Paused', replyTo: admin.ref })
    await kit.settle()

    expect(store.commits.map(({ isTakedown }) => isTakedown)).toEqual([true, false, true])
    await admin.expectNoMessage('100ms')
    store.end('Committed')
    await admin.expectMessage({ type: 'CampaignUpdated', epoch: 2 })
  })

  it('goes on where the last owner stopped', async () => {
    await using kit = ActorTestKit.create()
    const first = new FakeStore()
    const owner = await campaignWith(kit, first)
    first.end('Committed')
    await kit.settle()
    owner.tell(reserve('r1', kit.createProbe<ReserveReply>().ref))
    await kit.settle()
    const second = new FakeStore()
    second.loaded = { type: 'Loaded', state: first.commits.at(-1)?.state }

    await campaignWith(kit, second)

    expect(second.commits[0]?.record.spentMicros).toBe(5_000)
    expect(second.commits[0]?.record.revision).toBeGreaterThan(
      first.commits.at(-1)?.record.revision ?? 0,
    )
  })
})

function recordOf(more: Partial<CampaignRecord> = {}): CampaignRecord {
  return {
    campaignId: SHOES,
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
