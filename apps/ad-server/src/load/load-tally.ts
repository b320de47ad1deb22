import { type HistogramSnapshot, LatencyHistogram } from '../latency-histogram.ts'

/**
 * What the visitors saw. At rest each ad request was served, had no content, failed, or was still
 * unanswered when the run ended.
 */
export interface LoadFigures {
  /** Ad requests, one for each page view, of three slots each. */
  readonly requests: number
  readonly served: number
  /** Ads in those answers. */
  readonly ads: number
  readonly noContent: Readonly<Record<string, number>>
  /** Requests that ended in anything but 200 or 204, beacons included, by reason. */
  readonly httpErrors: Readonly<Record<string, number>>
  /** Requests sent once more, to another node, because a connection broke; by reason. */
  readonly retries: Readonly<Record<string, number>>
  readonly impressions: number
  readonly clicks: number
  /** Page views that were due and never sent: the driver itself was late or had too many under way. */
  readonly skipped: number
  /** Requests and beacons still without an answer when the run ended. */
  readonly unanswered: number
  /** From the moment an ad request was due to the end of its answer, retries included. */
  readonly httpMs: HistogramSnapshot
}

/** Counts what becomes of the visitors' requests. */
export class LoadTally {
  readonly #httpMs = new LatencyHistogram()
  readonly #noContent = new Counts()
  readonly #httpErrors = new Counts()
  readonly #retries = new Counts()
  #requests = 0
  #served = 0
  #ads = 0
  #impressions = 0
  #clicks = 0
  #skipped = 0
  #unanswered = 0

  requested(): void {
    this.#requests++
  }

  served(ads: number, tookMs: number): void {
    this.#served++
    this.#ads += ads
    this.#httpMs.record(tookMs)
  }

  unserved(reason: string, tookMs: number): void {
    this.#noContent.add(reason)
    this.#httpMs.record(tookMs)
  }

  counted(beacon: 'impression' | 'click'): void {
    if (beacon === 'impression') this.#impressions++
    else this.#clicks++
  }

  failed(reason: string): void {
    this.#httpErrors.add(reason)
  }

  retried(reason: string): void {
    this.#retries.add(reason)
  }

  skipped(views: number): void {
    this.#skipped += views
  }

  unanswered(): void {
    this.#unanswered++
  }

  figures(): LoadFigures {
    return {
      requests: this.#requests,
      served: this.#served,
      ads: this.#ads,
      noContent: this.#noContent.byName(),
      httpErrors: this.#httpErrors.byName(),
      retries: this.#retries.byName(),
      impressions: this.#impressions,
      clicks: this.#clicks,
      skipped: this.#skipped,
      unanswered: this.#unanswered,
      httpMs: this.#httpMs.snapshot(),
    }
  }
}

/** Counters that come into being when they are first needed. Names may come from a node: few are kept. */
class Counts {
  readonly #counts = new Map<string, number>()

  add(name: string): void {
    const isKnown = this.#counts.has(name) || this.#counts.size < NAMES_MAX
    const kept = isKnown ? name.slice(0, 64) : 'other'
    this.#counts.set(kept, (this.#counts.get(kept) ?? 0) + 1)
  }

  byName(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([, a], [, b]) => b - a))
  }
}

const NAMES_MAX = 50
