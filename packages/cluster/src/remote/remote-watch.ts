import { type InternalRef, SystemMessage } from '@troupe/actor/spi'
import { nodeKey, type UniqueAddress } from '../node-address.ts'
import type { RemoteRef } from './remote-ref.ts'

interface Watched {
  readonly ref: RemoteRef
  readonly watchers: Map<unknown, InternalRef>
}

/**
 * Who of us watches whom elsewhere. Each watch ends with exactly one notice: because the actor has
 * stopped, or because its node was removed from the cluster. Being unreachable is not an end.
 */
export class RemoteWatch {
  readonly #byNode = new Map<string, Map<string, Watched>>()

  add(watcher: InternalRef, ref: RemoteRef): void {
    const key = nodeKey(ref.node)
    let ofNode = this.#byNode.get(key)
    if (ofNode === undefined) this.#byNode.set(key, (ofNode = new Map()))
    let watched = ofNode.get(ref.identity)
    if (watched === undefined) ofNode.set(ref.identity, (watched = { ref, watchers: new Map() }))
    watched.watchers.set(watcher.identity, watcher)
  }

  /** True when nobody watches `ref` any more. */
  remove(watcher: InternalRef, ref: RemoteRef): boolean {
    const ofNode = this.#byNode.get(nodeKey(ref.node))
    const watched = ofNode?.get(ref.identity)
    if (ofNode === undefined || watched === undefined) return true
    watched.watchers.delete(watcher.identity)
    if (watched.watchers.size > 0) return false
    ofNode.delete(ref.identity)
    return true
  }

  /** The actor has stopped; all who watch it hear of it. */
  terminated(ref: RemoteRef): void {
    const ofNode = this.#byNode.get(nodeKey(ref.node))
    const watched = ofNode?.get(ref.identity)
    if (ofNode === undefined || watched === undefined) return
    ofNode.delete(ref.identity)
    notify(watched)
  }

  nodeRemoved(node: UniqueAddress): void {
    const ofNode = this.#byNode.get(nodeKey(node))
    if (ofNode === undefined) return
    this.#byNode.delete(nodeKey(node))
    for (const watched of ofNode.values()) notify(watched)
  }
}

function notify({ ref, watchers }: Watched): void {
  for (const watcher of watchers.values()) watcher.tellSystem(new SystemMessage('DeathNotice', ref))
}
