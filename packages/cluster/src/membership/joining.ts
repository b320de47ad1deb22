import type { UniqueAddress } from '../node-address.ts'

export type JoiningEffect =
  | { readonly type: 'AskSeeds'; readonly addresses: readonly string[] }
  | { readonly type: 'Join'; readonly to: UniqueAddress }
  | { readonly type: 'StartCluster' }

/**
 * How a node finds its cluster.
 *
 * It asks all seeds whether there is a cluster where they are and joins the first that says yes. Only
 * the first seed of the list may start a cluster: otherwise two nodes started together would each
 * found their own. It does so at once when all other seeds say that they have none. When some do not
 * answer there may be a cluster behind a broken net, and a second one would serve the same entities.
 * So it waits until a majority of the seeds (itself included) say that they have none, and for so long
 * that a cluster which lost them would have ended by itself.
 */
export class Joining {
  readonly #others: readonly string[]
  readonly #isFirst: boolean
  readonly #patienceMs: number
  readonly #startedAt: number
  /** Who has no cluster, and when it said so. */
  readonly #nacks = new Map<string, number>()
  /** Who has one, likewise. However long it takes to let us in, we do not start another one. */
  readonly #acks = new Map<string, number>()
  #joining: { readonly to: UniqueAddress; readonly since: number } | undefined
  #isDone = false

  /** `patienceMs`: how long to look for silent seeds; at least as long as a minority needs to down itself. */
  constructor(selfAddress: string, seeds: readonly string[], patienceMs: number, now: number) {
    this.#others = [...new Set(seeds)].filter((seed) => seed !== selfAddress)
    this.#isFirst = seeds.length === 0 || seeds[0] === selfAddress
    this.#patienceMs = patienceMs
    this.#startedAt = now
  }

  get isDone(): boolean {
    return this.#isDone
  }

  start(): readonly JoiningEffect[] {
    if (this.#others.length === 0) return this.#startCluster()
    return [{ type: 'AskSeeds', addresses: this.#others }]
  }

  acked(from: UniqueAddress, now: number): readonly JoiningEffect[] {
    this.#nacks.delete(from.address)
    this.#acks.set(from.address, now)
    if (this.#isDone || this.#joining !== undefined) return []
    this.#joining = { to: from, since: now }
    return [{ type: 'Join', to: from }]
  }

  nacked(from: UniqueAddress, now: number): readonly JoiningEffect[] {
    this.#acks.delete(from.address)
    this.#nacks.set(from.address, now)
    if (this.#isDone || this.#joining !== undefined || !this.#isFirst) return []
    const isNobodyIn = this.#others.every((address) => this.#nacks.has(address))
    return isNobodyIn ? this.#startCluster() : []
  }

  welcomed(): void {
    this.#isDone = true
    this.#joining = undefined
  }

  /** We were let in and then forgotten: who did it may have gone before it told anybody. */
  again(): readonly JoiningEffect[] {
    this.#isDone = false
    this.#nacks.clear()
    return [{ type: 'AskSeeds', addresses: this.#others }]
  }

  /**
   * Asks again. Who was asked to let us in may still be removing our predecessor, so it is asked anew;
   * it may also be gone, so after a while it is given up.
   */
  tick(now: number): readonly JoiningEffect[] {
    if (this.#isDone) return []
    if (this.#joining !== undefined) {
      const { to, since } = this.#joining
      if (now - since < JOIN_PATIENCE_MS) return [{ type: 'Join', to }]
      this.#joining = undefined
    }
    if (this.#mayStartWithoutSome(now)) return this.#startCluster()
    return [{ type: 'AskSeeds', addresses: this.#others }]
  }

  #mayStartWithoutSome(now: number): boolean {
    if (!this.#isFirst || now - this.#startedAt < this.#patienceMs) return false
    for (const at of this.#acks.values()) if (now - at < this.#patienceMs) return false
    // An old answer says nothing about the present: its sender may have joined somebody since.
    const lately = [...this.#nacks.values()].filter((at) => now - at < NACK_VALID_MS).length
    return 2 * (lately + 1) > this.#others.length + 1
  }

  #startCluster(): readonly JoiningEffect[] {
    this.#isDone = true
    return [{ type: 'StartCluster' }]
  }
}

const JOIN_PATIENCE_MS = 1_500
const NACK_VALID_MS = 5_000
