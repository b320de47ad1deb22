import type {
  BudgetEvent,
  BudgetOutcome,
  BudgetReply,
  BudgetSettings,
  BudgetState,
  DayRolled,
  LeaseReply,
  LeaseReport,
  LeaseRequest,
  LeaseSettled,
  LeaseState,
  LeasesRecovered,
  ReserveReply,
  SpendRecorded,
  SpendReport,
} from './budget-protocol.ts'
import { defaultBudgetSettings } from './budget-protocol.ts'
import { RecentIds } from './recent-ids.ts'

/**
 * One campaign's money.
 *
 * Serving nodes do not ask for every impression. They are granted blocks of spending rights (leases)
 * and spend from them alone; a block is recorded as outstanding before it is granted, so that after
 * any crash the rights that are abroad are still known. Who has no lease reserves by message.
 *
 * The rights of a dead node come back when they can do no harm any more: its lease has expired, and so
 * have the tokens of all it served. What was shown has been reported by a beacon by then, and is
 * charged; the rest was never seen by anyone.
 *
 * Invariant, at every step and in every state written: spent + outstanding <= budget. The one clock
 * used is monotonic; days come as numbers.
 */
export class Budget {
  readonly #settings: BudgetSettings
  readonly #campaignId: string
  readonly #incarnation: string
  readonly #recent: RecentIds
  readonly #leases = new Map<string, Lease>()
  #day: number
  #budgetMicros: number
  #spentMicros: number
  #outstandingMicros = 0
  #isExhausted: boolean
  #leasesGranted: number
  #uncollectedMicros = 0

  /** Goes on from what was written last. Leases abroad get their full time again: nobody knows how much of it is over. */
  constructor(state: BudgetState, now: number, settings: BudgetSettings = defaultBudgetSettings) {
    this.#settings = settings
    this.#campaignId = state.campaignId
    this.#incarnation = state.incarnation
    this.#day = state.day
    this.#budgetMicros = state.budgetMicros
    this.#spentMicros = state.spentMicros
    this.#isExhausted = state.isExhausted
    this.#leasesGranted = state.leasesGranted
    this.#recent = new RecentIds(settings.idWindowMs, settings.idsMax)
    for (const id of state.recentIds) this.#recent.add(id, now)
    for (const lease of state.leases) this.#open(lease, now)
    this.#assertCovered()
  }

  /** Number of the day the spending belongs to. */
  get day(): number {
    return this.#day
  }

  get budgetMicros(): number {
    return this.#budgetMicros
  }

  get spentMicros(): number {
    return this.#spentMicros
  }

  /** Granted to nodes and not yet reported as spent. */
  get outstandingMicros(): number {
    return this.#outstandingMicros
  }

  /** What can still be granted. */
  get freeMicros(): number {
    return this.#budgetMicros - this.#spentMicros - this.#outstandingMicros
  }

  /** Shown but not paid: beacons without a reservation when no money was left, or of a day that is over. */
  get uncollectedMicros(): number {
    return this.#uncollectedMicros
  }

  get isExhausted(): boolean {
    return this.#isExhausted
  }

