import { fnv1a32 } from './fnv-1a.ts'
import type { Candidate, ServeView } from './serve-view.ts'
import type { ViewFilter } from './view-filter.ts'
import { matches } from './view-filter.ts'

/**
 * The ServeIndex: which creatives may be shown in which slot.
 *
 * A namespace is one slot of one site. It is cut into 32 buckets by a hash of the creative's id;
 * each bucket is a replicated map creativeId -> ServeView of its own, so that an auction that
 * changes ten creatives sends eight to ten small maps and not the whole slot.
 *
 * Every operation is a plan: from what the buckets hold now to the edits each of them needs. A plan
 * is made inside the update function of the replica, never from an earlier read, because what was
 * expired or removable a moment ago may have been put again since.
 */
export const BUCKETS = 32

/** How long an auction's candidates are good for, unless they are refreshed. */
export const CANDIDATE_TTL_MS = 7_200_000

/** Most entries a sweep takes from one bucket, so that one run never holds up serving. */
export const SWEEP_MAX = 500

/** What one bucket holds, by creative: a replicated map, or any other. */
export interface BucketEntries {
  get(creativeId: string): ServeView | undefined
  keys(): Iterable<string>
  values(): Iterable<ServeView>
}

/** Buckets by number; those that hold nothing may be left out. */
export type Buckets = ReadonlyMap<number, BucketEntries>

/** What one bucket needs. Only buckets that change appear in a plan. */
export interface BucketEdit {
  readonly bucket: number
  readonly upserts: readonly ServeView[]
  readonly drops: readonly string[]
}

export interface PutOptions {
  readonly now: number
  readonly ttlMs: number
  /** From a `VersionClock`. */
  readonly version: number
  /** Plans for this bucket alone, which `current` then has to hold; without it for all. */
  readonly bucket?: number
  /** Creatives to keep although the auction did not name them. */
  readonly keepCreativeIds?: ReadonlySet<string>
}

export function namespaceOf(site: string, slot: string): string {
  return `${site}|${slot}`
}

export function siteOf(namespace: string): string {
  return namespace.slice(0, namespace.indexOf('|'))
}

/** Key of the replicated map of one bucket: `site-123|slot-banner-top|bucket-7`. */
export function mapKey(namespace: string, bucket: number): string {
  return `${namespace}${BUCKET_MARK}${bucket}`
}

/** The namespace and bucket of a key, or undefined when the key is not one of the index. */
export function parseMapKey(key: string): { namespace: string; bucket: number } | undefined {
  const mark = key.lastIndexOf(BUCKET_MARK)
  const digits = mark < 0 ? '' : key.slice(mark + BUCKET_MARK.length)
  const bucket = Number(digits)
  if (!/^\d{1,2}$/.test(digits) || bucket >= BUCKETS) return undefined
  const namespace = key.slice(0, mark)
  return namespace.indexOf('|') > 0 ? { namespace, bucket } : undefined
}

export function bucketOf(creativeId: string): number {
  return fnv1a32(creativeId) & (BUCKETS - 1)
}

/** How long RefreshTTL lets entries live: a tenth longer than the day in which the budget returns. */
export function refreshTtlMs(daySeconds: number): number {
  return Math.trunc(daySeconds * 1_100)
}

/**
 * Put: `candidates` replace what the slot showed so far. `current` holds all buckets of the slot.
 *
 * An empty auction changes nothing: a slot is cleared by removing, never by failing to find. A
 * candidate of an older epoch than the entry it would replace lost a race with a takedown and is left out.
 * An entry that stays as it is and has more than half of its life before it is not written again: most
 * auctions confirm what is there, and must not send it around the cluster every few minutes.
 */
export function planPut(
  current: Buckets,
  candidates: readonly Candidate[],
  options: PutOptions,
): BucketEdit[] {
  if (candidates.length === 0) return []
  const plan = new Plan()
  const put = new Set<string>()
  for (const candidate of candidates) {
    if (put.has(candidate.creativeId)) continue
    put.add(candidate.creativeId)
    if (options.bucket !== undefined && bucketOf(candidate.creativeId) !== options.bucket) continue
    if (isOutdated(current, candidate) || isConfirmed(current, candidate, options)) continue
    plan.upsert(viewOf(candidate, options))
  }
  for (const [bucket, entries] of current) {
    for (const creativeId of entries.keys()) {
      const kept = put.has(creativeId) || options.keepCreativeIds?.has(creativeId) === true
      if (!kept) plan.drop(bucket, creativeId)
    }
  }
  return plan.edits()
}

/** Append: one creative more. Needs only the creative's own bucket. */
export function planAppend(
  current: Buckets,
  candidate: Candidate,
  options: PutOptions,
): BucketEdit[] {
  const plan = new Plan()
  if (!isOutdated(current, candidate)) plan.upsert(viewOf(candidate, options))
  return plan.edits()
}

