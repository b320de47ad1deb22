import type { ActorRef } from '@troupe/actor'
import { ActorTestKit } from '@troupe/testkit'
import { describe, expect, it } from 'vitest'
import type { ReserveReply } from '../../apps/ad-server/src/budget/budget-protocol.ts'
import type { CampaignState } from '../../apps/ad-server/src/campaign/campaign.ts'
import { CampaignDirectory } from '../../apps/ad-server/src/campaign/campaign-directory.ts'
import { campaignEntity } from '../../apps/ad-server/src/campaign/campaign-entity.ts'
import type {
  CampaignCommand,
  CampaignUpdated,
  LeaseAnswer,
  SpendInfo,
} from '../../apps/ad-server/src/campaign/campaign-protocol.ts'
import type { CampaignRecord } from '../../apps/ad-server/src/campaign/campaign-record.ts'
import type {
  CampaignStorage,
  LoadResult,
} from '../../apps/ad-server/src/campaign/campaign-store.ts'
import { realTime, ScenarioClock } from '../../apps/ad-server/src/pacing/scenario-clock.ts'
import { catalogOf, entityOf } from './ad-server-cluster.ts'

const SHOES = 'adv|shoes'
const clock = new ScenarioClock(realTime)

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

  it('keeps its money whole, and runs on, when leases are spoken of in figures that are none', async () => {
    await using kit = ActorTestKit.create()
    const store = new FakeStore()
    const campaign = await campaignWith(kit, store)
    store.end('Committed')
    await kit.settle()
    const node = kit.createProbe<LeaseAnswer>()
    const ask = async (wantMicros: number, servingNodes: number): Promise<void> => {
      const requestId = `n#${wantMicros}-${servingNodes}`
      const request = { nodeId: 'n', requestId, wantMicros, leastMicros: 5_000, servingNodes }
      campaign.tell({ type: 'RequestLease', request, replyTo: node.ref })
      await kit.settle()
      store.end('Committed')
      await kit.settle()
    }
    await ask(0.5, 1)
    await ask(10_000, Number.NaN)
    await node.expectNoMessage()

    await ask(10_000, 1)
    const { answer } = await node.expectMessageType('LeaseAnswer')
    const leaseId = answer.type === 'LeaseGranted' ? answer.leaseId : 'none'
    const report = { leaseId, spentMicros: Number.NaN, isFinal: true }
    campaign.tell({ type: 'ReportLease', report, replyTo: node.ref })
    await kit.settle()

    const info = kit.createProbe<SpendInfo>()
    campaign.tell({ type: 'GetSpendInfo', replyTo: info.ref })
    expect(await info.expectMessageType('SpendInfo')).toMatchObject({
      spentMicros: 0,
      outstandingMicros: 10_000,
    })
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
