import {
  Behaviors,
  SupervisorStrategy,
  type ActorRef,
  type ActorSystem,
  type Behavior,
} from '@troupe/actor'
import { Cluster } from '@troupe/cluster'
import { DistributedData } from '@troupe/replicator'
import { ClusterSharding, type EntityRef, type Shards } from '@troupe/sharding'
import { auctioneerEntityType, type AuctioneerCommand } from '../auction/auctioneer-entity.ts'
import { Leases } from '../budget/lease.ts'
import { CampaignDirectory } from '../campaign/campaign-directory.ts'
import { campaignEntityType } from '../campaign/campaign-entity.ts'
import type { CampaignCommand } from '../campaign/campaign-protocol.ts'
import { CampaignStore } from '../campaign/campaign-store.ts'
import { CampaignsKey, type CampaignRecord } from '../campaign/campaign-record.ts'
import type { AdHttpNode } from '../http/ad-http.ts'
import type { BeaconAd, BeaconEvent } from '../http/beacon-token.ts'
import type { PacingSettings } from '../pacing/pacing.ts'
import { ScenarioClock, type ScenarioOrigin } from '../pacing/scenario-clock.ts'
import { CreativeStats } from '../sampling/creative-stats.ts'
import type { Scenario } from '../scenario.ts'
import { FlatIndex } from '../serve-index/flat-index.ts'
import { IndexReplica } from '../serve-index/index-replica.ts'
import { VersionClock } from '../serve-index/serve-index.ts'
import { serveIndexActor, type ServeIndexCommand } from '../serve-index/serve-index-actor.ts'
import { PacingGates } from '../serving/pacing-gates.ts'
import type { AdRequest, Decision, Moment } from '../serving/serve-path.ts'
import { ServePath } from '../serving/serve-path.ts'
import { Catalog } from './catalog.ts'
import { keeperActor } from './keeper-actor.ts'
import { servingActor, type ServingCommand } from './serving-actor.ts'
import { StatsReplica } from './stats-replica.ts'

/**
 * An ad server on one node of a cluster, without its sockets: everything that decides and remembers,
 * put together. The system must be in a cluster already.
 *
 * Requests are decided synchronously, outside of any actor, from what the actors keep up to date: an
 * answer never waits for another node.
 */
export class AdNode implements AdHttpNode {
  readonly system: ActorSystem
  readonly cluster: Cluster
  readonly data: DistributedData
  readonly clock: ScenarioClock
  readonly catalog: Catalog = new Catalog()
  readonly directory: CampaignDirectory = new CampaignDirectory()
  readonly flat: FlatIndex = new FlatIndex()
  /** The serve index of this node. */
  readonly index: ActorRef<ServeIndexCommand>
  readonly campaigns: Shards<CampaignCommand>
  readonly auctioneers: Shards<AuctioneerCommand>
  readonly #leases: Leases
  readonly #stats = new CreativeStats()
  readonly #versions = new VersionClock()
  readonly #replica: IndexReplica
  readonly #gates: PacingGates
  readonly #path: ServePath
  readonly #serving: ActorRef<ServingCommand>
  readonly #missedAt = new Map<string, number>()
  #isLeaseTickSent = false