/** UpdateCpm: new prices by campaign; entries whose price stays are not written. */
export function planUpdateCpm(
  current: Buckets,
  cpmMicrosByCampaign: ReadonlyMap<string, number>,
): BucketEdit[] {
  const plan = new Plan()
  if (cpmMicrosByCampaign.size === 0) return []
  for (const entries of current.values()) {
    for (const view of entries.values()) {
      const cpmMicros = cpmMicrosByCampaign.get(view.campaignId)
      if (cpmMicros !== undefined && cpmMicros !== view.cpmMicros)
        plan.upsert({ ...view, cpmMicros })
    }
  }
  return plan.edits()
}

/**
 * RefreshTTL: what matches lives `ttlMs` from now. Neither this nor a new price makes an entry newer
 * than a removal under way, so the version stays; and what has expired stays expired.
 */
export function planRefreshTtl(
  current: Buckets,
  filter: ViewFilter,
  ttlMs: number,
  now: number,
): BucketEdit[] {
  const plan = new Plan()
  for (const entries of current.values()) {
    for (const view of entries.values()) {
      if (view.expiresAtMs <= now || !matches(view, filter)) continue
      plan.upsert({ ...view, expiresAtMs: now + ttlMs })
    }
  }
  return plan.edits()
}

/**
 * Any removal: what matches and is not newer than `seenVersion`. That is a reading of the
 * `VersionClock` at the moment the removal was decided: a retry seconds later still removes what it
 * was meant to, also entries that arrive late, and spares a creative that was put again meanwhile.
 */
export function planRemove(
  current: Buckets,
  filter: ViewFilter,
  seenVersion: number,
): BucketEdit[] {
  const plan = new Plan()
  for (const [bucket, entries] of current) {
    for (const view of entries.values()) {
      if (view.version <= seenVersion && matches(view, filter)) plan.drop(bucket, view.creativeId)
    }
  }
  return plan.edits()
}

/** Sweep: what has expired, at most `max` entries per bucket; the rest waits for the next run. */
export function planSweep(current: Buckets, now: number, max: number = SWEEP_MAX): BucketEdit[] {
  const plan = new Plan()
  for (const [bucket, entries] of current) {
    let left = max
    for (const view of entries.values()) {
      if (left === 0) break
      if (view.expiresAtMs > now) continue
      plan.drop(bucket, view.creativeId)
      left--
    }
  }
  return plan.edits()
}

/**
 * Versions that grow: the time in milliseconds, or one more than the highest version seen. One per
 * node. A node whose clock is behind still counts above every version it has seen.
 */
export class VersionClock {
  #last = 0

  next(now: number): number {
    this.#last = Math.max(now, this.#last + 1)
    return this.#last
  }

  /** To be called for every entry that arrives from elsewhere. */
  observe(version: number): void {
    if (version > this.#last) this.#last = version
  }
}

class Plan {
  readonly #edits = new Map<number, { bucket: number; upserts: ServeView[]; drops: string[] }>()

  upsert(view: ServeView): void {
    this.#editOf(bucketOf(view.creativeId)).upserts.push(view)
  }

  drop(bucket: number, creativeId: string): void {
    this.#editOf(bucket).drops.push(creativeId)
  }

  /** In the order of the buckets, so that equal plans look equal. */
  edits(): BucketEdit[] {
    return [...this.#edits.values()].toSorted((a, b) => a.bucket - b.bucket)
  }

  #editOf(bucket: number): { upserts: ServeView[]; drops: string[] } {
    let edit = this.#edits.get(bucket)
    if (edit === undefined) this.#edits.set(bucket, (edit = { bucket, upserts: [], drops: [] }))
    return edit
  }
}

function viewOf(candidate: Candidate, options: PutOptions): ServeView {
  return { ...candidate, expiresAtMs: options.now + options.ttlMs, version: options.version }
}

/** True when the entry says the same already, and will for a while. */
function isConfirmed(current: Buckets, candidate: Candidate, options: PutOptions): boolean {
  const entry = current.get(bucketOf(candidate.creativeId))?.get(candidate.creativeId)
  if (entry === undefined || entry.expiresAtMs - options.now <= options.ttlMs / 2) return false
  return COMPARED.every((field) => entry[field] === candidate[field])
}

const COMPARED = [
  'campaignId',
  'advertiserId',
  'campaignEpoch',
  'assetUrl',
  'mime',
  'width',
  'height',
  'category',
  'cpmMicros',
  'floorMicros',
  'categoryScore',
  'classifiedAtMs',
  'landingUrl',
  'adProductCategory',
] as const satisfies readonly (keyof Candidate)[]

function isOutdated(current: Buckets, candidate: Candidate): boolean {
  const entry = current.get(bucketOf(candidate.creativeId))?.get(candidate.creativeId)
  return entry !== undefined && entry.campaignEpoch > candidate.campaignEpoch
}

const BUCKET_MARK = '|bucket-'
