import { type Crdt, type CrdtType, encodeState, formatDigest, HybridClock } from '@troupe/crdt'
import { ByteReader, ByteWriter, encode, value as valueCodec, WireError } from '@troupe/crdt/wire'
import fc from 'fast-check'

/** A type of replicated values, and how its histories are made up. */
export interface Subject<T extends Crdt> {
  readonly type: CrdtType<T>
  /** One thing a user does to the value. Small alphabets: what matters happens when writers meet. */
  readonly operation: fc.Arbitrary<Operation<T>>
  /** Ids of the three replicas. The same one twice: somebody came back under his old name without his memory. */
  readonly replicaIds?: readonly [string, string, string]
}

export interface Operation<T> {
  /** For people who read a counterexample. */
  readonly text: string
  readonly apply: (value: T) => void
}

/** One step of a history of three replicas whose clocks are a few milliseconds apart. */
type Step<T> =
  | { readonly type: 'Write'; readonly at: number; readonly operation: Operation<T> }
  | { readonly type: 'State'; readonly from: number; readonly to: number }
  | { readonly type: 'Delta'; readonly from: number; readonly to: number; readonly part: number }
  | { readonly type: 'Tick' }

/** Runs a history; afterwards the replicas have seen some of each other. */
class World<T extends Crdt> {
  readonly subject: Subject<T>
  readonly replicas: readonly T[]
  /** Every delta anybody made right after a step, in order. */
  readonly deltas: Uint8Array[] = []
  #wallMs = EPOCH

