/**
 * How long things took: counts in buckets whose borders grow by a twentieth.
 *
 * A quantile is wrong by at most 2.5 %, whatever the shape of the distribution, and histograms of
 * several processes add up exactly: all share the same borders, from a tenth of a microsecond to over
 * a hundred seconds. What lies outside counts in the first or the last bucket.
 */
export class LatencyHistogram {
  readonly #counts = new Float64Array(BUCKETS)
  #total = 0

  get total(): number {
    return this.#total
  }

  /** Counts one duration in milliseconds. */
  record(durationMs: number): void {
    this.#add(bucketOf(durationMs), 1)
  }

  /** Adds what another histogram has counted. Refuses (false) what is not a snapshot. */
  merge(snapshot: HistogramSnapshot): boolean {
    const isGood = snapshot.every(
      ([bucket, count]) =>
        bucket >= 0 && bucket < BUCKETS && Number.isInteger(bucket) && count >= 0,
    )
    if (isGood) for (const [bucket, count] of snapshot) this.#add(bucket, count)
    return isGood
  }

  /** All counts so far; buckets that are empty are left out. */
  snapshot(): HistogramSnapshot {
    const filled: (readonly [number, number])[] = []
    this.#counts.forEach((count, bucket) => {
      if (count > 0) filled.push([bucket, count])
    })
    return filled
  }

  /** What was counted after `earlier`, which is a snapshot of this histogram. */
  since(earlier: HistogramSnapshot): LatencyHistogram {
    const later = new LatencyHistogram()
    later.merge(this.snapshot())
    for (const [bucket, count] of earlier) later.#add(bucket, -count)
    return later
  }

  /** The duration in milliseconds that a share `q` (0 to 1) does not exceed; 0 when nothing was counted. */
  quantile(q: number): number {
    if (this.#total === 0) return 0
    const rank = Math.max(1, Math.ceil(q * this.#total))
    let seen = 0
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      seen += this.#counts[bucket] ?? 0
      if (seen >= rank) return middleOf(bucket)
    }
    return middleOf(BUCKETS - 1)
  }

  #add(bucket: number, count: number): void {
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count
    this.#total += count
  }
}

/** Pairs of bucket and count, in order of the buckets. Plain data: it travels between processes. */
export type HistogramSnapshot = readonly (readonly [bucket: number, count: number])[]

function bucketOf(durationMs: number): number {
  if (!(durationMs > SMALLEST_MS)) return 0
  return Math.min(BUCKETS - 1, Math.floor(Math.log(durationMs / SMALLEST_MS) / STEP))
}

function middleOf(bucket: number): number {
  return SMALLEST_MS * Math.exp((bucket + 0.5) * STEP)
}

const SMALLEST_MS = 0.0001
const STEP = Math.log(1.05)
const BUCKETS = 430
