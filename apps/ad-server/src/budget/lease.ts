/**
 * A serving node's purse: spending rights of each campaign, held in blocks (leases).
 *
 * Spending is local and synchronous: a decision takes from the block and is done. The next block is
 * asked for while there is still half of one left; what is left of a block goes back when it expires,
 * when nobody spends, on recall and on shutdown. The id of an impression is made from the lease and a
 * count: it tells the campaign that the node accounts for it.
 *
 * Time is monotonic, and a lease counts from when it was first asked for: the node stops spending
 * before the campaign believes it could have. Reports are repeated until they are answered.
 */
export class Leases {
  readonly #nodeId: string
  readonly #settings: LeaseSettings
  readonly #purses = new Map<string, Purse>()
  #requests = 0
  #isDue = false
  #isLeaving = false

  /** `nodeId`: this incarnation of the node. */
  constructor(nodeId: string, settings: LeaseSettings = defaultLeaseSettings) {
    this.#nodeId = nodeId
    this.#settings = settings
  }

  /** True when a block runs low: `tick` should not wait for its timer. */
  get isDue(): boolean {
    return this.#isDue
  }

  /** The new impression's request id, or undefined when no block can pay it now. Never waits. */
  spend(campaignId: string, amountMicros: number, now: number): string | undefined {
    const purse = this.#purseOf(campaignId, amountMicros)
    purse.lastUsedAt = now
    for (const block of purse.blocks) {
      if (block.expiresAt <= now || block.leftMicros < amountMicros) continue
      block.leftMicros -= amountMicros
      block.impressions++
      if (this.#isLow(purse, now)) this.#isDue = true
      return `${block.leaseId}.${block.impressions}`
    }
    purse.askedMicros = Math.max(purse.askedMicros, amountMicros)
    if (this.#isLow(purse, now)) this.#isDue = true
    return undefined
  }

  /** Asks for a first block before anybody spends, for a campaign that has just got candidates. */
  prepare(campaignId: string, amountMicros: number, now: number): void {
    // `amountMicros` is a guess at the size: what an impression really costs shows when one is paid.
    const wantMicros = amountMicros * this.#settings.impressionsFirst
    const purse = this.#purses.get(campaignId) ?? newPurse(campaignId, wantMicros, 1)
    this.#purses.set(campaignId, purse)
    if (purse.blocks.length > 0) return
    purse.lastUsedAt = now
    this.#isDue = true
  }

  /** True unless the campaign's last word was that it has no money: rights may be on their way. */
  isWaiting(campaignId: string): boolean {
    return this.#purses.get(campaignId)?.isRefused === false
  }

  /** Blocks that no campaign has booked as closed yet, open ones included. */
  get abroad(): number {
    let blocks = 0
    for (const purse of this.#purses.values()) blocks += purse.blocks.length + purse.closing.length
    return blocks
  }

  leftMicros(campaignId: string): number {
    return leftOf(this.#purses.get(campaignId)?.blocks ?? [])
  }

  /** To be called every 100 ms or so, and soon when `isDue`. */
  tick(now: number): LeaseEffect[] {
    this.#isDue = false
    const effects: LeaseEffect[] = []
    for (const purse of this.#purses.values()) {
      this.#closeUseless(purse, now)
      this.#report(purse, now, effects)
      this.#ask(purse, now, effects)
      if (isForgotten(purse, now, this.#settings)) this.#purses.delete(purse.campaignId)
    }
    return effects
  }

  /** A block arrived. One nobody waits for any more goes straight back. */
  granted(campaignId: string, grant: Grant, now: number): LeaseEffect[] {
    const purse = this.#purseOf(campaignId, 1)
    if (purse.known.has(grant.leaseId)) return []
    const request = purse.request
    const block: Block = {
      leaseId: grant.leaseId,
      grantedMicros: grant.grantedMicros,
      leftMicros: grant.grantedMicros,
      impressions: 0,
      expiresAt: -Infinity,
      reportedMicros: 0,
      reportedAt: now,
    }
    purse.known.add(grant.leaseId)
    if (request === undefined || request.requestId !== grant.requestId) {
      purse.closing.push(block)
      return [reportOf(purse, block, true, now)]
    }
    block.expiresAt = request.firstSentAt + grant.ttlMs - this.#settings.marginMs
    this.#adapt(purse, now)
    purse.request = undefined
    purse.isRefused = false
    purse.blocks.push(block)
    return []
  }

  /** There is nothing to grant now; asked again after a while. */
  refused(campaignId: string, requestId: string, now: number): void {
    const purse = this.#purses.get(campaignId)
    if (purse?.request?.requestId !== requestId) return
    purse.request = undefined
    purse.isRefused = true
    purse.askAgainAt = now + this.#settings.retryAfterMs
  }

  /** The campaign has booked a final report. */
  settled(campaignId: string, leaseId: string): void {
    const purse = this.#purses.get(campaignId)
    const at = purse?.closing.findIndex((block) => block.leaseId === leaseId) ?? -1
    if (purse === undefined || at < 0) return
    purse.closing.splice(at, 1)
    purse.known.delete(leaseId)
  }

  /** Returns everything of one campaign: it was paused or removed. Nothing is asked for until somebody spends again. */
  recall(campaignId: string, now: number): LeaseEffect[] {
    const purse = this.#purses.get(campaignId)
    if (purse === undefined) return []
    purse.lastUsedAt = -Infinity
    return closeAll(purse).map((block) => reportOf(purse, block, true, now))
  }

  /** Returns everything, before the node leaves. Afterwards no block is asked for any more. */
  returnAll(now: number): LeaseEffect[] {
    this.#isLeaving = true
    return [...this.#purses.keys()].flatMap((campaignId) => this.recall(campaignId, now))
  }

  #purseOf(campaignId: string, amountMicros: number): Purse {
    let purse = this.#purses.get(campaignId)
    if (purse === undefined) {
      const wantMicros = amountMicros * this.#settings.impressionsFirst
      this.#purses.set(campaignId, (purse = newPurse(campaignId, wantMicros, amountMicros)))
    }
    return purse
  }

  #isLow(purse: Purse, now: number): boolean {
    if (purse.request !== undefined || now < purse.askAgainAt) return false
    if (purse.blocks.length >= BLOCKS_MAX) return false
    const newest = purse.blocks.at(-1)
    if (newest === undefined) return true
    if (newest.expiresAt - now < this.#settings.renewMs) return true
    return leftOf(purse.blocks) < newest.grantedMicros / 2
  }

  /** Closes blocks that have expired, are idle, or are too small for what is asked while another is there. */
  #closeUseless(purse: Purse, now: number): void {
    const isIdle = now - purse.lastUsedAt >= this.#settings.idleMs
    purse.blocks = purse.blocks.filter((block) => {
      const isSmall = block.leftMicros < purse.askedMicros
      if (!isIdle && block.expiresAt > now && !isSmall) return true
      purse.closing.push(block)
      block.reportedAt = -Infinity
      return false
    })
  }

  #report(purse: Purse, now: number, effects: LeaseEffect[]): void {
    for (const block of purse.blocks) {
      const isDue = now - block.reportedAt >= this.#settings.reportIntervalMs
      if (isDue && spentOf(block) > block.reportedMicros)
        effects.push(reportOf(purse, block, false, now))
    }
    for (const block of purse.closing) {
      if (now - block.reportedAt >= this.#settings.repeatAfterMs)
        effects.push(reportOf(purse, block, true, now))
    }
  }

  #ask(purse: Purse, now: number, effects: LeaseEffect[]): void {
    const { request, campaignId } = purse
    if (request === undefined) {
      const isIdle = now - purse.lastUsedAt >= this.#settings.idleMs
      if (isIdle || this.#isLeaving || !this.#isLow(purse, now)) return
      this.#requests++
      const leastMicros = purse.askedMicros
      const wantMicros = Math.max(purse.wantMicros, leastMicros)
      const requestId = `${this.#nodeId}#${this.#requests}`
      purse.request = { requestId, wantMicros, leastMicros, firstSentAt: now, sentAt: now }
      effects.push({ type: 'RequestLease', campaignId, requestId, wantMicros, leastMicros })
    } else if (now - request.sentAt >= this.#settings.repeatAfterMs) {
      request.sentAt = now
      const { requestId, wantMicros, leastMicros } = request
      effects.push({ type: 'RequestLease', campaignId, requestId, wantMicros, leastMicros })
    }
  }

  /** A block should outlast the loss of the campaign's node, five seconds or so, and not lock up money for long. */
  #adapt(purse: Purse, now: number): void {
    // The first block tells nothing yet.
    const sinceMs = purse.grantedAt === -Infinity ? LASTS_LEAST_MS : now - purse.grantedAt
    purse.grantedAt = now
    if (sinceMs < LASTS_LEAST_MS) {
      const limit = Math.max(this.#settings.wantMicrosMax, purse.askedMicros)
      purse.wantMicros = Math.min(limit, purse.wantMicros * 2)
    } else if (sinceMs > LASTS_MOST_MS) {
      purse.wantMicros = Math.max(purse.askedMicros, Math.ceil(purse.wantMicros / 2))
    }
  }
}

export type LeaseEffect =
  | {
      readonly type: 'RequestLease'
      readonly campaignId: string
      readonly requestId: string
      readonly wantMicros: number
      /** One impression: less is of no use. */
      readonly leastMicros: number
    }
  | {
      readonly type: 'ReportLease'
      readonly campaignId: string
      readonly leaseId: string
      readonly spentMicros: number
      readonly isFinal: boolean
    }

/** A `LeaseGranted` of the budget. */
export interface Grant {
  readonly requestId: string
  readonly leaseId: string
  readonly grantedMicros: number
  readonly ttlMs: number
}

export interface LeaseSettings {
  /** The first block pays about this many impressions. */
  readonly impressionsFirst: number
  /** Most asked for at once: what a crash can lock up until it is recovered. */
  readonly wantMicrosMax: number
  /** How long before its end a lease is replaced. */
  readonly renewMs: number
  /** Taken off a lease's time, for clocks that do not run alike. */
  readonly marginMs: number
  /** How often spending is reported while a block is open. */
  readonly reportIntervalMs: number
  /** How long an answer may take before the message is sent again. */
  readonly repeatAfterMs: number
  /** How long to leave a campaign alone that had nothing to grant. */
  readonly retryAfterMs: number
  /** After this long without a use the rest goes back. */
  readonly idleMs: number
}

export const defaultLeaseSettings: LeaseSettings = {
  impressionsFirst: 20,
  wantMicrosMax: 20_000_000,
  renewMs: 5_000,
  marginMs: 1_000,
  reportIntervalMs: 500,
  repeatAfterMs: 1_000,
  retryAfterMs: 1_000,
  idleMs: 10_000,
}

interface Block {
  readonly leaseId: string
  readonly grantedMicros: number
  leftMicros: number
  impressions: number
  expiresAt: number
  reportedMicros: number
  reportedAt: number
}

/** All of one campaign. */
interface Purse {
  readonly campaignId: string
  /** Open blocks, oldest first. */
  blocks: Block[]
  /** Blocks on their way back. */
  readonly closing: Block[]
  /** Ids of all the above: a grant delivered twice is one grant. */
  readonly known: Set<string>
  request:
    | {
        readonly requestId: string
        readonly wantMicros: number
        readonly leastMicros: number
        readonly firstSentAt: number
        sentAt: number
      }
    | undefined
  wantMicros: number
  /** The largest amount asked for so far: a block must pay at least this. */
  askedMicros: number
  isRefused: boolean
  lastUsedAt: number
  grantedAt: number
  askAgainAt: number
}

function newPurse(campaignId: string, wantMicros: number, askedMicros: number): Purse {
  return {
    campaignId,
    blocks: [],
    closing: [],
    known: new Set(),
    request: undefined,
    wantMicros,
    askedMicros,
    isRefused: false,
    lastUsedAt: -Infinity,
    grantedAt: -Infinity,
    askAgainAt: -Infinity,
  }
}

function spentOf(block: Block): number {
  return block.grantedMicros - block.leftMicros
}

function leftOf(blocks: readonly Block[]): number {
  let left = 0
  for (const block of blocks) left += block.leftMicros
  return left
}

function reportOf(purse: Purse, block: Block, isFinal: boolean, now: number): LeaseEffect {
  block.reportedMicros = spentOf(block)
  block.reportedAt = now
  const { campaignId } = purse
  return {
    type: 'ReportLease',
    campaignId,
    leaseId: block.leaseId,
    spentMicros: block.reportedMicros,
    isFinal,
  }
}

function closeAll(purse: Purse): readonly Block[] {
  purse.closing.push(...purse.blocks)
  purse.blocks = []
  purse.request = undefined
  return purse.closing
}

function isForgotten(purse: Purse, now: number, settings: LeaseSettings): boolean {
  const isEmpty = purse.blocks.length + purse.closing.length === 0 && purse.request === undefined
  return isEmpty && now - purse.lastUsedAt >= settings.idleMs
}

const LASTS_LEAST_MS = 5_000
const LASTS_MOST_MS = 20_000
/** One in use and one waiting. */
const BLOCKS_MAX = 2
