import { type ActorContext, type ActorRef, type Behavior, Behaviors } from '@troupe/actor'
import { internal } from '@troupe/actor/spi'
import { type ClusterEvent, type ClusterState, eventsBetween, stateOf } from '../cluster-events.ts'
import { nodeKey, nodeOfKey, type UniqueAddress } from '../node-address.ts'
import type { Remoting } from '../remote/remoting.ts'
import type { ClusterSettings } from '../settings.ts'
import { Downing } from './downing.ts'
import { logEvent } from './event-log.ts'
import { emptyGossip, type Gossip, unreachableOf } from './gossip.ts'
import { Heartbeats } from './heartbeats.ts'
import { Joining, type JoiningEffect } from './joining.ts'
import type { MemberStatus } from './member.ts'
import { Membership, type MembershipEffect } from './membership.ts'
import { heartbeatProtocol, membershipProtocol, type MembershipMessage } from './messages.ts'

export type MembershipCommand =
  | { readonly type: 'Subscribe'; readonly subscriber: ActorRef<ClusterEvent> }
  | { readonly type: 'Unsubscribe'; readonly subscriber: ActorRef<ClusterEvent> }
  | { readonly type: 'Leave'; readonly address: string }
  | { readonly type: 'Down'; readonly address: string }
  /** Everything that leaving means on this node has been done. */
  | { readonly type: 'ExitingDone'; readonly replyTo: ActorRef<'Done'> }

type Message =
  | MembershipCommand
  | { readonly type: 'FromPeer'; readonly from: UniqueAddress; readonly message: MembershipMessage }
  | { readonly type: 'HeartbeatAnswered'; readonly by: UniqueAddress; readonly at: number }
  | { readonly type: 'ToldRemoved'; readonly by: UniqueAddress }
  | { readonly type: 'JoinTick' }
  | { readonly type: 'GossipTick' }
  | { readonly type: 'LeaderTick' }
  | { readonly type: 'HeartbeatTick' }

export interface MembershipHooks {
  /** Runs in the actor's turn, before subscribers hear of a change. */
  onState(state: ClusterState, selfStatus: MemberStatus | undefined): void
  onShutDown(reason: string): void
}

/** Gives the membership machines time, chance and a network, and tells subscribers what changed. */
export function membershipActor(
  remoting: Remoting,
  settings: ClusterSettings,
  hooks: MembershipHooks,
): Behavior<MembershipCommand> {
  return Behaviors.setup<Message>((context) => {
    const driver = new MembershipDriver(context, remoting, settings, hooks)
    driver.start()
    return Behaviors.receive(
      (message) => {
        driver.handle(message)
        return Behaviors.same
      },
      (signal) => {
        if (signal.type === 'Terminated') driver.subscriberStopped(signal.ref)
        // Without it this node would answer heartbeats and take part in nothing.
        if (signal.type === 'PostStop') hooks.onShutDown('membership stopped')
        return Behaviors.same
      },
    )
  })
}

class MembershipDriver {
  readonly #context: ActorContext<Message>
  readonly #remoting: Remoting
  readonly #settings: ClusterSettings
  readonly #hooks: MembershipHooks
  readonly #membership: Membership
  readonly #joining: Joining
  readonly #heartbeats: Heartbeats
  readonly #downing: Downing
  readonly #subscribers = new Map<unknown, ActorRef<ClusterEvent>>()
  readonly #random: () => number
  /** The next round of gossip comes sooner than usual already. */
  #isHasty = false
  #welcomedAt = 0

  constructor(
    context: ActorContext<Message>,
    remoting: Remoting,
    settings: ClusterSettings,
    hooks: MembershipHooks,
  ) {
    const { self } = remoting
    this.#context = context
    this.#remoting = remoting
    this.#settings = settings
    this.#hooks = hooks
    this.#membership = new Membership(self, settings.roles, settings.tombstoneMs)
    this.#joining = new Joining(self.address, settings.seeds, seedPatienceMs(settings), this.#now())
    this.#heartbeats = new Heartbeats(self, settings)
    this.#downing = new Downing(self, settings.stableAfterMs)
    const random = context.system.platform.random.fork('gossip')
    this.#random = () => random.next()
  }

