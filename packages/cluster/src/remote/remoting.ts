import type { ActorSystem, Link, Listener, Network, TimerTask } from '@troupe/actor'
import { type LocalRef, SystemMessage } from '@troupe/actor/spi'
import { listenError } from '../errors.ts'
import { formatAddress, nodeKey, type UniqueAddress } from '../node-address.ts'
import { Association } from './association.ts'
import { Delivery } from './delivery.ts'
import type { Identity } from './handshake.ts'
import { type InboundHost } from './inbound-link.ts'
import { InboundLinks } from './inbound-links.ts'
import { LinkCounters, type LinkMetrics } from './link-counters.ts'
import { type LinkSettings, REMOVED } from './outbound-stream.ts'
import type { RefTranslator } from './payload-codec.ts'
import type { Protocol } from './protocol.ts'
import { DeadRef, type RefTransport, RemoteRef } from './remote-ref.ts'
import { RefusalLog } from './refusal-log.ts'
import { RemoteWatch } from './remote-watch.ts'
import { acknowledgeProtocol, type WatchMessage, watchProtocol } from './system-messages.ts'

export interface RemotingOptions {
  readonly cluster: string
  readonly secret: Uint8Array | undefined
  readonly settings: LinkSettings
}

/** What the links learn that is for the membership to judge. */
export interface RemotingObserver {
  /** `by` has removed us from its cluster and talks to us no more. */
  toldRemoved(by: UniqueAddress): void
  /** `node` has let so many watch messages go unacknowledged that it has to be given up. */
  unresponsive(node: UniqueAddress): void
}

/**
 * The node's links to all others: finds the association for an address, sees to it that every watch
 * ends, and forgets whom the cluster has removed. Does not know who is a member.
 */
export class Remoting implements RefTransport {
  readonly system: ActorSystem
  readonly self: UniqueAddress
  readonly #network: Network
  readonly #listener: Listener
  readonly #host: InboundHost
  readonly #counters = new LinkCounters()
  readonly #delivery: Delivery
  readonly #inbound: InboundLinks
  readonly #associations = new Map<string, Association>()
  readonly #watch = new RemoteWatch()
  readonly #translators = new Map<string, RefTranslator>()
  /** Removed incarnations, oldest first. */
  readonly #quarantined = new Set<string>()
  /** Incarnations that have left in good order and whose last messages are still taken in. */
  readonly #leaving = new Map<string, TimerTask>()
  readonly #resendTimer: TimerTask = timerTask(() => this.#resend())
  #observer: RemotingObserver | undefined
  #isShutDown = false
  #ending: Promise<void> | undefined

