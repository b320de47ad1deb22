import type { Random } from '@troupe/actor'
import type { Delay, SimulatedNetwork } from '../cluster/simulated-network.ts'
import { type SimulatedNode, unlessEnded } from '../cluster/simulated-node.ts'
import type { VirtualClock } from '../cluster/test-cluster.ts'
import { type Duration, durationMs } from '../duration.ts'

/** One thing that goes wrong, at `atMs` after the play begins; what has a duration ends `forMs` later. */
export type Fault =
  | Lasting<{ readonly type: 'Partition'; readonly groups: readonly (readonly string[])[] }>
  | Lasting<{ readonly type: 'OneWayCut'; readonly from: string; readonly to: string }>
  | Lasting<{
      readonly type: 'Slow'
      readonly a: string
      readonly b: string
      readonly delay: Delay
    }>
  | { readonly type: 'BreakLinks'; readonly atMs: number; readonly a: string; readonly b: string }
  /** The process dies, and starts again `forMs` later. */
  | Lasting<{ readonly type: 'Crash'; readonly node: string; readonly losesDisk: boolean }>
  /** The process stands still, with its clocks going on. */
  | Lasting<{ readonly type: 'Pause'; readonly node: string }>
  /** The wall clock of a machine jumps, forward or back. */
  | {
      readonly type: 'ClockJump'
      readonly atMs: number
      readonly node: string
      readonly byMs: number
    }

type Lasting<T> = T & { readonly atMs: number; readonly forMs: number }

/** A story of faults as data, in the order in which they begin: it can be printed, cut short, and kept. */
export interface FaultPlan {
  /** How long the play takes before everything is healed. */
  readonly durationMs: number
  readonly faults: readonly Fault[]
}

export type FaultKind = Fault['type']

export interface FaultOptions {
  /** The nodes that may be hit, by name. */
  readonly nodes: readonly ({ readonly name: string } | string)[]
  /** How long things go wrong. Default one minute. */
  readonly duration?: Duration
  /** What may go wrong; each seed leaves some of it out. Default: everything but `Pause` and `ClockJump`. */
  readonly kinds?: readonly FaultKind[]
  /** About how many faults in all, whatever the seed. Default: drawn from 2 to 20, rather few. */
  readonly count?: number
  /** How long one fault lasts at most. Default half of `duration`. */
  readonly lastsAtMost?: Duration
  /** Most nodes that are down at the same time through crashes. Default: a minority. */
  readonly crashedMax?: number
  /** How likely a crash takes the disk with it. Default 0. */
  readonly diskLossChance?: number
}

/** What a play needs: a simulation has it, and so has a test cluster. */
export interface Stage {
  readonly nodes: readonly SimulatedNode[]
  readonly network: SimulatedNetwork
  readonly clock: VirtualClock
}

/**
 * Draws a plan. Swarm testing: each seed leaves out about half of the kinds, so that rare mixtures
 * turn up, and draws how much and how long (log-uniformly: many small troubles, few large ones).
 */
function plan(random: Random, options: FaultOptions): FaultPlan {
  const names = options.nodes.map((node) => (typeof node === 'string' ? node : node.name))
  const length = durationMs(options.duration ?? '60s')
  const lastsMax = durationMs(options.lastsAtMost ?? length / 2)
  const crashedMax = options.crashedMax ?? Math.floor((names.length - 1) / 2)
  const kinds = someOf(random.fork('kinds'), options.kinds ?? KINDS)
  const count = options.count ?? Math.round(logUniform(random.fork('count'), 2, 20))
  const faults: Fault[] = []
  for (let i = 0; i < count; i++) {
    // Each fault draws for itself, so that leaving one out leaves the others as they are.
    const draws = random.fork(`fault ${i}`)
    const atMs = Math.floor(draws.next() * length)
    const forMs = Math.ceil(
      Math.min(logUniform(draws, Math.min(200, lastsMax), lastsMax), length - atMs),
    )
    const kind = kinds[draws.below(kinds.length)] as FaultKind
    const fault = faultOf(kind, draws, {
      names,
      atMs,
      forMs,
      diskLossChance: options.diskLossChance ?? 0,
    })
    if (fault === undefined) continue
    if (fault.type === 'Crash' && crashesDuring(fault, faults) >= crashedMax) continue
    faults.push(fault)
  }
  return { durationMs: length, faults: faults.sort((a, b) => a.atMs - b.atMs) }
}

interface Frame {
  readonly names: readonly string[]
  readonly atMs: number
  readonly forMs: number
  readonly diskLossChance: number
}

