import type { Cluster, UniqueAddress } from '@troupe/cluster'
import { DeadRef, type Protocol } from '@troupe/cluster/spi'
import type { CoordinatorMessage, Envelope, RegionMessage, RegionTraffic } from './messages.ts'
import type { ShardingProtocols } from './protocol.ts'

type Handler<T> = (from: UniqueAddress, message: T) => void

/**
 * How regions and coordinators of one type reach each other. What a node says to itself does not go
 * over a link. What cannot be sent is lost; whoever needs an answer asks again.
 */
export class ShardingLinks {
  readonly #cluster: Cluster
  readonly #typeName: string
  readonly #protocols: ShardingProtocols
  #coordinator: Handler<RegionMessage> | undefined
  #region: Handler<CoordinatorMessage> | undefined

  constructor(cluster: Cluster, typeName: string, protocols: ShardingProtocols) {
    this.#cluster = cluster
    this.#typeName = typeName
    this.#protocols = protocols
  }

  get self(): UniqueAddress {
    return this.#cluster.self
  }

  onRegionMessage(handle: Handler<RegionMessage>): void {
    this.#coordinator = handle
    this.#cluster.remoting.register(this.#protocols.toCoordinator, handle)
  }

  onCoordinatorMessage(handle: Handler<CoordinatorMessage>): void {
    this.#region = handle
    this.#cluster.remoting.register(this.#protocols.toRegion, handle)
  }

  onTraffic(handle: Handler<RegionTraffic>): void {
    this.#cluster.remoting.register(this.#protocols.envelopes, handle)
  }

  toCoordinator(node: UniqueAddress, message: RegionMessage): void {
    this.#post(node, this.#protocols.toCoordinator, message, this.#coordinator)
  }

  toRegion(node: UniqueAddress, message: CoordinatorMessage): void {
    this.#post(node, this.#protocols.toRegion, message, this.#region)
  }

  #post<T>(
    node: UniqueAddress,
    protocol: Protocol<T>,
    message: T,
    own: Handler<T> | undefined,
  ): void {
    if (node.uid === this.self.uid) own?.(node, message)
    else this.#cluster.remoting.post(node, protocol, message)
  }

  /** To the region of another node, in order with everything else that is sent this way. */
  toPeer(node: UniqueAddress, traffic: RegionTraffic): void {
    this.#cluster.remoting.post(node, this.#protocols.envelopes, traffic)
  }

  /** Reports a message for an entity that is not delivered. */
  drop({ entityId, message }: Envelope, reason: string): void {
    const { system } = this.#cluster
    const recipient = new DeadRef(system, `entity://${this.#typeName}/${entityId}`)
    system.deadLetters.drop(message, recipient, reason)
  }
}