  private constructor(
    system: ActorSystem,
    network: Network,
    listener: Listener,
    self: UniqueAddress,
    options: RemotingOptions,
  ) {
    this.system = system
    this.self = self
    this.#network = network
    this.#listener = listener
    this.#delivery = new Delivery(system, this.#counters)
    const identity: Identity = { cluster: options.cluster, secret: options.secret, self }
    this.#host = this.#hostFor(identity, options.settings)
    this.#inbound = new InboundLinks(this.#host)
    this.register(watchProtocol, (from, message) => this.#onWatchMessage(from, message))
    this.register(acknowledgeProtocol, (from, { upTo }) =>
      this.#associations.get(from.address)?.acknowledged(from, upTo),
    )
    system.platform.timers.start(this.#resendTimer, RESEND_MS)
  }

  /** Listens at `host:port`. `advertised`: the host under which others reach this node. */
  static async start(
    system: ActorSystem,
    network: Network,
    bind: { readonly host: string; readonly port: number; readonly advertised: string },
    options: RemotingOptions,
  ): Promise<Remoting> {
    let started: Remoting | undefined
    const early: Link[] = []
    const listener = await network
      .listen(bind.host, bind.port, (link) => {
        if (started === undefined) early.push(link)
        else started.#accept(link)
      })
      .catch((error: unknown) => {
        throw listenError(formatAddress(bind.host, bind.port), error)
      })
    const self = { address: formatAddress(bind.advertised, listener.port), uid: system.uid }
    started = new Remoting(system, network, listener, self, options)
    for (const link of early) started.#accept(link)
    return started
  }

  #hostFor(identity: Identity, settings: LinkSettings): InboundHost {
    const { system } = this
    const counters = this.#counters
    const refusals = new RefusalLog(system.log, system.platform.clock)
    return {
      platform: system.platform,
      log: system.log,
      identity,
      settings,
      connect: (host, port, handlers) => this.#network.connect(host, port, handlers),
      translator: (peer) => this.#translatorFor(peer),
      isQuarantined: (node) => this.#quarantined.has(nodeKey(node)),
      drop: (message, recipient, reason) => {
        counters.dropped(reason, 1)
        system.deadLetters.drop(message, recipient, reason)
      },
      count: (reason, messages) => counters.dropped(reason, messages),
      sent: (bytes, messages) => counters.sent(bytes, messages),
      toldRemoved: (peer) => this.#observer?.toldRemoved(peer),
      received: (bytes) => counters.receivedFrame(bytes),
      greeted: (peer, link) => {
        counters.accepted()
        this.#inbound.greeted(link)
        this.#associationFor(peer.address).met(peer)
      },
      refused: (remote, reason) => {
        counters.refused()
        refusals.refused(remote, reason)
      },
      closed: (link) => {
        this.#inbound.closed(link)
        if (link.peer !== undefined) this.#maybeSilent(link.peer)
      },
      resolve: (peer, target, payload) => this.#delivery.resolve(peer, target, payload),
    }
  }

  /** Who is told what the links learn about nodes. */
  observe(observer: RemotingObserver): void {
    this.#observer = observer
  }

  // ---- sending ----

  tell(ref: RemoteRef, message: unknown): void {
    if (this.#mayNotSend(ref.node)) {
      this.#host.drop(message, ref, this.#isShutDown ? 'LinkClosed' : 'NodeRemoved')
    } else this.#associationFor(ref.node.address).tell(ref, message)
  }

  /** Sends a message to the same service on another node; `to` without uid reaches whoever is there. */
  post<T>(
    to: UniqueAddress | { readonly address: string; readonly uid?: undefined },
    protocol: Protocol<T>,
    message: T,
  ): void {
    if (!this.#isShutDown && (to.uid === undefined || !this.#mayNotSend(to))) {
      this.#associationFor(to.address).post(protocol, message, to.uid)
      return
    }
    const reason = this.#isShutDown ? 'LinkClosed' : 'NodeRemoved'
    if (protocol.isRepeated === true) this.#host.count(reason, 1)
    else this.#host.drop(message, this.#nobodyAt(to.address), reason)
  }

  /** Has messages of `protocol` handled by `handle`, in the turn in which they arrive. */
  register<T>(protocol: Protocol<T>, handle: (from: UniqueAddress, message: T) => void): void {
    this.#delivery.register(protocol, handle)
  }

  remoteRef(node: UniqueAddress, path: string, uid: number): RemoteRef {
    return new RemoteRef(this, node, path, uid)
  }

  #mayNotSend(node: UniqueAddress): boolean {
    return this.#isShutDown || (this.#quarantined.size > 0 && this.#quarantined.has(nodeKey(node)))
  }

