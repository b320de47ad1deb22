import type { ActorRef, ActorSystem, Extension } from '@troupe/actor'
import type { ClusterEvent, ClusterState } from './cluster-events.ts'
import { clusterError } from './errors.ts'
import type { Member, MemberStatus } from './membership/member.ts'
import { membershipActor, type MembershipCommand } from './membership/membership-actor.ts'
import { sameNode, type UniqueAddress } from './node-address.ts'
import type { LinkMetrics } from './remote/link-counters.ts'
import { Remoting } from './remote/remoting.ts'
import { webSocketNetwork } from './remote/websocket-network.ts'
import { type ClusterSettings, clusterSettings } from './settings.ts'

/** This node's place in its cluster. One per system. */
export class Cluster {
  readonly system: ActorSystem
  /** Address and incarnation of this node. */
  readonly self: UniqueAddress
  /** The settings in force, without the secret. */
  readonly settings: ClusterSettings
  /** For the packages next door; applications talk to actors. */
  readonly remoting: Remoting
  #membership: ActorRef<MembershipCommand> | undefined
  #state: ClusterState = { members: [], unreachable: [], leader: undefined }
  #status: MemberStatus | undefined
  #isShutDown = false
  #waiting: { readonly reached: () => boolean; readonly resolve: () => void }[] = []

  private constructor(system: ActorSystem, settings: ClusterSettings, remoting: Remoting) {
    this.system = system
    this.settings = settings.secret === undefined ? settings : { ...settings, secret: '(hidden)' }
    this.remoting = remoting
    this.self = remoting.self
  }

  /**
   * Starts listening and begins to join through `settings.seeds`. Resolves as soon as the node can be
   * reached; `whenUp` tells when it is a member. Rejects with ADDRESS_IN_USE, INSECURE_BIND, ….
   */
  static async start(
    system: ActorSystem,
    overrides: Partial<ClusterSettings> = {},
  ): Promise<Cluster> {
    const settings = clusterSettings(overrides, system.log)
    refuseSecond(system)
    const remoting = await Remoting.start(
      system,
      system.platform.network ?? webSocketNetwork(),
      {
        host: settings.host,
        port: settings.port,
        advertised: settings.advertisedHost ?? settings.host,
      },
      {
        cluster: system.name,
        secret:
          settings.secret === undefined ? undefined : new TextEncoder().encode(settings.secret),
        settings,
      },
    )
    const cluster = new Cluster(system, settings, remoting)
    system.registerExtension(clusterExtension, cluster)
    cluster.#join()
    return cluster
  }

  /** The cluster of a system that was started with `Cluster.start`, else CLUSTER_NOT_STARTED. */
  static get(system: ActorSystem): Cluster {
    return system.extension(clusterExtension)
  }