function faultOf(kind: FaultKind, draws: Random, frame: Frame): Fault | undefined {
  const { names, atMs, forMs } = frame
  const [a, b] = shuffled(draws, names)
  if (a === undefined) return undefined
  if (kind === 'Crash') {
    return { type: 'Crash', atMs, forMs, node: a, losesDisk: draws.next() < frame.diskLossChance }
  }
  if (kind === 'Pause') return { type: 'Pause', atMs, forMs, node: a }
  if (kind === 'ClockJump') {
    const byMs = Math.round(logUniform(draws, 1, HOUR_MS)) * (draws.next() < 0.5 ? -1 : 1)
    return { type: 'ClockJump', atMs, node: a, byMs }
  }
  if (b === undefined) return undefined
  switch (kind) {
    case 'Partition':
      return { type: 'Partition', atMs, forMs, groups: groupsOf(draws, names) }
    case 'OneWayCut':
      return { type: 'OneWayCut', atMs, forMs, from: a, to: b }
    case 'Slow': {
      const delay = { minMs: logUniform(draws, 1, 100), meanExtraMs: logUniform(draws, 1, 400) }
      return { type: 'Slow', atMs, forMs, a, b, delay }
    }
    case 'BreakLinks':
      return { type: 'BreakLinks', atMs, a, b }
    default:
      return kind satisfies never
  }
}

/** Two parts of any size, or sometimes three. */
function groupsOf(draws: Random, names: readonly string[]): readonly (readonly string[])[] {
  const order = shuffled(draws, names)
  const first = 1 + draws.below(order.length - 1)
  const rest = order.slice(first)
  const isThreefold = rest.length > 1 && draws.next() < 0.2
  const second = isThreefold ? 1 + draws.below(rest.length - 1) : rest.length
  return [order.slice(0, first), rest.slice(0, second), rest.slice(second)]
    .filter((group) => group.length > 0)
    .map((group) => group.sort())
}

function crashesDuring(
  crash: Fault & { readonly type: 'Crash' },
  faults: readonly Fault[],
): number {
  return faults.filter(
    (each) =>
      each.type === 'Crash' &&
      // The same machine cannot be crashed twice, and needs some time to come back.
      each.atMs <= crash.atMs + crash.forMs + RESTART_MS &&
      crash.atMs <= each.atMs + each.forMs + RESTART_MS,
  ).length
}

/**
 * Plays a plan: the faults begin and end as planned, and after `durationMs` everything is healed and
 * every node runs again. Nodes that end by themselves (downed by the others) are started again two
 * seconds later, during the play and after it. Resolves when all nodes have been started; they still
 * have to find together: `clock.until(() => cluster.isFormed())`.
 */
async function play(
  { nodes, network, clock }: Stage,
  { faults, durationMs: length }: FaultPlan,
): Promise<void> {
  const starts: Promise<void>[] = []
  for (const node of nodes) node.supervise(RESTART_MS)
  const nodeOf = (name: string): SimulatedNode => {
    const node = nodes.find((each) => each.name === name)
    if (node === undefined) throw new RangeError(`there is no node ${name}`)
    return node
  }
  const begin = (fault: Fault): (() => void) => {
    switch (fault.type) {
      case 'Partition':
        return network.partition(...fault.groups)
      case 'OneWayCut':
        return network.cutOneWay(fault.from, fault.to)
      case 'Slow':
        return network.delay(fault.delay, fault.a, fault.b)
      case 'BreakLinks':
        network.breakLinks(fault.a, fault.b)
        return () => {}
      case 'ClockJump':
        nodeOf(fault.node).jumpWall(fault.byMs)
        return () => {}
      case 'Pause': {
        const node = nodeOf(fault.node)
        return node.isRunning ? node.pause() : () => {}
      }
      case 'Crash': {
        const node = nodeOf(fault.node)
        node.crash({ losesDisk: fault.losesDisk })
        return () => {
          if (!node.isRunning) starts.push(node.start().catch(unlessEnded))
        }
      }
      default:
        return fault satisfies never
    }
  }
  const happen = async (fault: Fault): Promise<void> => {
    await clock.advance(fault.atMs)
    const end = begin(fault)
    if ('forMs' in fault) await clock.advance(fault.forMs)
    end()
  }
  await Promise.all([clock.advance(length), ...faults.map(happen)])
  network.heal()
  for (const node of nodes) if (!node.isRunning) starts.push(node.start().catch(unlessEnded))
  await Promise.all(starts)
}

/** Random faults: `plan` draws them, `play` lets them happen. */
export const faults: { readonly plan: typeof plan; readonly play: typeof play } = { plan, play }

// ---- drawing ----

/** Between `min` and `max`, each order of magnitude as likely as the others. */
function logUniform(random: Random, min: number, max: number): number {
  return min * (max / min) ** random.next()
}

function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const left = [...items]
  return items.map(() => left.splice(random.below(left.length), 1)[0] as T)
}

/** About half of them, at least one. */
function someOf<T>(random: Random, items: readonly T[]): readonly T[] {
  const chosen = items.filter(() => random.next() < 0.5)
  return chosen.length > 0 ? chosen : [items[random.below(items.length)] as T]
}

const KINDS: readonly FaultKind[] = ['Partition', 'OneWayCut', 'Slow', 'BreakLinks', 'Crash']
const RESTART_MS = 2_000
const HOUR_MS = 3_600_000
