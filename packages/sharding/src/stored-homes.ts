import type { UniqueAddress } from '@troupe/cluster'
import type { ShardHome } from './messages.ts'
import type { ShardId } from './shard-id.ts'

/**
 * How homes stand in the replicated map that outlives coordinators.
 *
 * The map resolves conflicts by the time of writing, which is not what we need: an entry that a
 * coordinator in the minority could not store must not win over one of its successor only because its
 * clock ran ahead. So every coordinator has a *term*, higher than all before it, and writes under
 * keys of its own (`shard|term`); what counts is the entry of the highest term. Its epochs begin above
 * all those of earlier terms.
 */
export type StoredValue = readonly (string | number)[]

/** What is known of one shard. Without a home its epoch is the last one, which has ended. */
export interface StoredHome {
  readonly home: ShardHome | undefined
  readonly epoch: number
}

export interface HomesToStore {
  readonly shard: ShardId
  readonly home: ShardHome | undefined
  readonly epoch: number
}

interface WritableMap {
  keys(): Iterable<string>
  put(key: string, value: StoredValue): unknown
  remove(key: string): unknown
}

/** The first epoch of a term. */
export function firstEpochOf(term: number): number {
  return term * EPOCHS_PER_TERM + 1
}

/** The highest term anybody has claimed, 0 when nobody has, and the newest entry of each shard. */
export function readHomes(entries: Iterable<readonly [string, unknown]>): {
  readonly term: number
  readonly homes: ReadonlyMap<ShardId, StoredHome>
} {
  let term = 0
  const terms = new Map<ShardId, number>()
  const homes = new Map<ShardId, StoredHome>()
  for (const [key, value] of entries) {
    if (!Array.isArray(value)) continue
    const [first] = value as unknown[]
    if (key === TERM_KEY) {
      if (isCount(first)) term = Math.max(term, first)
      continue
    }
    const place = placeOf(key)
    const home = readHome(value)
    if (place === undefined || home === undefined) continue
    term = Math.max(term, place.term)
    if (place.term < (terms.get(place.shard) ?? 0)) continue
    terms.set(place.shard, place.term)
    homes.set(place.shard, home)
  }
  return { term, homes }
}

/** Puts down that `term` has begun. Has to be on a majority before anything is stored in it. */
export function writeTerm(map: WritableMap, term: number): void {
  map.put(TERM_KEY, [term])
}

/** Puts down homes, in place of what earlier terms have said of these shards. */
export function writeHomes(map: WritableMap, term: number, homes: Iterable<HomesToStore>): void {
  const changed = new Map([...homes].map((each) => [each.shard, each]))
  const outdated = [...map.keys()].filter((key) => {
    const place = placeOf(key)
    return place !== undefined && place.term < term && changed.has(place.shard)
  })
  for (const key of outdated) map.remove(key)
  for (const { shard, home, epoch } of changed.values()) {
    const value = home === undefined ? [epoch] : [epoch, home.node.address, home.node.uid]
    map.put(`${shard}|${term}`, value)
  }
}

function placeOf(key: string): { readonly shard: ShardId; readonly term: number } | undefined {
  const match = /^(\d{1,5})\|(\d{1,9})$/.exec(key)
  return match === null ? undefined : { shard: Number(match[1]), term: Number(match[2]) }
}

function readHome([epoch, address, uid]: readonly unknown[]): StoredHome | undefined {
  if (!isCount(epoch)) return undefined
  if (typeof address !== 'string' || typeof uid !== 'string') return { home: undefined, epoch }
  const node: UniqueAddress = { address, uid }
  return { home: { node, epoch }, epoch }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

const TERM_KEY = 'term'
/** More moves than any coordinator makes in its life; leaves room for a hundred million terms. */
const EPOCHS_PER_TERM = 2 ** 26