  start(): void {
    const { self, timers, system } = this.#context
    const remoting = this.#remoting
    remoting.register(membershipProtocol, (from, message) =>
      self.tell({ type: 'FromPeer', from, message }),
    )
    // Answered here and now, ahead of all mailboxes: a busy node is not a dead one.
    remoting.register(heartbeatProtocol, (from, { isResponse, sequence, node }) => {
      if (isResponse) {
        self.tell({ type: 'HeartbeatAnswered', by: from, at: system.platform.clock.monotonicMs() })
      } else if (node.uid === remoting.self.uid) {
        remoting.post(from, heartbeatProtocol, { isResponse: true, sequence, node })
      }
    })
    remoting.observe({
      toldRemoved: (by) => self.tell({ type: 'ToldRemoved', by }),
      unresponsive: (node) => self.tell({ type: 'Down', address: node.address }),
    })
    const { leaderIntervalMs, heartbeatIntervalMs, joinRetryMs } = this.#settings
    this.#gossipLater()
    timers.startTimerWithFixedDelay('leader', { type: 'LeaderTick' }, leaderIntervalMs)
    timers.startTimerWithFixedDelay('heartbeat', { type: 'HeartbeatTick' }, heartbeatIntervalMs)
    timers.startTimerWithFixedDelay('join', { type: 'JoinTick' }, joinRetryMs)
    this.#performJoining(this.#joining.start())
  }

  handle(message: Message): void {
    switch (message.type) {
      case 'FromPeer':
        this.#fromPeer(message.from, message.message)
        return
      case 'HeartbeatAnswered':
        this.#heartbeats.answered(message.by, message.at)
        return
      case 'JoinTick':
        this.#joinTick()
        return
      case 'GossipTick':
        this.#perform(this.#membership.gossipTick(this.#random()))
        this.#gossipLater()
        return
      case 'LeaderTick':
        this.#perform(this.#membership.leaderTick(this.#wallMs()))
        this.#decideDowning()
        return
      case 'HeartbeatTick':
        this.#heartbeatTick()
        return
      case 'Leave':
        this.#perform(this.#membership.leave(message.address))
        return
      case 'Down':
        this.#perform(this.#membership.down(message.address))
        return
      case 'ToldRemoved':
        this.#perform(this.#membership.toldRemoved(message.by))
        return
      case 'ExitingDone':
        this.#perform(this.#membership.exitingDone())
        message.replyTo.tell('Done')
        return
      case 'Subscribe':
        this.#subscribers.set(keyOf(message.subscriber), message.subscriber)
        this.#context.watch(message.subscriber)
        message.subscriber.tell({
          type: 'CurrentClusterState',
          ...stateOf(this.#membership.gossip, this.#remoting.self),
        })
        return
      case 'Unsubscribe':
        this.#context.unwatch(message.subscriber)
        this.subscriberStopped(message.subscriber)
        return
      default:
        return message satisfies never
    }
  }

  subscriberStopped(subscriber: ActorRef<never>): void {
    this.#subscribers.delete(keyOf(subscriber))
  }

  /** Asks until we are Up. A Welcome is not enough: who let us in may have gone before it told anybody. */
  #joinTick(): void {
    const now = this.#now()
    const status = this.#membership.selfMember?.status
    if (status === undefined) this.#performJoining(this.#joining.tick(now))
    else if (status !== 'Joining') this.#context.timers.cancel('join')
    else if (!this.#joining.isDone) this.#performJoining(this.#joining.tick(now))
    else if (now - this.#welcomedAt > this.#settings.seedTimeoutMs) {
      this.#welcomedAt = now
      this.#performJoining(this.#joining.again())
    }
  }

  #gossipLater(): void {
    this.#isHasty = this.#membership.isUrgent
    const delayMs = this.#settings.gossipIntervalMs / (this.#isHasty ? HASTE : 1)
    this.#context.timers.startSingleTimer('gossip', { type: 'GossipTick' }, delayMs)
  }

