import { bucketOf, namespaceOf, parseMapKey, siteOf } from './serve-index.ts'
import type { ServeView } from './serve-view.ts'

/**
 * What the serve path reads: all views of a slot under one key.
 *
 * The replica keeps a slot in up to 32 maps; probing them per request costs more than the rest of the
 * decision together. So a listener of the replica copies every change into this index at once, and a
 * request pays one look-up.
 *
 * Invariant: a slot is in the map exactly while it holds views; a site's campaigns are counted by
 * their views.
 */
export class FlatIndex {
  readonly #slots = new Map<string, Slot>()
  readonly #campaigns = new Map<string, Map<string, number>>()
  #size = 0

  /** Views held, the expired ones nobody has read since included. */
  get size(): number {
    return this.#size
  }

  /** Slots with at least one view. */
  get slots(): number {
    return this.#slots.size
  }

  /**
   * The views of a slot that have not expired by `now`. The array is the index's own: it is not
   * copied, must not be changed, and is good until the current turn ends.
   */
  read(site: string, slot: string, now: number): readonly ServeView[] {
    const namespace = namespaceOf(site, slot)
    const held = this.#slots.get(namespace)
    if (held === undefined) return NOTHING
    if (held.soonestExpiryMs <= now) this.#dropExpired(namespace, held, now)
    return held.views
  }

  /** The campaigns that have views on a site, with how many. */
  campaignsOf(site: string): ReadonlyMap<string, number> {
    return this.#campaigns.get(site) ?? NO_CAMPAIGNS
  }

  /** The views of a slot, expired or not: for maintenance. The array is the index's own. */
  viewsOf(namespace: string): readonly ServeView[] {
    return this.#slots.get(namespace)?.views ?? NOTHING
  }

  /** All slots that show something. */
  namespaces(): Iterable<string> {
    return this.#slots.keys()
  }

  /** The site's slots that show something. What has expired is gone from here before it is swept. */
  *namespacesOf(site: string): Generator<string> {
    const prefix = namespaceOf(site, '')
    for (const namespace of this.#slots.keys()) if (namespace.startsWith(prefix)) yield namespace
  }

  /** Copies a change of one bucket. False when the key is none of the index's, and nothing is done. */
  apply(key: string, updated: Iterable<ServeView>, removed: Iterable<string>): boolean {
    const parsed = parseMapKey(key)
    if (parsed === undefined) return false
    const { namespace } = parsed
    let held = this.#slots.get(namespace)
    if (held !== undefined)
      for (const creativeId of removed) this.#remove(namespace, held, creativeId)
    for (const view of updated) {
      if (held === undefined) this.#slots.set(namespace, (held = newSlot()))
      this.#upsert(namespace, held, view)
    }
    if (held?.views.length === 0) this.#slots.delete(namespace)
    return true
  }

  /** Makes the bucket hold exactly `views`: for the first look at a replica, and for a deleted key. */
  replace(key: string, views: Iterable<ServeView>): boolean {
    const parsed = parseMapKey(key)
    if (parsed === undefined) return false
    const updated = [...views]
    const stays = new Set(updated.map((view) => view.creativeId))
    const removed: string[] = []
    for (const { creativeId } of this.#slots.get(parsed.namespace)?.views ?? NOTHING) {
      if (bucketOf(creativeId) === parsed.bucket && !stays.has(creativeId)) removed.push(creativeId)
    }
    return this.apply(key, updated, removed)
  }

  #upsert(namespace: string, held: Slot, view: ServeView): void {
    const at = positionOf(held.views, view.creativeId)
    const before = held.views[at]
    if (before === undefined) {
      held.views.push(view)
      this.#size++
      this.#count(namespace, view, 1)
    } else {
      held.views[at] = view
      if (before.campaignId !== view.campaignId) {
        this.#count(namespace, before, -1)
        this.#count(namespace, view, 1)
      }
    }
    held.soonestExpiryMs = Math.min(held.soonestExpiryMs, view.expiresAtMs)
  }

  #remove(namespace: string, held: Slot, creativeId: string): void {
    const at = positionOf(held.views, creativeId)
    const view = held.views[at]
    if (view === undefined) return
    this.#count(namespace, view, -1)
    // The soonest expiry may now be too early; the next read after it looks again.
    held.views.splice(at, 1)
    this.#size--
  }

  #dropExpired(namespace: string, held: Slot, now: number): void {
    let kept = 0
    let soonest = Infinity
    for (const view of held.views) {
      if (view.expiresAtMs <= now) {
        this.#count(namespace, view, -1)
        continue
      }
      held.views[kept++] = view
      soonest = Math.min(soonest, view.expiresAtMs)
    }
    this.#size -= held.views.length - kept
    held.views.length = kept
    held.soonestExpiryMs = soonest
    if (kept === 0) this.#slots.delete(namespace)
  }

  #count(namespace: string, { campaignId }: ServeView, change: 1 | -1): void {
    const site = siteOf(namespace)
    let campaigns = this.#campaigns.get(site)
    if (campaigns === undefined) this.#campaigns.set(site, (campaigns = new Map()))
    const views = (campaigns.get(campaignId) ?? 0) + change
    if (views > 0) campaigns.set(campaignId, views)
    else campaigns.delete(campaignId)
    if (campaigns.size === 0) this.#campaigns.delete(site)
  }
}

interface Slot {
  readonly views: ServeView[]
  /** No view expires before this moment. */
  soonestExpiryMs: number
}

function newSlot(): Slot {
  return { views: [], soonestExpiryMs: Infinity }
}

/** A slot holds tens of views: walking them is cheaper than keeping a second map per slot. */
function positionOf(views: readonly ServeView[], creativeId: string): number {
  for (let i = 0; i < views.length; i++) if (views[i]?.creativeId === creativeId) return i
  return -1
}

const NO_CAMPAIGNS: ReadonlyMap<string, number> = new Map()
const NOTHING: readonly ServeView[] = Object.freeze([])