  /** Everything that must survive a crash. */
  state(): BudgetState {
    return {
      campaignId: this.#campaignId,
      incarnation: this.#incarnation,
      day: this.#day,
      budgetMicros: this.#budgetMicros,
      spentMicros: this.#spentMicros,
      isExhausted: this.#isExhausted,
      leasesGranted: this.#leasesGranted,
      leases: Array.from(this.#leases.values(), (lease) => ({
        leaseId: lease.leaseId,
        nodeId: lease.nodeId,
        requestId: lease.requestId,
        grantedMicros: lease.grantedMicros,
        reportedMicros: lease.reportedMicros,
        beaconedMicros: lease.beaconedMicros,
      })),
      recentIds: this.#recent.list(),
    }
  }

  /** Reserves for one impression. The same id again costs nothing and gets the same answer. */
  tryReserve(requestId: string, amountMicros: number, now: number): BudgetOutcome<ReserveReply> {
    assertAmount(amountMicros)
    if (this.#recent.has(requestId, now)) return unchanged(this.#reservedReply())
    if (amountMicros > this.freeMicros) return unchanged({ type: 'InsufficientBudget' })
    this.#recent.add(requestId, now)
    this.#spentMicros += amountMicros
    return this.#written(this.#reservedReply())
  }

  /**
   * An impression was shown. Nothing happens when its id was reserved; an unknown id is charged, so
   * far as there is money. An id from a lease is the node's to report; it only proves a dead node's spending.
   */
  recordSpend(spend: SpendReport, now: number): BudgetOutcome<SpendRecorded> {
    assertAmount(spend.amountMicros)
    const events: BudgetEvent[] = []
    // Only forward: a late beacon says nothing of the calendar, and a day begun twice is paid twice.
    if (spend.day > this.#day) this.#roll(spend.day, events)
    if (this.#isLeased(spend.requestId)) {
      this.#beaconed(spend)
      return { reply: this.#recordedReply(0), write: 'Later', events }
    }
    if (this.#recent.has(spend.requestId, now))
      return { reply: this.#recordedReply(0), write: events.length > 0 ? 'Later' : 'None', events }
    const isLate = spend.day < this.#day
    const chargedMicros = isLate ? 0 : Math.min(spend.amountMicros, this.freeMicros)
    this.#recent.add(spend.requestId, now)
    this.#spentMicros += chargedMicros
    this.#uncollectedMicros += spend.amountMicros - chargedMicros
    return this.#written(this.#recordedReply(chargedMicros), events)
  }

  /**
   * Grants a block of spending rights. A request repeated because its answer was lost gets the same
   * block. Near the end of the money no node gets more than its share of the rest, but never less than
   * one impression while there is money for one.
   */
  grantLease(request: LeaseRequest, now: number): BudgetOutcome<LeaseReply> {
    assertAmount(request.leastMicros)
    assertAmount(request.wantMicros)
    for (const lease of this.#leases.values()) {
      if (lease.nodeId === request.nodeId && lease.requestId === request.requestId)
        return unchanged(this.#grantedReply(lease))
    }
    const free = this.freeMicros
    const { requestId, leastMicros, wantMicros } = request
    const share = Math.floor(free / Math.max(1, request.servingNodes))
    const grantedMicros = Math.min(free, wantMicros, Math.max(leastMicros, share))
    if (grantedMicros < leastMicros)
      return unchanged({ type: 'LeaseRefused', requestId, reason: 'BudgetExhausted' })
    this.#leasesGranted++
    const lease = this.#open(
      {
        leaseId: `${this.#incarnation}~${this.#leasesGranted}`,
        nodeId: request.nodeId,
        requestId,
        grantedMicros,
        reportedMicros: 0,
        beaconedMicros: 0,
      },
      now,
    )
    return this.#written(this.#grantedReply(lease))
  }

  /**
   * A node reports what it has spent of a lease in all, or returns it. Reports may be lost, repeated
   * and late: only what is new in the highest one counts. A lease that is closed stays closed.
   */
  settleLease(report: LeaseReport): BudgetOutcome<LeaseSettled> {
    const reply: LeaseSettled = { type: 'LeaseSettled', leaseId: report.leaseId }
    const lease = this.#leases.get(report.leaseId)
    if (lease === undefined) return unchanged(reply)
    this.#book(lease, report.spentMicros)
    if (report.isFinal) this.#close(lease)
    const outcome = this.#written(reply)
    // Money moved from outstanding to spent: forgetting it loses no right and grants none.
    return report.isFinal ? outcome : { reply, write: 'Later', events: outcome.events }
  }

  /** Takes back what nodes that are gone can no longer have shown. Call it every few seconds. */
  recoverLeases(now: number, isLive: (nodeId: string) => boolean): BudgetOutcome<LeasesRecovered> {
    let recoveredMicros = 0
    let leases = 0
    for (const lease of this.#leases.values()) {
      if (now < lease.expiresAt + this.#settings.beaconWindowMs || isLive(lease.nodeId)) continue
      this.#book(lease, lease.beaconedMicros)
      recoveredMicros += lease.grantedMicros - lease.reportedMicros
      leases++
      this.#close(lease)
    }
    const reply: LeasesRecovered = { type: 'LeasesRecovered', leases, recoveredMicros }
    return leases === 0 ? unchanged(reply) : this.#written(reply)
  }

  /** The advertiser's calendar says it is `day`. A later day starts with nothing spent; rights abroad stay abroad. */
  rollDay(day: number): BudgetOutcome<DayRolled> {
    const events: BudgetEvent[] = []
    const before = this.#day
    this.#roll(day, events)
    const reply: DayRolled = { type: 'DayRolled', day: this.#day, isNew: this.#day > before }
    return { reply, write: this.#day === before ? 'None' : 'BeforeReply', events }
  }

  /** Refused when less than what is spent and abroad: rights already granted cannot be called back. */
  setBudget(budgetMicros: number): BudgetOutcome<BudgetReply> {
    const leastMicros = this.#spentMicros + this.#outstandingMicros
    if (!Number.isSafeInteger(budgetMicros) || budgetMicros < leastMicros)
      return unchanged({ type: 'BudgetRejected', leastMicros })
    this.#budgetMicros = budgetMicros
    return this.#written({ type: 'BudgetChanged', budgetMicros })
  }

  #open(state: LeaseState, now: number): Lease {
    const lease: Lease = {
      leaseId: state.leaseId,
      nodeId: state.nodeId,
      requestId: state.requestId,
      grantedMicros: state.grantedMicros,
      reportedMicros: state.reportedMicros,
      beaconedMicros: state.beaconedMicros,
      expiresAt: now + this.#settings.leaseTtlMs,
      beacons: new Set(),
    }
    this.#leases.set(lease.leaseId, lease)
    this.#outstandingMicros += lease.grantedMicros - lease.reportedMicros
    return lease
  }

  /** Moves money from outstanding to spent until `totalMicros` of the lease are spent, never beyond the lease. */
  #book(lease: Lease, totalMicros: number): void {
    const total = Math.min(lease.grantedMicros, totalMicros)
    const more = Math.max(0, total - lease.reportedMicros)
    lease.reportedMicros += more
    this.#outstandingMicros -= more
    this.#spentMicros += more
  }

  #close(lease: Lease): void {
    this.#outstandingMicros -= lease.grantedMicros - lease.reportedMicros
    this.#leases.delete(lease.leaseId)
  }

  #roll(day: number, events: BudgetEvent[]): void {
    if (day > this.#day) {
      this.#day = day
      this.#spentMicros = 0
      this.#cross(events)
    } else if (day < this.#day - 1) {
      // A clock that had jumped days ahead is back: without this no midnight would count until it gets there.
      this.#day = day
    }
  }

  /** Ids of leased impressions carry the lease: no list of closed leases is needed to know them. */
  #isLeased(requestId: string): boolean {
    return requestId.startsWith(`${this.#incarnation}~`)
  }

  #beaconed(spend: SpendReport): void {
    const dot = spend.requestId.lastIndexOf('.')
    const lease = this.#leases.get(spend.requestId.slice(0, dot))
    if (lease === undefined || lease.beacons.has(spend.requestId)) return
    lease.beacons.add(spend.requestId)
    lease.beaconedMicros = Math.min(lease.grantedMicros, lease.beaconedMicros + spend.amountMicros)
  }

  #cross(events: BudgetEvent[]): void {
    const left = this.#budgetMicros - this.#spentMicros
    const isExhausted = left < this.#settings.smallestSpendMicros
    if (isExhausted === this.#isExhausted) return
    this.#isExhausted = isExhausted
    events.push({ type: isExhausted ? 'CampaignBudgetExhausted' : 'CampaignBudgetReset' })
  }

  #written<R>(reply: R, events: BudgetEvent[] = []): BudgetOutcome<R> {
    this.#cross(events)
    this.#assertCovered()
    return { reply, write: 'BeforeReply', events }
  }

  #reservedReply(): ReserveReply {
    const remainingMicros = Math.max(0, this.freeMicros)
    return { type: 'Reserved', remainingMicros }
  }

  #recordedReply(chargedMicros: number): SpendRecorded {
    return { type: 'SpendRecorded', chargedMicros, spentTodayMicros: this.#spentMicros }
  }

  #grantedReply(lease: Lease): LeaseReply {
    const { requestId, leaseId, grantedMicros } = lease
    return {
      type: 'LeaseGranted',
      requestId,
      leaseId,
      grantedMicros,
      ttlMs: this.#settings.leaseTtlMs,
    }
  }

  #assertCovered(): void {
    if (this.freeMicros < 0)
      throw new Error(
        `broken invariant: spent ${this.#spentMicros} + outstanding ${this.#outstandingMicros} > budget ${this.#budgetMicros}`,
      )
  }
}

/** The budget of a campaign that has never spent. `incarnation`: random, new whenever state was lost. */
export function freshBudget(
  campaignId: string,
  incarnation: string,
  budgetMicros: number,
  day: number,
): BudgetState {
  return {
    campaignId,
    incarnation,
    day,
    budgetMicros,
    spentMicros: 0,
    isExhausted: false,
    leasesGranted: 0,
    leases: [],
    recentIds: [],
  }
}

function unchanged<R>(reply: R): BudgetOutcome<R> {
  return { reply, write: 'None', events: [] }
}

function assertAmount(amountMicros: number): void {
  if (!Number.isSafeInteger(amountMicros) || amountMicros <= 0)
    throw new RangeError(`an amount is a whole number of micros > 0, got ${amountMicros}`)
}

interface Lease extends LeaseState {
  reportedMicros: number
  beaconedMicros: number
  /** When the node stops spending from it at the latest. */
  readonly expiresAt: number
  readonly beacons: Set<string>
}