  constructor(subject: Subject<T>, skews: readonly number[] = [0, 0, 0]) {
    this.subject = subject
    const ids = subject.replicaIds ?? ['replica-0', 'replica-1', 'replica-2']
    this.replicas = skews.map((skew, index) =>
      subject.type.create(new HybridClock(ids[index] ?? '', { wallMs: () => this.#wallMs + skew })),
    )
  }

  run(steps: readonly Step<T>[]): this {
    for (const step of steps) this.step(step)
    return this
  }

  step(step: Step<T>): void {
    const before = this.replicas.map((replica) => replica.changes)
    switch (step.type) {
      case 'Write':
        step.operation.apply(this.at(step.at))
        break
      case 'State':
        mergeInto(this.at(step.to), encodeState(this.at(step.from)))
        break
      case 'Delta': {
        const from = this.at(step.from)
        const since = Math.floor((from.changes * step.part) / 4)
        mergeInto(this.at(step.to), deltaOf(from, since).bytes)
        break
      }
      case 'Tick':
        this.#wallMs++
        break
    }
    for (const [index, replica] of this.replicas.entries()) {
      const since = before[index] ?? 0
      if (replica.changes > since) this.deltas.push(deltaOf(replica, since).bytes)
    }
  }

  at(index: number): T {
    const replica = this.replicas[index]
    if (replica === undefined) throw new Error(`there is no replica ${index}`)
    return replica
  }

  /** A replica that has written nothing, with these merged in order. */
  merged(...deltas: readonly Uint8Array[]): T {
    const value = this.subject.type.create(
      new HybridClock('observer', { wallMs: () => this.#wallMs + 10 }),
    )
    for (const delta of deltas) mergeInto(value, delta)
    return value
  }

  states(): Uint8Array[] {
    return this.replicas.map(encodeState)
  }
}

function stepsOf<T extends Crdt>(subject: Subject<T>): fc.Arbitrary<Step<T>[]> {
  const index = fc.nat({ max: 2 })
  const write = subject.operation.chain((operation) =>
    index.map((at): Step<T> => ({ type: 'Write', at, operation })),
  )
  const step = fc.oneof<fc.MaybeWeightedArbitrary<Step<T>>[]>(
    { weight: 6, arbitrary: write },
    {
      weight: 1,
      arbitrary: fc.record({ type: fc.constant('State' as const), from: index, to: index }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        type: fc.constant('Delta' as const),
        from: index,
        to: index,
        part: fc.nat({ max: 4 }),
      }),
    },
    { weight: 2, arbitrary: fc.constant<Step<T>>({ type: 'Tick' }) },
  )
  return fc.array(step, { maxLength: 30, size: 'max' })
}

/** Each law as a function that throws when it does not hold. */
export function laws<T extends Crdt>(subject: Subject<T>): ReadonlyMap<string, () => void> {
  const skew = fc.integer({ min: -2, max: 2 })
  const history = fc.record({ steps: stepsOf(subject), skews: fc.tuple(skew, skew, skew) })
  const law =
    <V>(extra: fc.Arbitrary<V>, holds: (world: World<T>, extra: V) => void): (() => void) =>
    () => {
      const property = fc.property(history, extra, ({ steps, skews }, value) =>
        holds(new World(subject, skews).run(steps), value),
      )
      fc.assert(property, lawParameters())
    }
  const nothing = fc.constant(undefined)
  // Those at the ends of ranges do the most harm.
  const anyByte = fc.oneof(fc.constantFrom(0, 1, 127, 128, 255), fc.nat({ max: 255 }))
  return new Map([
    [
      'merging is commutative',
      law(nothing, (w) => {
        const [a, b] = statesOf(w)
        same(w.merged(a, b), w.merged(b, a))
      }),
    ],
    [
      'merging is associative',
      law(nothing, (w) => {
        const [a, b, c] = statesOf(w)
        same(w.merged(encodeState(w.merged(a, b)), c), w.merged(a, encodeState(w.merged(b, c))))
      }),
    ],
    [
      'merging is idempotent, and says so',
      law(nothing, (w) => {
        const [a, b] = statesOf(w)
        const both = w.merged(a, b)
        const before = encodeState(both)
        for (const again of [a, b, before]) {
          const { changes } = both
          if (mergeInto(both, again)) throw new Error('a repeated merge says it changed something')
          if (both.changes !== changes) throw new Error('a repeated merge counts a change')
        }
        sameBytes(encodeState(both), before)
      }),
    ],
    [
      'what is written reads back as the same',
      law(nothing, (w) => {
        for (const replica of w.replicas) same(w.merged(encodeState(replica)), replica)
      }),
    ],
    [
      'deltas in any order, some of them twice, give what states give',
      law(fc.integer(), (w, seed) => {
        const shuffled = shuffle([...w.deltas, ...w.deltas.filter((_, i) => i % 3 === 0)], seed)
        same(w.merged(...shuffled), w.merged(...w.states()))
      }),
    ],
    [
      'a delta that was lost may come later',
      law(fc.integer(), (w, seed) => {
        const late = w.deltas.filter((_, index) => ((seed >>> (index % 31)) & 1) === 1)
        const first = w.deltas.filter((delta) => !late.includes(delta))
        same(w.merged(...first, ...shuffle(late, seed)), w.merged(...w.states()))
      }),
    ],
    [
      'a state sent in small slices is the state, and slices come to an end',
      law(fc.tuple(fc.nat({ max: 60 }), fc.integer()), (w, [bytesMax, seed]) => {
        const replica = w.at(0)
        same(w.merged(...shuffle(slicesOf(replica, 0, bytesMax), seed)), replica)
      }),
    ],
    [
      'what changed since a number completes what was known at that number',
      law(stepsOf(subject), (w, late) => {
        const before = encodeState(w.at(0))
        const { changes } = w.at(0)
        w.run(late)
        same(w.merged(before, ...slicesOf(w.at(0), changes, 40)), w.at(0))
      }),
    ],
    [
      'a merge only adds knowledge',
      law(nothing, (w) => {
        const [a, b] = statesOf(w)
        const both = w.merged(a, b)
        if (!both.includes(w.merged(a)) || !both.includes(w.merged(b))) {
          throw new Error('a merge lost something it had')
        }
        const ab = w.at(0).includes(w.at(1))
        const ba = w.at(1).includes(w.at(0))
        if (ab && ba) sameBytes(a, b)
        if (ab !== !mergeInto(w.merged(a), b)) throw new Error('includes and merge disagree')
      }),
    ],
    [
      'digests are equal exactly when contents are',
      law(fc.tuple(stepsOf(subject), fc.nat({ max: 5 })), (w, [steps, period]) => {
        for (const [index, step] of steps.entries()) {
          w.step(step)
          // Digests are kept up to date by changes; ask at odd moments to catch a stale one.
          if (index % (period + 1) === 0) w.replicas.map((replica) => replica.digest)
        }
        for (const replica of w.replicas) {
          const copy = w.merged(encodeState(replica))
          if (formatDigest(copy.digest) !== formatDigest(replica.digest)) {
            throw new Error('a digest depends on how its content came about')
          }
        }
        const [a, b] = w.replicas as [T, T]
        if (formatDigest(a.digest) === formatDigest(b.digest) && content(a) !== content(b)) {
          throw new Error('different contents have the same digest')
        }
      }),
    ],
    [
      'bytes of anybody throw a WireError or are taken, and change nothing when they throw',
      law(
        fc.tuple(fc.uint8Array({ maxLength: 40 }), fc.nat(), anyByte),
        (w, [noise, place, byte]) => {
          const valid = encodeState(w.at(1))
          const cut = valid.slice(0, place % valid.length)
          for (const bytes of [noise, cut, Uint8Array.of(...cut, ...noise)]) {
            withstand(w, w.at(0), bytes)
          }
          for (let offset = 0; offset < DAMAGED_BYTES; offset++) {
            withstand(w, w.at(0), valid.with((place + offset) % valid.length, byte))
          }
        },
      ),
    ],
  ])
}

/** How often each law is tried; more with TROUPE_LAW_RUNS, other histories with TROUPE_LAW_SEED. */
export function lawParameters(): { readonly numRuns: number; readonly seed: number } {
  return {
    numRuns: Number(process.env['TROUPE_LAW_RUNS'] ?? 100),
    seed: Number(process.env['TROUPE_LAW_SEED'] ?? 20_140),
  }
}

/** Merges bytes; all of them must be taken. */
export function mergeInto(value: Crdt, bytes: Uint8Array): boolean {
  const reader = new ByteReader(bytes)
  const isChanged = value.merge(reader)
  if (reader.remaining > 0) throw new Error('a merge did not read all of a delta')
  return isChanged
}

export function deltaOf(
  value: Crdt,
  since: number,
  bytesMax = 1_000_000,
): { readonly bytes: Uint8Array; readonly upTo: number } {
  const writer = new ByteWriter()
  const upTo = value.writeChanges(writer, since, bytesMax)
  return { bytes: writer.finish(), upTo }
}

/** Everything after `since` in deltas of about `bytesMax` bytes. */
function slicesOf(value: Crdt, since: number, bytesMax: number): Uint8Array[] {
  const slices: Uint8Array[] = []
  for (let reached = since; reached < value.changes;) {
    const slice = deltaOf(value, reached, bytesMax)
    if (slice.upTo <= reached) throw new Error('a slice made no progress')
    reached = slice.upTo
    slices.push(slice.bytes)
  }
  return slices
}

function withstand<T extends Crdt>(world: World<T>, value: T, bytes: Uint8Array): void {
  const before = encodeState(value)
  try {
    value.merge(new ByteReader(bytes))
    same(world.merged(encodeState(value)), value)
  } catch (error) {
    if (!(error instanceof WireError)) throw error
    sameBytes(encodeState(value), before)
  }
  if (
    Object.keys(Object.prototype).length > 0 ||
    ({} as { polluted?: unknown }).polluted !== undefined
  ) {
    throw new Error('a prototype was changed')
  }
}

function statesOf<T extends Crdt>(world: World<T>): [Uint8Array, Uint8Array, Uint8Array] {
  return world.states() as [Uint8Array, Uint8Array, Uint8Array]
}

function same(a: Crdt, b: Crdt): void {
  sameBytes(encodeState(a), encodeState(b))
  if (formatDigest(a.digest) !== formatDigest(b.digest))
    throw new Error('equal states, other digests')
  if (content(a) !== content(b)) throw new Error(`${content(a)} is not ${content(b)}`)
}

function sameBytes(a: Uint8Array, b: Uint8Array): void {
  if (Buffer.compare(a, b) === 0) return
  throw new Error(`${Buffer.from(a).toString('hex')} is not ${Buffer.from(b).toString('hex')}`)
}

/** The value as users see it, without the order in which it came about. */
function content(value: Crdt): string {
  const json = value.toJSON()
  return Array.isArray(json) ? json.map(canonical).sort().join(' ') : canonical(json)
}

function canonical(data: unknown): string {
  return Buffer.from(encode(anyData, data)).toString('hex')
}

const anyData = valueCodec({ bytesMax: 1_000_000 })

function shuffle<V>(items: readonly V[], seed: number): V[] {
  const shuffled = [...items]
  let state = seed | 1
  for (let index = shuffled.length - 1; index > 0; index--) {
    state = (Math.imul(state, 0x19660d) + 0x3c6ef35f) >>> 0
    const other = (state >>> 8) % (index + 1)
    const kept = shuffled[index] as V
    shuffled[index] = shuffled[other] as V
    shuffled[other] = kept
  }
  return shuffled
}

const EPOCH = 1_700_000_000_000
/** Bytes of one state that are damaged in turn. */
const DAMAGED_BYTES = 8
