import { type Crdt, type CrdtType, GCounter } from '@troupe/crdt'
import {
  DistributedData,
  type Key,
  keyOf,
  LWWMapKey,
  type WriteConsistency,
  writeMajority,
} from '@troupe/replicator'
import type { SimulatedNode } from '@troupe/testkit/cluster'
import type { Simulation } from '@troupe/testkit/simulation'
import { MinorityFaults } from './minority-faults.ts'
import { unlessCrashed } from './replicator-removals.ts'

/** A counter, or something that claims to be one. */
export interface Counter extends Crdt {
  readonly value: number
  increment(): void
}

export interface ImpressionOptions {
  /** The type under test. Default: the real counter. */
  readonly counterType?: CrdtType<Counter>
  /** How impressions are written. Default: to a majority. */
  readonly consistency?: WriteConsistency
}

/**
 * Five nodes count impressions and note each under an id of its own, while links break, the cluster is
 * split, and never more than a minority is down or catching up. Throws when an impression that was
 * acknowledged by a majority is on fewer nodes at that very moment, or when at the end a node counts
 * fewer than were acknowledged, or more than were ever made, or lacks one that was acknowledged.
 */
export async function impressionsLast(
  world: Simulation,
  {
    counterType = GCounter as CrdtType<Counter>,
    consistency = writeMajority({ timeoutMs: 800 }),
  }: ImpressionOptions = {},
): Promise<void> {
  const { nodes, clock, onStart } = world
  await onStart((node: SimulatedNode) =>
    DistributedData.start(node.system, { types: [counterType] }),
  )
  const key = keyOf<Counter, Counter>('impressions', counterType)
  const ledger = new Ledger(key)
  let isOver = false
  const counting = nodes.map(async (node) => {
    const draws = world.random(`impressions on ${node.name}`)
    for (let i = 0; !isOver; i++) {
      await clock.advance(80 + draws.below(700))
      // Also on nodes that have not caught up yet: what they count is new.
      if (!node.isStarted) continue
      await count(world, node, key, `${node.name}${i}`, { ledger, consistency })
    }
  })

  await new MinorityFaults(world).play(9_000)
  isOver = true
  await Promise.all(counting)
  await clock.advance('5s')

  for (const node of nodes) ledger.compare(node)
  if (ledger.violations.length > 0) throw new Error(ledger.violations.join('; '))
}

async function count(
  { nodes, clock }: Simulation,
  node: SimulatedNode,
  key: Key<Counter, Counter>,
  id: string,
  { ledger, consistency }: { readonly ledger: Ledger; readonly consistency: WriteConsistency },
): Promise<void> {
  const data = DistributedData.get(node.system)
  const before = incarnationsOf(nodes)
  const running = node.incarnation
  const majority = Math.floor(membersOf(node) / 2) + 1
  ledger.attempted++
  const counted = data.update(key, (counter) => counter.increment(), { consistency })
  const noted = data.update(NOTES, (notes) => notes.put(id, node.name), { consistency })
  // God's eye, at the moment of the promise: whoever holds it now, or held it and has crashed since.
  void noted.then(({ type }) => {
    if (type !== 'UpdateSuccess') return
    const holders = nodes.filter((each) => holds(each, id) || !isSame(before, each))
    if (holders.length < majority) {
      ledger.violations.push(`${id} is on ${holders.length} nodes, not on ${majority}`)
    }
  })
  if ((await unlessCrashed(counted, node, running, clock))?.type === 'UpdateSuccess')
    ledger.counted++
  if ((await unlessCrashed(noted, node, running, clock))?.type === 'UpdateSuccess')
    ledger.noted.add(id)
}

function holds(node: SimulatedNode, id: string): boolean {
  return node.isStarted && DistributedData.get(node.system).read(NOTES)?.has(id) === true
}

/** Members that count, in the eyes of the writer: while others are down and forgotten, there are fewer. */
function membersOf(node: SimulatedNode): number {
  const { members } = node.cluster.state
  return members.filter(({ status }) => status === 'Up' || status === 'Leaving').length
}

function incarnationsOf(nodes: readonly SimulatedNode[]): ReadonlyMap<SimulatedNode, number> {
  return new Map(nodes.map((node) => [node, node.isStarted ? node.incarnation : -1]))
}

function isSame(before: ReadonlyMap<SimulatedNode, number>, node: SimulatedNode): boolean {
  const incarnation = before.get(node)
  return incarnation === -1 || (node.isRunning && incarnation === node.incarnation)
}

/** What was tried, and what was promised. */
class Ledger {
  attempted = 0
  counted = 0
  readonly noted = new Set<string>()
  readonly violations: string[] = []
  readonly #key: Key<Counter, Counter>

  constructor(key: Key<Counter, Counter>) {
    this.#key = key
  }

  /** Looks at what a node has in the end. */
  compare(node: SimulatedNode): void {
    const data = DistributedData.get(node.system)
    const value = data.read(this.#key)?.value ?? 0
    if (value < this.counted) this.violations.push(`${node.name}: ${value} of ${this.counted}`)
    if (value > this.attempted) {
      this.violations.push(`${node.name}: ${value}, and only ${this.attempted} were made`)
    }
    const lost = [...this.noted].filter((id) => data.read(NOTES)?.has(id) !== true)
    if (lost.length > 0) this.violations.push(`${node.name} has lost ${lost.join()}`)
    if (this.counted < COUNTED_MIN) this.violations.push(`only ${this.counted} were acknowledged`)
  }
}

const NOTES = LWWMapKey.create<string, string>('notes')
const COUNTED_MIN = 20