  #associationFor(address: string): Association {
    let association = this.#associations.get(address)
    if (association === undefined) {
      association = new Association(this.#host, address, this.#nobodyAt(address), (peer) => {
        // Whatever ran at that address before has ended.
        this.#inbound.closeOthersAt(peer, 'another incarnation of this node has started')
        this.#watch.nodeStarted(peer)
      })
      this.#associations.set(address, association)
    }
    return association
  }

  /** The recipient that dead letters name for messages of services. */
  #nobodyAt(address: string): DeadRef {
    return new DeadRef(this.system, `troupe://${address}/system`)
  }

  #translatorFor(peer: UniqueAddress): RefTranslator {
    const key = nodeKey(peer)
    let translator = this.#translators.get(key)
    if (translator === undefined) {
      translator = {
        self: this.self,
        peer,
        local: (path, uid) => this.#delivery.find(path, uid),
        remote: (node, path, uid) => this.remoteRef(node, path, uid),
      }
      this.#translators.set(key, translator)
    }
    return translator
  }

  // ---- watching ----

  tellSystem(ref: RemoteRef, message: SystemMessage): void {
    const subject = message.ref as LocalRef | undefined
    const { type } = message
    if (subject === undefined) return
    if (type !== 'Watch' && type !== 'Unwatch' && type !== 'DeathNotice') return
    if (type === 'Watch') this.#watch.add(subject, ref)
    else if (type === 'Unwatch') this.#watch.remove(subject, ref)
    else this.#watch.ended(ref, subject)
    const result = this.#mayNotSend(ref.node) ? 'NodeRemoved' : this.#postWatch(type, ref, subject)
    if (result === 'Sent') return
    if (result === 'Overflow') {
      this.#host.count('WatchQueueFull', 1)
      this.#observer?.unresponsive(ref.node)
    } else if (type === 'Watch') this.#watch.terminated(ref)
  }

  #postWatch(
    kind: WatchMessage['kind'],
    ref: RemoteRef,
    subject: LocalRef,
  ): ReturnType<Association['postReliably']> {
    subject.publish()
    return this.#associationFor(ref.node.address).postReliably(
      {
        kind,
        targetPath: ref.localPath,
        targetUid: ref.uid,
        subjectPath: subject.path,
        subjectUid: subject.uid,
      },
      ref.node.uid,
    )
  }

  #onWatchMessage(from: UniqueAddress, message: WatchMessage): void {
    const association = this.#associationFor(from.address)
    const accepted = association.accept(from, message)
    if (accepted === undefined) return
    association.post(acknowledgeProtocol, { upTo: accepted.upTo }, from.uid)
    if (!accepted.isNext) return
    const subject = this.remoteRef(from, message.subjectPath, message.subjectUid)
    if (message.kind === 'DeathNotice') {
      this.#watch.terminated(subject)
      return
    }
    const target = this.#delivery.find(message.targetPath, message.targetUid)
    if (message.kind === 'Watch') this.#watch.watchedBy(subject, target)
    else this.#watch.unwatchedBy(subject, target)
  }

  #resend(): void {
    for (const association of this.#associations.values()) {
      if (association.unacknowledged > 0) association.resend()
    }
    this.system.platform.timers.start(this.#resendTimer, RESEND_MS)
  }

  // ---- receiving ----

  #accept(link: Link): void {
    if (this.#isShutDown) link.close(1001, 'shutting down')
    else this.#inbound.accept(link)
  }

  // ---- forgetting ----

  /**
   * Nothing is sent to that incarnation any more and nothing taken from it; its watchers are told.
   * Irreversible. `inOrder`: it has left in good order, so what it said last is still taken in, until
   * it closes its links or a few seconds have passed.
   */
  quarantine(node: UniqueAddress, reason: string, inOrder = false): void {
    const key = nodeKey(node)
    if (this.#isShutDown || this.#quarantined.has(key)) return
    if (inOrder && this.#inbound.hasLinkOf(node)) {
      if (this.#leaving.has(key)) return
      const timer = timerTask(() => this.quarantine(node, reason))
      this.#leaving.set(key, timer)
      this.system.platform.timers.start(timer, LAST_WORDS_MS)
      return
    }
    this.#endOfLeaving(key)
    this.#quarantined.add(key)
    if (this.#quarantined.size > QUARANTINED_MAX) {
      for (const oldest of this.#quarantined) {
        this.#quarantined.delete(oldest)
        break
      }
    }
    this.#translators.delete(key)
    this.#inbound.closeLinksOf(node, REMOVED)
    const association = this.#associations.get(node.address)
    // When we have never met anybody there, it was this incarnation that messages wait for.
    if (association !== undefined && (association.peer ?? node).uid === node.uid) {
      this.#associations.delete(node.address)
      association.close('NodeRemoved')
    }
    this.#watch.nodeRemoved(node)
    this.system.log.debug({ node: key, reason }, 'node quarantined')
  }

  /** The last link of a node that is leaving has closed: it has said everything. */
  #maybeSilent(node: UniqueAddress): void {
    if (!this.#leaving.has(nodeKey(node)) || this.#inbound.hasLinkOf(node)) return
    this.quarantine(node, 'left')
  }

  #endOfLeaving(key: string): void {
    const timer = this.#leaving.get(key)
    if (timer === undefined) return
    this.system.platform.timers.cancel(timer)
    this.#leaving.delete(key)
  }

  /** Sends what waits, within reason, then closes all links and stops listening. */
  shutdown(): Promise<void> {
    return (this.#ending ??= this.#end())
  }

  async #end(): Promise<void> {
    this.system.platform.timers.cancel(this.#resendTimer)
    for (const key of this.#leaving.keys()) this.#endOfLeaving(key)
    await this.#flushed()
    this.#isShutDown = true
    for (const association of this.#associations.values()) association.close('LinkClosed')
    this.#inbound.closeAll(1001, 'shutting down')
    await this.#listener.close()
  }

  #flushed(): Promise<void> {
    const { clock, timers } = this.system.platform
    const deadline = clock.monotonicMs() + FLUSH_MS
    return new Promise((resolve) => {
      const look = (): void => {
        let isBusy = false
        for (const association of this.#associations.values()) {
          association.flush()
          isBusy ||= association.isBusy
        }
        if (!isBusy || clock.monotonicMs() >= deadline) resolve()
        else timers.start(timerTask(look), FLUSH_POLL_MS)
      }
      look()
    })
  }

  // ---- what is known ----

  get metrics(): LinkMetrics {
    let queued = 0
    let unacknowledged = 0
    for (const association of this.#associations.values()) {
      queued += association.queued
      unacknowledged += association.unacknowledged
    }
    return { ...this.#counters.counts, queued, unacknowledged }
  }

  /** Why the node at `address` could not be reached the last time; undefined when it could. */
  failureOf(address: string): string | undefined {
    return this.#associations.get(address)?.failure
  }
}

function timerTask(fire: () => void): TimerTask {
  return { deadlineMs: 0, previous: null, next: null, slot: -1, fire }
}

const RESEND_MS = 1_000
const LAST_WORDS_MS = 5_000
const FLUSH_MS = 2_000
const FLUSH_POLL_MS = 10
const QUARANTINED_MAX = 10_000