  #join(): void {
    this.#membership = this.system.systemActorOf(
      membershipActor(this.remoting, this.settings, {
        onState: (state, status) => this.#moved(state, status),
        onShutDown: (reason) => this.#shutDown(reason),
      }),
      'cluster',
    )
    const { coordinatedShutdown } = this.system
    coordinatedShutdown.phaseTimeout('cluster-leave', this.settings.leaveTimeoutMs + 1_000)
    coordinatedShutdown.addTask('cluster-leave', 'leave the cluster', () => this.#leaveInOrder())
    coordinatedShutdown.addTask('cluster-exiting-done', 'confirm the exit', () =>
      this.#confirmExit(),
    )
    coordinatedShutdown.addTask('cluster-shutdown', 'close the links', () =>
      this.remoting.shutdown(),
    )
  }

  /** The cluster as this node sees it now. */
  get state(): ClusterState {
    return this.#state
  }

  get selfMember(): Member | undefined {
    return this.#state.members.find(({ node }) => sameNode(node, this.self))
  }

  /** True once this node was downed, removed or has left. */
  get isShutDown(): boolean {
    return this.#isShutDown
  }

  /** Resolves when this node is Up; rejects with JOIN_TIMED_OUT or CLUSTER_SHUT_DOWN. */
  async whenUp({ timeoutMs }: { readonly timeoutMs: number }): Promise<void> {
    const isReached = await this.#reached(
      () => this.#status === 'Up' || this.#isShutDown,
      timeoutMs,
    )
    if (this.#isShutDown) {
      throw clusterError('CLUSTER_SHUT_DOWN', `${this.self.address} is no member any more`)
    }
    if (!isReached) throw clusterError('JOIN_TIMED_OUT', this.#whyNotUp(timeoutMs))
  }

  #whyNotUp(timeoutMs: number): string {
    const failures = this.settings.seeds.flatMap((seed) => {
      const failure = this.remoting.failureOf(seed)
      return failure === undefined ? [] : [`${seed}: ${failure}`]
    })
    return (
      `${this.self.address} is ${this.#status ?? 'not a member'} after ${timeoutMs} ms; are the seeds ` +
      `(${this.settings.seeds.join(', ') || 'none'}) running and reachable?` +
      (failures.length > 0 ? ` ${failures.join('; ')}` : '')
    )
  }

  /** Sends `subscriber` the present state, and from then on what changes. */
  subscribe(subscriber: ActorRef<ClusterEvent>): void {
    this.#tell({ type: 'Subscribe', subscriber })
  }

  unsubscribe(subscriber: ActorRef<ClusterEvent>): void {
    this.#tell({ type: 'Unsubscribe', subscriber })
  }

  /** Has a node (default: this one) leave in good order. For this one it ends with the system's shutdown. */
  leave(address: string = this.self.address): void {
    this.#tell({ type: 'Leave', address })
  }

  /** Declares a node dead. If it is alive, it learns of it and stops. */
  down(address: string): void {
    this.#tell({ type: 'Down', address })
  }

  /** What the links of this node have counted since it started, and what waits. */
  get metrics(): LinkMetrics {
    return this.remoting.metrics
  }

  // ---- from the membership ----

  #moved(state: ClusterState, status: MemberStatus | undefined): void {
    const before = this.#status
    this.#state = state
    this.#status = status
    this.#wake()
    if (status === 'Exiting' && before !== 'Exiting')
      void this.system.terminate('leaving the cluster')
  }

  #shutDown(reason: string): void {
    this.#isShutDown = true
    this.#wake()
    void this.system.terminate(reason)
  }

  // ---- leaving ----

  async #leaveInOrder(): Promise<void> {
    const isAlone = this.#state.members.every(({ node }) => sameNode(node, this.self))
    if (this.#isShutDown || isAlone || this.#status === undefined) return
    this.leave()
    const { leaveTimeoutMs } = this.settings
    const hasLeft = (): boolean => this.#status === 'Exiting' || this.#isShutDown
    if (await this.#reached(hasLeft, leaveTimeoutMs)) return
    this.system.log.warn(
      { leaveTimeoutMs },
      'the cluster did not let this node go in time; it goes anyway',
    )
  }

  async #confirmExit(): Promise<void> {
    this.#isShutDown = true
    await this.#membership?.ask<'Done'>((replyTo) => ({ type: 'ExitingDone', replyTo }), {
      timeoutMs: 1_000,
    })
  }

  // ---- waiting ----

  /** False when `reached` does not hold within the time. */
  #reached(reached: () => boolean, timeoutMs: number): Promise<boolean> {
    if (reached()) return Promise.resolve(true)
    return new Promise((resolve) => {
      const { timers } = this.system.platform
      const timer = {
        deadlineMs: 0,
        previous: null,
        next: null,
        slot: -1,
        fire: () => {
          this.#waiting = this.#waiting.filter((each) => each !== waiting)
          resolve(false)
        },
      }
      const waiting = {
        reached,
        resolve: () => {
          timers.cancel(timer)
          resolve(true)
        },
      }
      this.#waiting.push(waiting)
      timers.start(timer, timeoutMs)
    })
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const each of waiting) {
      if (each.reached()) each.resolve()
      else this.#waiting.push(each)
    }
  }

  #tell(command: MembershipCommand): void {
    this.#membership?.tell(command)
  }
}

const clusterExtension: Extension<Cluster> = {
  name: 'cluster',
  create: (system) => {
    throw clusterError(
      'CLUSTER_NOT_STARTED',
      `${system.name} is in no cluster yet; call Cluster.start(system, settings) first`,
    )
  },
}

function refuseSecond(system: ActorSystem): void {
  let running: Cluster
  try {
    running = Cluster.get(system)
  } catch {
    return
  }
  throw clusterError(
    'ALREADY_STARTED',
    `${system.name} is in a cluster already, as ${running.self.address}; a system joins once`,
  )
}
