import type { Crdt, CrdtType } from '@troupe/crdt'
import { LWWMap } from '@troupe/crdt'
import {
  DistributedData,
  type Key,
  keyOf,
  readMajority,
  type WriteConsistency,
  writeMajority,
} from '@troupe/replicator'
import type { SimulatedNode } from '@troupe/testkit/cluster'
import type { Simulation } from '@troupe/testkit/simulation'
import { isInAction, MinorityFaults } from './minority-faults.ts'

/** A map, or something that claims to be one. */
export interface CreativeMap extends Crdt {
  has(key: string): boolean
  put(key: string, value: number): void
  remove(key: string): void
}

export interface RemovalOptions {
  /** The type under test. Default: the real map. */
  readonly mapType?: CrdtType<CreativeMap>
  /** How removals are written. Default: to a majority. */
  readonly removal?: WriteConsistency
}

/**
 * Five nodes put creatives and, later, remove each of them once, while links break, the cluster is
 * split, and never more than a minority is down or catching up. Throws when something that was removed
 * with the acknowledgement of a majority is seen again: in a majority read, on a node that had seen it
 * go, and at the end anywhere.
 */
export async function removalsLast(
  world: Simulation,
  {
    mapType = LWWMap as unknown as CrdtType<CreativeMap>,
    removal = writeMajority({ timeoutMs: 800 }),
  }: RemovalOptions = {},
): Promise<void> {
  const { nodes, clock, onStart, random } = world
  await onStart((node: SimulatedNode) => DistributedData.start(node.system, { types: [mapType] }))
  const creatives = keyOf<CreativeMap, CreativeMap>('creatives', mapType)
  const oracle = new Oracle(creatives)
  const draws = random('takedowns')
  const faults = new MinorityFaults(world)
  let isOver = false
  const isGoingOn = (): boolean => !isOver && oracle.violations.length === 0

  const takedown = async (id: string): Promise<void> => {
    // Puts on several nodes, some of which nobody else hears of for a while.
    for (let puts = 1 + draws.below(3); puts > 0; puts--) {
      put(pick(nodes, draws.below(nodes.length)), creatives, id)
      await clock.advance(draws.below(400))
    }
    // Later than every put also by the wall clock: against a put it has not seen, time decides.
    await clock.advance(5)
    while (isGoingOn() && !oracle.isRemoved(id)) {
      const node = pick(nodes, draws.below(nodes.length))
      if (isInAction(node)) {
        const writer = DistributedData.get(node.system)
        const running = node.incarnation
        const removing = writer.update(creatives, (map) => map.remove(id), { consistency: removal })
        const reply = await unlessCrashed(removing, node, running, clock)
        if (reply?.type === 'UpdateSuccess') oracle.removed(id)
      }
      await clock.advance(50 + draws.below(500))
    }
  }
  const takedowns = Array.from({ length: 12 }, async (_, i) => {
    await clock.advance(draws.below(7_000))
    await takedown(`creative-${i}`)
  })
  const watching = (async () => {
    while (isGoingOn()) {
      await clock.advance(20)
      oracle.look(nodes)
    }
  })()
  const reading = (async () => {
    while (isGoingOn()) {
      await clock.advance(200 + draws.below(500))
      await oracle.readFrom(pick(nodes, draws.below(nodes.length)), clock)
    }
  })()

  await faults.play(10_000)
  await Promise.all(takedowns)
  if (isGoingOn()) await clock.advance('5s')
  isOver = true
  await Promise.all([watching, reading])
  oracle.lookAtTheEnd(nodes)
  if (oracle.violations.length > 0) throw new Error(oracle.violations.join('; '))
}

function put(node: SimulatedNode, key: Key<CreativeMap, CreativeMap>, id: string): void {
  if (!isInAction(node)) return
  void DistributedData.get(node.system).update(key, (map) => map.put(id, 1))
}

/** Knows what was promised, and looks at all nodes to see whether it holds. */
class Oracle {
  readonly violations: string[] = []
  readonly #key: Key<CreativeMap, CreativeMap>
  readonly #removed = new Set<string>()
  /** What each incarnation of each node showed when it was last looked at. */
  readonly #shown = new Map<string, Set<string>>()
  /** What each incarnation has shown and then no longer showed. */
  readonly #gone = new Map<string, Set<string>>()

  constructor(key: Key<CreativeMap, CreativeMap>) {
    this.#key = key
  }

  isRemoved(id: string): boolean {
    return this.#removed.has(id)
  }

  removed(id: string): void {
    this.#removed.add(id)
  }

  look(nodes: readonly SimulatedNode[]): void {
    for (const node of nodes) {
      if (!isInAction(node)) continue
      const name = `${node.name}${node.incarnation}`
      const shown = setOf(this.#shown, name)
      const gone = setOf(this.#gone, name)
      const map = DistributedData.get(node.system).read(this.#key)
      for (const id of this.#removed) {
        if (map?.has(id) === true) {
          if (gone.has(id)) this.violations.push(`${id} was gone from ${name} and is back`)
          shown.add(id)
        } else if (shown.delete(id)) gone.add(id)
      }
    }
  }

  async readFrom(node: SimulatedNode, clock: Simulation['clock']): Promise<void> {
    if (!isInAction(node)) return
    const removed = [...this.#removed]
    const running = node.incarnation
    const reading = DistributedData.get(node.system).get(this.#key, {
      consistency: readMajority({ timeoutMs: 600 }),
    })
    const reply = await unlessCrashed(reading, node, running, clock)
    if (reply?.type !== 'GetSuccess') return
    const back = removed.filter((id) => reply.value.has(id))
    if (back.length > 0)
      this.violations.push(`a majority read on ${node.name} finds ${back.join()}`)
  }

  lookAtTheEnd(nodes: readonly SimulatedNode[]): void {
    for (const node of nodes) {
      const map = DistributedData.get(node.system).read(this.#key)
      const back = [...this.#removed].filter((id) => map?.has(id) === true)
      if (back.length > 0) this.violations.push(`${node.name} still has ${back.join()}`)
    }
    if (this.#removed.size < REMOVALS_MIN) {
      this.violations.push(`a majority acknowledged ${this.#removed.size} removals only`)
    }
  }
}

/** Undefined when the node crashes before it answers: nobody is left to hear of it. */
export async function unlessCrashed<T>(
  promise: Promise<T>,
  node: SimulatedNode,
  incarnation: number,
  clock: Simulation['clock'],
): Promise<T | undefined> {
  let reply: { readonly value: T } | undefined
  void promise.then((value) => (reply = { value }))
  await clock.until(
    () => reply !== undefined || !node.isRunning || node.incarnation !== incarnation,
    '10s',
    'an answer or a crash',
  )
  return (reply as { readonly value: T } | undefined)?.value
}

function setOf(sets: Map<string, Set<string>>, name: string): Set<string> {
  let set = sets.get(name)
  if (set === undefined) sets.set(name, (set = new Set()))
  return set
}

function pick<T>(items: readonly T[], index: number): T {
  return items[index] as T
}

const REMOVALS_MIN = 8
