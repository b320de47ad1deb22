import { compareText, nodeKey, type UniqueAddress } from '../node-address.ts'
import { FailureDetector, type FailureDetectorSettings } from './failure-detector.ts'

export interface HeartbeatSettings extends FailureDetectorSettings {
  readonly monitoredBy: number
}

/**
 * Whom this node sends heartbeats to, and what it makes of their answers.
 *
 * Nodes stand in a ring in the order of a hash, and each watches the next few: everybody is watched
 * by as many, however large the cluster. Unreachable ones on the way are watched in addition, so that
 * they are noticed when they return and their neighbours are not left alone.
 *
 * One loop runs everything here, so a pause of our own looks like silence of all others. The monitor
 * knows when its tick should have come, and takes that much off everybody's silence.
 */
export class Heartbeats {
  readonly #self: UniqueAddress
  readonly #settings: HeartbeatSettings
  readonly #watched = new Map<
    string,
    { readonly node: UniqueAddress; readonly detector: FailureDetector }
  >()
  readonly #suspected = new Set<string>()
  #sequence = 0
  #lastTickAt: number | undefined

  constructor(self: UniqueAddress, settings: HeartbeatSettings) {
    this.#self = self
    this.#settings = settings
  }

  get watched(): readonly UniqueAddress[] {
    return [...this.#watched.values()].map(({ node }) => node)
  }

  /** The cluster's nodes, and which of them anybody cannot reach. */
  membersChanged(
    nodes: readonly UniqueAddress[],
    unreachable: ReadonlySet<string>,
    now: number,
  ): void {
    const chosen = receivers(this.#self, nodes, unreachable, this.#settings.monitoredBy)
    const present = new Set(nodes.map(nodeKey))
    for (const key of this.#watched.keys()) {
      // One that we suspect goes on being asked, so that the suspicion can end.
      const stays = chosen.has(key) || (present.has(key) && this.#suspected.has(key))
      if (stays) continue
      this.#watched.delete(key)
      this.#suspected.delete(key)
    }
    for (const [key, node] of chosen) {
      if (!this.#watched.has(key)) {
        this.#watched.set(key, { node, detector: new FailureDetector(this.#settings, now) })
      }
    }
  }

  /** Whom to send a heartbeat now, under which number. */
  tick(now: number): { readonly sequence: number; readonly to: readonly UniqueAddress[] } {
    const lateMs =
      this.#lastTickAt === undefined
        ? 0
        : now - this.#lastTickAt - this.#settings.heartbeatIntervalMs
    this.#lastTickAt = now
    if (lateMs > this.#settings.heartbeatIntervalMs) {
      for (const { detector } of this.#watched.values()) detector.excuse(lateMs, now)
    }
    return { sequence: ++this.#sequence, to: this.watched }
  }

  answered(by: UniqueAddress, now: number): void {
    this.#watched.get(nodeKey(by))?.detector.heartbeat(now)
  }

  /** Whose reachability looks different from before. */
  check(now: number): readonly { readonly node: UniqueAddress; readonly isReachable: boolean }[] {
    const changes: { readonly node: UniqueAddress; readonly isReachable: boolean }[] = []
    for (const [key, { node, detector }] of this.#watched) {
      const isReachable = detector.isAvailable(now)
      if (isReachable !== this.#suspected.has(key)) continue
      if (isReachable) this.#suspected.delete(key)
      else this.#suspected.add(key)
      changes.push({ node, isReachable })
    }
    return changes
  }
}

function receivers(
  self: UniqueAddress,
  nodes: readonly UniqueAddress[],
  unreachable: ReadonlySet<string>,
  count: number,
): ReadonlyMap<string, UniqueAddress> {
  const ring = nodes
    .map((node) => ({ node, key: nodeKey(node), place: ringPlace(node.uid) }))
    .sort((a, b) => a.place - b.place || compareText(a.key, b.key))
  const selfKey = nodeKey(self)
  const start = ring.findIndex(({ key }) => key === selfKey)
  const chosen = new Map<string, UniqueAddress>()
  let reachable = 0
  for (let step = 1; step < ring.length && reachable < count; step++) {
    const each = ring[(start + step) % ring.length]
    if (each === undefined || each.key === selfKey) continue
    chosen.set(each.key, each.node)
    if (!unreachable.has(each.key)) reachable++
  }
  return chosen
}

/** FNV-1a, 32 bit. */
function ringPlace(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
