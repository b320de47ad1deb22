import { type InternalRef, type LocalRef, SystemMessage } from '@troupe/actor/spi'
import { nodeKey, type UniqueAddress } from '../node-address.ts'
import type { RemoteRef } from './remote-ref.ts'

interface Watched {
  readonly ref: RemoteRef
  readonly watchers: Map<unknown, InternalRef>
}

interface WatchedByOther {
  readonly target: InternalRef
  readonly watcher: RemoteRef
}

/**
 * Who of us watches whom elsewhere, and who elsewhere watches whom of us. Each watch ends with exactly
 * one notice: because the actor has stopped, or because its node was removed from the cluster or
 * replaced by another incarnation. Being unreachable is not an end.
 */
export class RemoteWatch {
  readonly #byNode = new Map<string, Map<string, Watched>>()
  readonly #byOthers = new Map<string, Map<string, WatchedByOther>>()

  // ---- our watchers ----

  add(watcher: InternalRef, ref: RemoteRef): void {
    const ofNode = entryOf(this.#byNode, nodeKey(ref.node))
    let watched = ofNode.get(ref.identity)
    if (watched === undefined) ofNode.set(ref.identity, (watched = { ref, watchers: new Map() }))
    watched.watchers.set(watcher.identity, watcher)
  }

  remove(watcher: InternalRef, ref: RemoteRef): void {
    const ofNode = this.#byNode.get(nodeKey(ref.node))
    const watched = ofNode?.get(ref.identity)
    watched?.watchers.delete(watcher.identity)
    if (watched?.watchers.size === 0) ofNode?.delete(ref.identity)
  }

  /** The actor has stopped; all who watch it hear of it. */
  terminated(ref: RemoteRef): void {
    const ofNode = this.#byNode.get(nodeKey(ref.node))
    const watched = ofNode?.get(ref.identity)
    if (ofNode === undefined || watched === undefined) return
    ofNode.delete(ref.identity)
    notify(watched)
  }

  // ---- watchers of other nodes ----

  watchedBy(watcher: RemoteRef, target: InternalRef): void {
    entryOf(this.#byOthers, nodeKey(watcher.node)).set(pairOf(watcher, target), { watcher, target })
    target.tellSystem(new SystemMessage('Watch', watcher))
  }

  unwatchedBy(watcher: RemoteRef, target: InternalRef): void {
    this.#byOthers.get(nodeKey(watcher.node))?.delete(pairOf(watcher, target))
    target.tellSystem(new SystemMessage('Unwatch', watcher))
  }

  /** `target` of ours has stopped and `watcher` is being told. */
  ended(watcher: RemoteRef, target: InternalRef): void {
    this.#byOthers.get(nodeKey(watcher.node))?.delete(pairOf(watcher, target))
  }

  // ---- nodes ----

  /** Our watchers of its actors hear of their end, and its watchers of ours are forgotten. */
  nodeRemoved(node: UniqueAddress): void {
    const key = nodeKey(node)
    const ofNode = this.#byNode.get(key)
    const byNode = this.#byOthers.get(key)
    this.#byNode.delete(key)
    this.#byOthers.delete(key)
    for (const watched of ofNode?.values() ?? []) notify(watched)
    for (const { watcher, target } of byNode?.values() ?? []) {
      target.tellSystem(new SystemMessage('Unwatch', watcher))
    }
  }

  /** `node` runs at its address now: every other incarnation there has ended. */
  nodeStarted(node: UniqueAddress): void {
    for (const key of new Set([...this.#byNode.keys(), ...this.#byOthers.keys()])) {
      if (!key.startsWith(`${node.address}#`) || key === nodeKey(node)) continue
      this.nodeRemoved({ address: node.address, uid: key.slice(node.address.length + 1) })
    }
  }
}

function notify({ ref, watchers }: Watched): void {
  for (const watcher of watchers.values()) watcher.tellSystem(new SystemMessage('DeathNotice', ref))
}

function entryOf<T>(byNode: Map<string, Map<string, T>>, key: string): Map<string, T> {
  let entry = byNode.get(key)
  if (entry === undefined) byNode.set(key, (entry = new Map()))
  return entry
}

function pairOf(watcher: RemoteRef, target: InternalRef): string {
  const { path, uid } = target as LocalRef
  return `${watcher.identity} ${path}#${uid}`
}
