import type { UniqueAddress } from '../node-address.ts'

export type JoiningEffect =
  | { readonly type: 'AskSeeds'; readonly addresses: readonly string[] }
  | { readonly type: 'Join'; readonly to: UniqueAddress }
  | { readonly type: 'StartCluster' }

/**
 * How a node finds its cluster.
 *
 * It asks all seeds whether there is a cluster where they are and joins the first that says yes. Only
 * the first seed of the list may start a cluster, and only when no other seed has one: otherwise two
 * nodes started together would each found their own.
 */
export class Joining {
  readonly #others: readonly string[]
  readonly #isFirst: boolean
  readonly #seedTimeoutMs: number
  readonly #startedAt: number
  readonly #nacks = new Set<string>()
  #joiningSince: number | undefined
  /** Somebody has a cluster: however long it takes to let us in, we do not start another one. */
  #wasAcked = false
  #isDone = false

  constructor(selfAddress: string, seeds: readonly string[], seedTimeoutMs: number, now: number) {
    this.#others = seeds.filter((seed) => seed !== selfAddress)
    this.#isFirst = seeds.length === 0 || seeds[0] === selfAddress
    this.#seedTimeoutMs = seedTimeoutMs
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
    this.#wasAcked = true
    if (this.#isDone || this.#joiningSince !== undefined) return []
    this.#joiningSince = now
    return [{ type: 'Join', to: from }]
  }

  nacked(from: UniqueAddress): readonly JoiningEffect[] {
    if (this.#isDone || this.#joiningSince !== undefined) return []
    this.#nacks.add(from.address)
    const isNobodyIn = this.#others.every((address) => this.#nacks.has(address))
    return this.#isFirst && isNobodyIn && !this.#wasAcked ? this.#startCluster() : []
  }

  welcomed(): void {
    this.#isDone = true
  }

  /** Asks again. An unanswered Join is given up after a while: its addressee may be gone, or may still be removing our predecessor. */
  tick(now: number): readonly JoiningEffect[] {
    if (this.#isDone) return []
    if (this.#joiningSince !== undefined) {
      if (now - this.#joiningSince < JOIN_PATIENCE_MS) return []
      this.#joiningSince = undefined
    }
    const isPatient = now - this.#startedAt < this.#seedTimeoutMs
    if (this.#isFirst && !this.#wasAcked && !isPatient) return this.#startCluster()
    return [{ type: 'AskSeeds', addresses: this.#others }]
  }

  #startCluster(): readonly JoiningEffect[] {
    this.#isDone = true
    return [{ type: 'StartCluster' }]
  }
}

const JOIN_PATIENCE_MS = 1_000
