import type { LWWMap, ReadonlyLWWMap } from '@troupe/crdt'
import {
  LWWMapKey,
  readAll,
  readMajority,
  writeLocal,
  writeMajority,
  type DistributedData,
  type Key,
} from '@troupe/replicator'
import type { CampaignState } from './campaign.ts'
import { CampaignsKey, type CampaignRecord } from './campaign-record.ts'

/**
 * Where a campaign's state outlives its node: in the replica, on most nodes.
 *
 * Two owners of one campaign may believe in themselves for a while: an old one that was cut off and a
 * new one. So the state is kept per owner, under the epoch of the shard's home, and what counts is the
 * highest. A new owner first writes its claim to a majority and then reads from a majority. An owner
 * that has written a state to a majority reads from a majority too, before it lets anything out: if a
 * higher epoch shows up there, it has lost, and what it wrote is void. Whichever of the two went first,
 * the majorities overlap: either the new owner reads the state, or the old one reads the claim.
 *
 * Promised: what was let out survives the loss of any minority of the nodes that were members then.
 * Not promised: surviving the end of all nodes at once.
 */
export class CampaignStore {
  readonly #data: DistributedData
  readonly #key: StateKey
  readonly #epoch: number
  readonly #timeoutMs: number

  /** `epoch` of the shard's home. `timeoutMs`: how long one step may take. */
  constructor(data: DistributedData, campaignId: string, epoch: number, timeoutMs: number = 800) {
    this.#data = data
    this.#key = LWWMapKey.create<string, StoredState>(`campaign-${campaignId}`)
    this.#epoch = epoch
    this.#timeoutMs = timeoutMs
  }

  /** Claims the campaign and returns what the last owner has left, if anything. */
  async load(): Promise<LoadResult> {
    const claimed = await this.#data.update(
      this.#key,
      (map) => {
        // The same owner started again: its claim and its state stand.
        if (!map.has(this.#entry)) map.put(this.#entry, { state: null })
      },
      { consistency: writeMajority({ timeoutMs: this.#timeoutMs }) },
    )
    if (claimed.type !== 'UpdateSuccess') return { type: 'Unknown' }
    const found = await this.#readWidely()
    if (found === undefined) return { type: 'Unknown' }
    if (highestEpoch(found) > this.#epoch) return { type: 'Fenced' }
    return { type: 'Loaded', state: latestState(found) }
  }

  /**
   * Stores the state, then publishes the record: a takedown to a majority, anything else from here on.
   * `Unknown` confirms nothing and forbids nothing: store again.
   */
  async commit(
    state: CampaignState,
    record: CampaignRecord,
    isTakedown: boolean,
  ): Promise<'Committed' | 'Unknown' | 'Fenced'> {
    const consistency = writeMajority({ timeoutMs: this.#timeoutMs })
    const stored = await this.#data.update(
      this.#key,
      (map) => {
        map.put(this.#entry, { state })
        for (const entry of map.keys()) if (Number(entry) < this.#epoch) map.remove(entry)
      },
      { consistency },
    )
    if (stored.type !== 'UpdateSuccess') return 'Unknown'
    const seen = await this.#data.get(this.#key, {
      consistency: readMajority({ timeoutMs: this.#timeoutMs }),
    })
    if (seen.type !== 'GetSuccess') return 'Unknown'
    if (highestEpoch(seen.value) > this.#epoch) return 'Fenced'
    const published = await this.#data.update(
      CampaignsKey,
      (map) => map.put(record.campaignId, record),
      { consistency: isTakedown ? consistency : writeLocal },
    )
    return published.type === 'UpdateSuccess' ? 'Committed' : 'Unknown'
  }

  /** From all nodes if they answer; from most of them otherwise. */
  async #readWidely(): Promise<StateMap | undefined> {
    const timeoutMs = this.#timeoutMs
    const wide = await this.#data.get(this.#key, { consistency: readAll({ timeoutMs }) })
    if (wide.type === 'GetSuccess') return wide.value
    const most = await this.#data.get(this.#key, { consistency: readMajority({ timeoutMs }) })
    return most.type === 'GetSuccess' ? most.value : undefined
  }

  get #entry(): string {
    return String(this.#epoch)
  }
}

/** What a campaign's entity needs of its store. */
export type CampaignStorage = Pick<CampaignStore, 'load' | 'commit'>

export type LoadResult =
  | { readonly type: 'Loaded'; readonly state: CampaignState | undefined }
  | { readonly type: 'Unknown' }
  /** Another owner has a higher epoch. */
  | { readonly type: 'Fenced' }

/** A claim is a state that is not there yet. */
interface StoredState {
  readonly state: CampaignState | null
}
type StateMap = ReadonlyLWWMap<string, StoredState>
type StateKey = Key<LWWMap<string, StoredState>, StateMap>

function highestEpoch(map: StateMap): number {
  let highest = -1
  for (const entry of map.keys()) highest = Math.max(highest, Number(entry))
  return highest
}

function latestState(map: StateMap): CampaignState | undefined {
  let latest: CampaignState | undefined
  let epoch = -1
  for (const [entry, { state }] of map.entries()) {
    if (state === null || Number(entry) <= epoch) continue
    epoch = Number(entry)
    latest = state
  }
  return latest
}
