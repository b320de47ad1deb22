import type { ActorSystem, Link, Listener, Network } from '@troupe/actor'
import {
  type InternalRef,
  type LocalRef,
  type SystemCore,
  SystemMessage,
} from '@troupe/actor/spi'
import { type Codec, decode } from '@troupe/crdt/wire'
import { clusterError } from '../errors.ts'
import { formatAddress, nodeKey, type UniqueAddress } from '../node-address.ts'
import { Association } from './association.ts'
import type { Deliver } from './batch.ts'
import type { Identity } from './handshake.ts'
import { type InboundHost, InboundLink } from './inbound-link.ts'
import type { LinkSettings } from './outbound-stream.ts'
import type { PayloadCodec, RefTranslator } from './payload-codec.ts'
import type { Protocol } from './protocol.ts'
import { DeadRef, type RefTransport, RemoteRef } from './remote-ref.ts'
import { RemoteWatch } from './remote-watch.ts'
import { acknowledgeProtocol, type WatchMessage, watchProtocol } from './system-messages.ts'

/** What all links of a node have counted. */
export interface LinkMetrics {
  readonly messagesSent: number
  readonly messagesReceived: number
  readonly bytesSent: number
  readonly bytesReceived: number
  /** Links that were turned away before or after their handshake. */
  readonly linksRefused: number
  readonly linksAccepted: number
}

export interface RemotingOptions {
  readonly cluster: string
  readonly secret: Uint8Array | undefined
  readonly settings: LinkSettings
}

type Handler = (from: UniqueAddress, message: never) => void

/**
 * The node's links to all others: finds the association for an address, hands what arrives to actors
 * and services, and keeps count. Does not know who is a member; the cluster tells it whom to forget.
 */
