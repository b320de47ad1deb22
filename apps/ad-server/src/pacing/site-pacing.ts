import type { PacingSettings } from './pacing.ts'
import { DAY_MS } from './day-clock.ts'
import { PacingController, defaultPacingSettings } from './pacing.ts'
import { RateTracker } from './rate-tracker.ts'
import type { ScenarioClock } from './scenario-clock.ts'
import type { CampaignSpend, SpendPool } from './spend-ratio.ts'
import { isCurrent, poolOf, spendRatio } from './spend-ratio.ts'
import type { TrafficShape } from './traffic-shape.ts'

/**
 * The pacing gate of one site on one node: rate, shape, spending and controller together.
 *
 * Every `now` is real time; days and the hours of the shape are the scenario's, and the day the
 * controller plans for is as short as the scenario's day is in reality.
 *
 * Campaigns publish what they have spent, over all nodes; the controller sees their sum. What this
 * node reserved since is added until the next publication includes it. Without any figures the gate is
 * open: not knowing must not stop serving.
 */
export class SitePacing {
  readonly #clock: ScenarioClock
  readonly #shape: TrafficShape
  readonly #controller: PacingController
  readonly #rate = new RateTracker()
  readonly #spends = new Map<string, CampaignSpend>()
  #servingNodes = 1
  #pool: SpendPool | undefined
  #pooledAt = -Infinity
  #isStale = true
  #fractionLeft = 0
  #lastArrivalAt = NaN

  /** `shape` is this gate's own: it learns from what arrives here. */
  constructor(
    shape: TrafficShape,
    clock: ScenarioClock,
    settings: PacingSettings = defaultPacingSettings,
  ) {
    this.#shape = shape
    this.#clock = clock
    this.#controller = new PacingController({ ...settings, daySeconds: clock.daySeconds })
  }

  get ratePerSecond(): number {
    return this.#rate.ratePerSecond
  }

  /** How many live nodes serve; the target is divided by it. */
  servedBy(nodes: number): void {
    this.#servingNodes = Math.max(1, nodes)
  }

  /** Takes in a campaign's published figures. What was pending here is part of them from now on. */
  publish(spend: CampaignSpend): void {
    const known = this.#spends.get(spend.campaignId)
    this.#spends.set(spend.campaignId, spend)
    this.#isStale = true
    if (known === undefined) {
      this.#controller.reset()
    } else if (spend.dayStartMs > known.dayStartMs) {
      this.#controller.rollOver(this.#fractionLeft)
      this.#fractionLeft = 0
    }
  }

  /** The campaign no longer has candidates on this site. */
  forget(campaignId: string): void {
    if (!this.#spends.delete(campaignId)) return
    this.#controller.reset()
    this.#isStale = true
  }

  /** Counts a request, refused ones included, by the impressions it could become. */
  arrived(now: number, slots: number = 1): void {
    this.#rate.arrived(now, slots)
    const at = this.#clock.at(now)
    if (Math.floor(at / DAY_MS) > Math.floor(this.#lastArrivalAt / DAY_MS))
      this.#shape.rollDay(this.#lastArrivalAt)
    this.#lastArrivalAt = at
    this.#shape.observe(at, this.#rate.ratePerSecond)
  }

  /** Adds what was reserved here and is not published yet. */
  reserved(campaignId: string, amountMicros: number): void {
    const spend = this.#spends.get(campaignId)
    if (spend === undefined) return
    this.#spends.set(campaignId, withPending(spend, spend.pendingMicros + amountMicros))
  }

  /** The probability with which the next request should be refused. */
  throttle(now: number): number {
    const pool = this.#poolAt(now)
    const at = this.#clock.at(now)
    if (pool === undefined) return this.#isAllSpent(at) ? 1 : 0
    const { startsAtMs, endsAtMs } = pool
    return this.#controller.throttle(
      {
        budgetMicros: pool.budgetMicros,
        spentMicros: pool.spentMicros,
        spendRatio: spendRatio(pool.spentMicros, pool.expectedMicros, pool.budgetMicros),
        averageCpmMicros: pool.averageCpmMicros,
        ratePerSecond: this.#rate.ratePerSecond,
        shapeMultiplier: this.#shape.relativeVolume(at),
        hasShape: this.#shape.isWarm,
        elapsedSeconds: this.#clock.realDurationOf(at - startsAtMs) / 1_000,
        remainingSeconds: this.#clock.realDurationOf(endsAtMs - at) / 1_000,
        servingNodes: this.#servingNodes,
        gainBoost: this.#shape.gainBoost(at),
      },
      now,
    )
  }

  /** Adding up campaigns is too much for every request; a quarter of a second changes little. */
  #poolAt(now: number): SpendPool | undefined {
    const isOld = now - this.#pooledAt >= POOL_INTERVAL_MS || now < this.#pooledAt
    if (!this.#isStale && !isOld) return this.#pool
    const at = this.#clock.at(now)
    this.#pool = poolOf(this.#spends.values(), this.#shape, at)
    this.#pooledAt = now
    this.#isStale = false
    if (this.#pool === undefined && this.#fractionLeft === 0) this.#fractionLeft = this.#left(at)
    return this.#pool
  }

  /** True when every campaign has figures of the current day and none can pay another impression. */
  #isAllSpent(at: number): boolean {
    let known = 0
    for (const spend of this.#spends.values()) if (isCurrent(spend, at)) known++
    return known > 0 && known === this.#spends.size
  }

  /** Share of the day that is left when the last campaign has run out. */
  #left(at: number): number {
    let left = 0
    for (const { dayStartMs, dayEndMs } of this.#spends.values())
      left = Math.max(left, (dayEndMs - at) / (dayEndMs - dayStartMs))
    return Math.min(1, left)
  }
}

function withPending(spend: CampaignSpend, pendingMicros: number): CampaignSpend {
  return {
    campaignId: spend.campaignId,
    budgetMicros: spend.budgetMicros,
    spentMicros: spend.spentMicros,
    pendingMicros,
    cpmMicros: spend.cpmMicros,
    dayStartMs: spend.dayStartMs,
    dayEndMs: spend.dayEndMs,
  }
}

const POOL_INTERVAL_MS = 250