  #fromPeer(from: UniqueAddress, message: MembershipMessage): void {
    if (message.type === 'InitJoinAck') {
      this.#performJoining(this.#joining.acked(from, this.#now()))
    } else if (message.type === 'InitJoinNack') {
      this.#performJoining(this.#joining.nacked(from, this.#now()))
    } else this.#perform(this.#membership.receive(from, message))
    if (message.type === 'Welcome' && this.#membership.isMember) {
      this.#joining.welcomed()
      this.#welcomedAt = this.#now()
    }
  }

  #performJoining(effects: readonly JoiningEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'AskSeeds':
          for (const address of effect.addresses) {
            this.#remoting.post({ address }, membershipProtocol, { type: 'InitJoin' })
          }
          break
        case 'Join':
          this.#remoting.post(effect.to, membershipProtocol, {
            type: 'Join',
            roles: this.#settings.roles,
          })
          break
        case 'StartCluster':
          this.#context.log.info({ node: this.#remoting.self.address }, 'starting a new cluster')
          this.#perform(this.#membership.startCluster(this.#wallMs()))
          break
        default:
          effect satisfies never
      }
    }
  }

  #perform(effects: readonly MembershipEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'Send':
          this.#remoting.post(effect.to, membershipProtocol, effect.message)
          break
        case 'Changed':
          this.#changed(effect.before, effect.after)
          break
        case 'ShutDown':
          this.#publish([{ type: 'ClusterShuttingDown', reason: effect.reason }])
          this.#hooks.onShutDown(`${effect.reason} by the cluster`)
          break
        default:
          effect satisfies never
      }
    }
  }

  #changed(before: Gossip, after: Gossip): void {
    const { self } = this.#remoting
    const isJoining = before === emptyGossip
    const state = stateOf(after, self)
    this.#heartbeats.membersChanged(
      state.members.map(({ node }) => node),
      unreachableOf(after, self),
      this.#now(),
    )
    this.#hooks.onState(state, after.members.get(nodeKey(self))?.status)
    const events = eventsBetween(before, after, self)
    if (isJoining) this.#context.log.info({ members: state.members.length }, 'joined the cluster')
    for (const event of events) this.#noteRemoval(event)
    this.#noteTombstones(before, after)
    this.#publish(events)
    if (this.#membership.isUrgent && !this.#isHasty) this.#gossipLater()
  }

  /** Incarnations that were removed before we ever saw them: whoever hands us a ref to one hands us a dead one. */
  #noteTombstones(before: Gossip, after: Gossip): void {
    if (before.tombstones === after.tombstones) return
    for (const key of after.tombstones.keys()) {
      if (before.tombstones.has(key) || before.members.has(key)) continue
      this.#remoting.quarantine(nodeOfKey(key), 'removed from the cluster')
    }
  }

  #noteRemoval(event: ClusterEvent): void {
    if (event.type !== 'MemberRemoved') return
    const { member, previousStatus } = event
    const hasLeftInOrder = previousStatus === 'Exiting' && !event.isReplaced
    this.#remoting.quarantine(
      member.node,
      `removed from the cluster (${previousStatus})`,
      hasLeftInOrder,
    )
  }

  #publish(events: readonly ClusterEvent[]): void {
    for (const event of events) {
      logEvent(this.#context.log, event)
      for (const subscriber of this.#subscribers.values()) subscriber.tell(event)
    }
  }

  #heartbeatTick(): void {
    const now = this.#now()
    const { sequence, to } = this.#heartbeats.tick(now)
    for (const node of to) {
      this.#remoting.post(node, heartbeatProtocol, { isResponse: false, sequence, node })
    }
    for (const { node, isReachable } of this.#heartbeats.check(now)) {
      this.#perform(this.#membership.observed(node, isReachable))
    }
  }

  #decideDowning(): void {
    if (!this.#membership.isMember) return
    const decision = this.#downing.tick(this.#membership.gossip, this.#now())
    if (decision === undefined) return
    this.#context.log.warn(
      { downed: decision.nodes.map((node) => node.address), reason: decision.reason },
      'downing members',
    )
    for (const { address, uid } of decision.nodes) {
      this.#perform(this.#membership.down(address, uid))
    }
  }

  #now(): number {
    return this.#context.system.platform.clock.monotonicMs()
  }

  #wallMs(): number {
    return this.#context.system.platform.clock.wallMs()
  }
}

/** A minority that lost its majority is gone by then: it was noticed, found stable, and downed. */
function seedPatienceMs(settings: ClusterSettings): number {
  const { acceptablePauseMs, heartbeatIntervalMs, leaderIntervalMs, stableAfterMs } = settings
  const downedAfterMs =
    acceptablePauseMs + 2 * heartbeatIntervalMs + stableAfterMs + leaderIntervalMs
  return Math.max(settings.seedTimeoutMs, downedAfterMs)
}

/** Equal for refs to the same actor, whatever kind of ref it is. */
function keyOf(ref: ActorRef<never>): unknown {
  return internal(ref).identity
}

/** How many rounds of gossip there are in the time of one while there is urgent news. */
const HASTE = 3