export class Remoting implements RefTransport {
  readonly system: ActorSystem
  readonly self: UniqueAddress
  readonly #network: Network
  readonly #listener: Listener
  readonly #host: InboundHost
  readonly #associations = new Map<string, Association>()
  readonly #inbound = new Set<InboundLink>()
  readonly #services = new Map<string, { readonly protocol: Protocol<never>; readonly handle: Handler }>()
  readonly #quarantined = new Map<string, string>()
  readonly #watch = new RemoteWatch()
  readonly #dropped = new Map<string, number>()
  readonly #translators = new Map<string, RefTranslator>()
  #isShutDown = false
  #sent = { messages: 0, bytes: 0 }
  #received = { messages: 0, bytes: 0 }
  #links = { refused: 0, accepted: 0 }

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
    const identity: Identity = { cluster: options.cluster, secret: options.secret, self }
    this.#host = this.#hostFor(identity, options.settings)
    this.register(watchProtocol, (from, message) => this.#onWatchMessage(from, message))
    this.register(acknowledgeProtocol, (from, { upTo }) =>
      this.#associations.get(from.address)?.acknowledged(from, upTo),
    )
    this.#resendLater()
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
        throw listenError(bind, error)
      })
    const self = { address: formatAddress(bind.advertised, listener.port), uid: system.uid }
    started = new Remoting(system, network, listener, self, options)
    for (const link of early) started.#accept(link)
    return started
  }

  #hostFor(identity: Identity, settings: LinkSettings): InboundHost {
    const { system } = this
    return {
      platform: system.platform,
      log: system.log,
      identity,
      settings,
      connect: (host, port, handlers) => this.#network.connect(host, port, handlers),
      translator: (peer) => this.#translatorFor(peer),
      isQuarantined: (node) => this.#quarantined.has(nodeKey(node)),
      drop: (message, recipient, reason) => system.deadLetters.drop(message, recipient, reason),
      count: (reason, messages) =>
        void this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + messages),
      sent: (bytes, messages) => {
        this.#sent.bytes += bytes
        this.#sent.messages += messages
      },
      received: (bytes) => void (this.#received.bytes += bytes),
      greeted: (peer) => {
        this.#links.accepted++
        this.#associationFor(peer.address).met(peer)
      },
      refused: (remote, reason) => {
        this.#links.refused++
        system.log.warn({ remote, reason }, 'link refused')
      },
      closed: (link) => void this.#inbound.delete(link),
      resolve: (peer, target, payload) => this.#resolve(peer, target, payload),
    }
  }

  // ---- sending ----

  tell(ref: RemoteRef, message: unknown): void {
    if (this.#mayNotSend(ref.node)) {
      this.system.deadLetters.drop(message, ref, this.#isShutDown ? 'LinkClosed' : 'NodeRemoved')
    } else this.#associationFor(ref.node.address).tell(ref, message)
  }

  /** Sends a message to the same service on another node; `to` without uid reaches whoever is there. */
  post<T>(to: UniqueAddress | { readonly address: string; readonly uid?: undefined }, protocol: Protocol<T>, message: T): void {
    if (this.#isShutDown || (to.uid !== undefined && this.#quarantined.has(nodeKey(to)))) return
    this.#associationFor(to.address).post(protocol, message, to.uid)
  }

  /** Has messages of `protocol` handled by `handle`, in the turn in which they arrive. */
  register<T>(protocol: Protocol<T>, handle: (from: UniqueAddress, message: T) => void): void {
    this.#services.set(protocol.name, { protocol, handle } as never)
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
      const nobody = new DeadRef(this.system, `troupe://${address}/system`)
      association = new Association(this.#host, address, nobody)
      this.#associations.set(address, association)
    }
    return association
  }

  // ---- watching ----

  tellSystem(ref: RemoteRef, message: SystemMessage): void {
    const subject = message.ref as LocalRef | undefined
    const { type } = message
    if (subject === undefined || (type !== 'Watch' && type !== 'Unwatch' && type !== 'DeathNotice')) return
    const mayNotSend = this.#mayNotSend(ref.node)
    if (type === 'Watch') {
      if (mayNotSend) {
        subject.tellSystem(new SystemMessage('DeathNotice', ref))
        return
      }
      this.#watch.add(subject, ref)
    } else if (type === 'Unwatch') this.#watch.remove(subject, ref)
    if (mayNotSend) return
    subject.publish()
    this.#associationFor(ref.node.address).postReliably(
      {
        kind: type,
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
    const { isNext, upTo } = association.accept(message)
    association.post(acknowledgeProtocol, { upTo }, from.uid)
    if (!isNext) return
    const subject = this.remoteRef(from, message.subjectPath, message.subjectUid)
    if (message.kind === 'DeathNotice') {
      this.#watch.terminated(subject)
      return
    }
    const target: InternalRef = this.#find(message.targetPath, message.targetUid)
    target.tellSystem(new SystemMessage(message.kind, subject))
  }

  #resendLater(): void {
    const timer = {
      deadlineMs: 0,
      previous: null,
      next: null,
      slot: -1,
      fire: () => {
        if (this.#isShutDown) return
        for (const association of this.#associations.values()) {
          if (association.unacknowledged > 0) association.resend()
        }
        this.system.platform.timers.start(timer, RESEND_MS)
      },
    }
    this.system.platform.timers.start(timer, RESEND_MS)
  }

  // ---- receiving ----

  #accept(link: Link): void {
    if (this.#isShutDown) link.close(1001, 'shutting down')
    else this.#inbound.add(new InboundLink(this.#host, link))
  }

  #resolve(peer: UniqueAddress, target: string, payload: PayloadCodec): Deliver {
    if (target.startsWith('p')) return this.#deliverToService(peer, target.slice(1), payload)
    const hash = target.lastIndexOf('#')
    const uid = Number(target.slice(hash + 1))
    const ref = this.#find(target.slice(1, hash), uid)
    return (bytes) => {
      this.#received.messages++
      let message: unknown
      try {
        message = payload.unpack(bytes)
      } catch (error) {
        this.#undecodable(peer, ref.path, error)
        return
      }
      ref.tell(message)
    }
  }

  #deliverToService(peer: UniqueAddress, name: string, payload: PayloadCodec): Deliver {
    const service = this.#services.get(name)
    if (service === undefined) {
      this.system.log.warn({ from: peer.address, protocol: name }, 'unknown protocol')
      return () => this.#host.count('UnknownProtocol', 1)
    }
    const codec = service.protocol.codec(payload) as Codec<never>
    return (bytes) => {
      this.#received.messages++
      let message: never
      try {
        message = decode(codec, bytes)
      } catch (error) {
        this.#undecodable(peer, name, error)
        return
      }
      try {
        service.handle(peer, message)
      } catch (error) {
        // One message of one peer must not take the socket's callback down with it.
        this.system.log.error({ from: peer.address, protocol: name, err: error }, 'service failed')
      }
    }
  }

  #undecodable(peer: UniqueAddress, target: string, error: unknown): void {
    this.#host.count('Undecodable', 1)
    this.system.log.warn({ from: peer.address, target, err: error }, 'message could not be decoded')
  }

  /** A local actor can be reached from outside only if its ref has left the process before. */
  #find(path: string, uid: number): LocalRef | DeadRef {
    const ref = (this.system as SystemCore).find(path)
    if (ref !== undefined && ref.uid === uid && ref.isPublished) return ref
    return new DeadRef(this.system, path, uid)
  }

  #translatorFor(peer: UniqueAddress): RefTranslator {
    const key = nodeKey(peer)
    let translator = this.#translators.get(key)
    if (translator === undefined) {
      translator = {
        self: this.self,
        peer,
        local: (path, uid) => this.#find(path, uid),
        remote: (node, path, uid) => this.remoteRef(node, path, uid),
      }
      this.#translators.set(key, translator)
    }
    return translator
  }

  // ---- forgetting ----

  /** Nothing is sent to that incarnation any more and nothing taken from it; its watchers are told. */
  quarantine(node: UniqueAddress, reason: string): void {
    if (this.#quarantined.has(nodeKey(node))) return
    this.#quarantined.set(nodeKey(node), reason)
    this.#translators.delete(nodeKey(node))
    for (const link of this.#inbound) {
      if (link.peer?.uid === node.uid) link.close(4004, reason)
    }
    const association = this.#associations.get(node.address)
    if (association?.peer?.uid === node.uid) {
      association.close('NodeRemoved')
      this.#associations.delete(node.address)
    }
    this.#watch.nodeRemoved(node)
  }

  async shutdown(): Promise<void> {
    if (this.#isShutDown) return
    for (const association of this.#associations.values()) association.close('LinkClosed')
    this.#isShutDown = true
    for (const link of this.#inbound) link.close(1001, 'shutting down')
    await this.#listener.close()
  }

  // ---- counting ----

  get metrics(): LinkMetrics {
    return {
      messagesSent: this.#sent.messages,
      messagesReceived: this.#received.messages,
      bytesSent: this.#sent.bytes,
      bytesReceived: this.#received.bytes,
      linksRefused: this.#links.refused,
      linksAccepted: this.#links.accepted,
    }
  }

  /** Messages dropped without a dead letter because nothing but their number was left. */
  get droppedUnseen(): ReadonlyMap<string, number> {
    return this.#dropped
  }
}

function listenError(bind: { readonly host: string; readonly port: number }, error: unknown): Error {
  const where = formatAddress(bind.host, bind.port)
  if ((error as { readonly code?: string }).code === 'EADDRINUSE') {
    return clusterError(
      'ADDRESS_IN_USE',
      `${where} is in use by another program; stop it, or choose another port`,
      { cause: error },
    )
  }
  return clusterError('LISTEN_FAILED', `cannot listen at ${where}: ${(error as Error).message}`, {
    cause: error,
  })
}

const RESEND_MS = 1_000