  private constructor(system: ActorSystem, { origin, pacing }: AdNodeOptions) {
    this.system = system
    this.cluster = Cluster.get(system)
    this.data = DistributedData.get(system)
    this.clock = new ScenarioClock(origin)
    this.#leases = new Leases(this.cluster.self.uid)
    this.#gates = new PacingGates(this.clock, pacing)
    const { data, directory, catalog, flat, clock } = this
    data.subscribe(CampaignsKey, ({ value, changed }) => {
      for (const campaignId of changed as Iterable<string>) this.#observe(value.get(campaignId))
    })
    this.#replica = new IndexReplica(data, flat, this.#versions)
    this.index = this.#startIndex()
    const sharding = ClusterSharding.get(system)
    // Entities are few, and each keeps the world informed of itself: none is ever idle.
    const settings = { passivateAfterMs: 0 }
    const isLive = (nodeId: string): boolean => this.#isMember(nodeId)
    const storeOf = (id: string, epoch: number): CampaignStore => new CampaignStore(data, id, epoch)
    this.campaigns = sharding.start(
      campaignEntityType({ catalog, directory, clock, storeOf, isLive }),
      { settings },
    )
    const campaign = (id: string): EntityRef<CampaignCommand> => this.campaigns.entityRef(id)
    this.auctioneers = sharding.start(
      auctioneerEntityType({ catalog, directory, index: this.index, flat, clock, campaign }),
      { settings },
    )
    this.#path = new ServePath({
      index: flat,
      directory,
      leases: this.#leases,
      stats: this.#stats,
      gates: this.#gates,
      random: system.platform.random.fork('serving'),
      knowsSite: (site) => catalog.hasSite(site),
    })
    this.#serving = this.#startServing(campaign)
  }

  static start(system: ActorSystem, options: AdNodeOptions): AdNode {
    const node = new AdNode(system, options)
    if (options.scenario !== undefined) node.load(options.scenario)
    return node
  }

  /** Replaces the scenario on this node; the entities that live here take it up at once. */
  load(scenario: Scenario): void {
    this.#gates.expect(scenario.trafficByHour)
    this.catalog.load(scenario)
  }

  /** True once this node is a member, and has got all there was when it joined. */
  get isReady(): boolean {
    return this.cluster.selfMember?.status === 'Up' && this.data.isComplete
  }

  moment(): Moment {
    const { clock } = this.system.platform
    const wallMs = clock.wallMs()
    return { monotonicMs: clock.monotonicMs(), wallMs, scenarioMs: this.clock.at(wallMs) }
  }

  decide(request: AdRequest, at: Moment = this.moment()): Decision {
    const decision = this.#path.decide(request, at)
    if (this.#leases.isDue && !this.#isLeaseTickSent) {
      this.#isLeaseTickSent = true
      this.#serving.tell({ type: 'LeasesDue' })
    }
    if (decision.type === 'NoContent' && decision.reason === 'noCandidates')
      this.#missed(request.site, at)
    return decision
  }

  failed(error: unknown): void {
    this.system.log.error({ err: error }, 'request failed')
  }

  dayOf(campaignId: string): number {
    return this.directory.recordOf(campaignId)?.day ?? 0
  }

  beacon(event: BeaconEvent, ad: BeaconAd, at: Moment): void {
    if (event === 'click') {
      this.#stats.click(ad.creativeId, at.wallMs)
      return
    }
    const { campaignId, requestId, amountMicros, day } = ad
    if (this.catalog.campaign(campaignId) === undefined) return
    this.campaigns.entityRef(campaignId).tell({ type: 'RecordSpend', requestId, amountMicros, day })
  }

  /** Index entries of other nodes that were not fit to be served, and are not. */
  get unfitEntries(): number {
    return this.#replica.refused
  }

  /** Impressions and clicks of the last hour, over all nodes as far as this one has heard. */
  countsOf(creativeId: string): { readonly impressions: number; readonly clicks: number } {
    const { impressions, clicks } = this.#stats.countsOf(
      creativeId,
      this.system.platform.clock.wallMs(),
    )
    return { impressions, clicks }
  }

  #observe(record: CampaignRecord | undefined): void {
    if (record !== undefined) this.directory.observe(record)
  }

  #startIndex(): ActorRef<ServeIndexCommand> {
    const index = serveIndexActor({
      replica: this.#replica,
      flat: this.flat,
      versions: this.#versions,
      now: () => this.moment().scenarioMs,
      sweepIntervalMs: this.clock.realDurationOf(SWEEP_MS, 1_000),
    })
    return this.system.systemActorOf(restarted(index), 'serve-index')
  }

  #startServing(campaign: (id: string) => EntityRef<CampaignCommand>): ActorRef<ServingCommand> {
    const { system, cluster, directory, catalog } = this
    const statsReplica = new StatsReplica(this.data, this.#stats, cluster.self.uid)
    statsReplica.follow(() => system.platform.clock.wallMs())
    const refresh = (): void => {
      this.#gates.servedBy(this.#upMembers())
      this.#gates.refresh(this.flat, directory)
      statsReplica.share(system.platform.clock.wallMs())
    }
    const tidy = (): void => {
      const wallMs = system.platform.clock.wallMs()
      statsReplica.forgetGone((nodeId) => this.#isMember(nodeId), wallMs)
    }
    const serving = servingActor({
      nodeId: cluster.self.uid,
      leases: this.#leases,
      directory,
      campaign,
      servingNodes: () => this.#upMembers(),
      ticked: () => {
        this.#isLeaseTickSent = false
      },
      refresh,
    })
    const ref = system.systemActorOf(restarted(serving), 'serving')
    system.coordinatedShutdown.addTask(
      'service-requests-done',
      'return spending rights',
      async () => {
        await ref.ask<'Returned'>((replyTo) => ({ type: 'ReturnLeases', replyTo }), {
          timeoutMs: RETURN_TIMEOUT_MS,
        })
      },
    )
    const keeper = keeperActor({
      catalog,
      isChosen: () => cluster.state.leader?.uid === cluster.self.uid && this.isReady,
      wakeCampaign: (id) => campaign(id).tell({ type: 'Wake' }),
      wakeSite: (id) => this.auctioneers.entityRef(id).tell({ type: 'Wake' }),
      tidy,
    })
    system.systemActorOf(restarted(keeper), 'entity-keeper')
    return ref
  }

  /** A reader met an empty slot of a site we know: tells its auctioneer, now and then. */
  #missed(site: string, at: Moment): void {
    if (!this.catalog.hasSite(site)) return
    if (at.monotonicMs - (this.#missedAt.get(site) ?? -Infinity) < MISS_GAP_MS) return
    this.#missedAt.set(site, at.monotonicMs)
    this.auctioneers.entityRef(site).tell({ type: 'ServeMissed' })
  }

  #isMember(nodeId: string): boolean {
    return this.cluster.state.members.some(
      ({ node, status }) => node.uid === nodeId && status !== 'Down',
    )
  }

  #upMembers(): number {
    return Math.max(1, this.cluster.state.members.filter(({ status }) => status === 'Up').length)
  }
}

export interface AdNodeOptions {
  /** How scenario time runs; the same on all nodes. */
  readonly origin: ScenarioOrigin
  readonly scenario?: Scenario
  /** Of the gates of all sites. `fixedThrottle: 0` leaves them open. */
  readonly pacing?: PacingSettings
}

/** What these actors do begins anew without harm: their state is in the replica, or built again from it. */
function restarted<M>(behavior: Behavior<M>): Behavior<M> {
  return Behaviors.supervise(behavior).onFailure(SupervisorStrategy.restart())
}

/** Scenario time. */
const SWEEP_MS = 120_000
const MISS_GAP_MS = 15_000
const RETURN_TIMEOUT_MS = 2_000
