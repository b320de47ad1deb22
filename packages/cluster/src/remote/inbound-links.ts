import type { Link } from '@troupe/actor'
import type { UniqueAddress } from '../node-address.ts'
import { NOT_AUTHENTIC, NOT_GREETED_IN_TIME } from './handshake.ts'
import { type InboundHost, InboundLink } from './inbound-link.ts'

/**
 * All links that others have opened to this node. Those that have not proven yet who they are may be
 * anybody's, so they are few: when another one comes, the oldest of them goes. A real node needs
 * milliseconds to prove itself, and is not harmed by strangers who do nothing but hold links open.
 */
export class InboundLinks {
  readonly #host: InboundHost
  readonly #links = new Set<InboundLink>()
  readonly #strangers = new Set<InboundLink>()

  constructor(host: InboundHost) {
    this.#host = host
  }

  accept(link: Link): void {
    for (const oldest of this.#strangers) {
      if (this.#strangers.size < STRANGERS_MAX) break
      oldest.refuse(NOT_GREETED_IN_TIME, 'too many links without a handshake')
    }
    const inbound = new InboundLink(this.#host, link)
    this.#links.add(inbound)
    this.#strangers.add(inbound)
  }

  greeted(link: InboundLink): void {
    this.#strangers.delete(link)
  }

  closed(link: InboundLink): void {
    this.#links.delete(link)
    this.#strangers.delete(link)
  }

  hasLinkOf(node: UniqueAddress): boolean {
    for (const { peer } of this.#links) if (peer?.uid === node.uid) return true
    return false
  }

  closeLinksOf(node: UniqueAddress, reason: string): void {
    for (const link of this.#links) {
      if (link.peer?.uid === node.uid) link.close(NOT_AUTHENTIC, reason)
    }
  }

  /** Closes links of all incarnations at the address of `node` but this one. */
  closeOthersAt({ address, uid }: UniqueAddress, reason: string): void {
    for (const link of this.#links) {
      if (link.peer?.address === address && link.peer.uid !== uid) link.close(NOT_AUTHENTIC, reason)
    }
  }

  closeAll(code: number, reason: string): void {
    for (const link of this.#links) link.close(code, reason)
  }
}

/** Links that may be in their handshake at the same time. */
const STRANGERS_MAX = 64
