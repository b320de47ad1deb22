import { type Crdt, type CrdtType, encodeState, LWWRegister } from '@troupe/crdt'
import {
  DistributedData,
  GCounterKey,
  type Key,
  keyOf,
  LWWMapKey,
  ORSetKey,
} from '@troupe/replicator'
import type { SimulatedNode } from '@troupe/testkit/cluster'
import { faults, type Simulation } from '@troupe/testkit/simulation'

/** A register, or something that claims to be one. */
export interface Register extends Crdt {
  readonly value: unknown
  set(value: string): void
}

export interface ConvergenceOptions {
  /** The type under test for the register. Default: the real one. */
  readonly registerType?: CrdtType<Register>
}

/**
 * Five nodes write values of all four types, a few of them everywhere at once, while links are slow,
 * break and are cut; then everything is healed and nobody writes any more. Throws unless all replicas
 * are equal soon after, byte for byte.
 */
export async function replicasConverge(
  world: Simulation,
  { registerType = LWWRegister as unknown as CrdtType<Register> }: ConvergenceOptions = {},
): Promise<void> {
  const { nodes, clock, onStart, random } = world
  await onStart((node: SimulatedNode) =>
    DistributedData.start(node.system, { types: [registerType] }),
  )
  const registers = ['winner', 'leader'].map((name) =>
    keyOf<Register, Register>(name, registerType),
  )
  const plan = faults.plan(random('faults'), {
    nodes,
    duration: '12s',
    kinds: ['Partition', 'OneWayCut', 'Slow', 'BreakLinks'],
  })
  const writing = nodes.map((node) => write(world, node, registers))

  await Promise.all([faults.play(world, plan), ...writing])
  // Links dial again within a second; then what was not acknowledged comes again, or repair finds it.
  // Removals that are remembered are in the bytes, not in the digests, so the bytes are compared.
  await clock.until(
    () =>
      areEqual(nodes.map(digestOf)) && areEqual(nodes.map((node) => contentOf(node, registers))),
    '15s',
    'equal replicas',
  )
}

/**
 * The same with everything that can go wrong: nodes crash, are downed by the others, come back without
 * their memory. Throws unless all who are there in the end agree: on what, is another question.
 */
export async function replicasAgree(world: Simulation): Promise<void> {
  const { nodes, clock, cluster, onStart, random } = world
  await onStart((node: SimulatedNode) => DistributedData.get(node.system))
  const registers = ['winner', 'leader'].map((name) =>
    keyOf<Register, Register>(name, LWWRegister as unknown as CrdtType<Register>),
  )
  const plan = faults.plan(random('faults'), { nodes, duration: '20s' })
  const writing = nodes.map((node) => write(world, node, registers))

  await Promise.all([faults.play(world, plan), ...writing])
  await clock.until(() => cluster.isFormed(), '180s', 'a cluster of all nodes')
  await clock.until(
    () => nodes.every((node) => DistributedData.get(node.system).isComplete),
    '30s',
    'all nodes complete',
  )
  await clock.until(() => areEqual(nodes.map(digestOf)), '30s', 'equal replicas')
}

async function write(
  { clock, random }: Simulation,
  node: SimulatedNode,
  registers: readonly Key<Register, Register>[],
): Promise<void> {
  const draws = random(`writes of ${node.name}`)
  const pick = <T>(items: readonly T[]): T => items[draws.below(items.length)] as T
  for (let i = 0; i < 30; i++) {
    await clock.advance(draws.below(800))
    if (!node.isStarted) continue
    const data = DistributedData.get(node.system)
    const text = `${node.name}${i}`
    switch (draws.below(8)) {
      case 0:
      case 1:
        await data.update(pick(COUNTERS), (counter) => counter.increment(1 + draws.below(3)))
        break
      case 2:
        await data.update(pick(registers), (register) => register.set(text))
        break
      case 3:
        await data.update(pick(MAPS), (map) => map.put(pick(NAMES), text))
        break
      case 4:
        await data.update(pick(MAPS), (map) => map.remove(pick(NAMES)))
        break
      case 5:
        await data.update(pick(SETS), (set) => set.add(pick(NAMES)))
        break
      case 6:
        await data.update(pick(SETS), (set) => set.remove(pick(NAMES)))
        break
      default:
        if (draws.below(8) === 0) await data.delete(pick(DELETED))
        else await data.update(pick(DELETED), (map) => map.put(pick(NAMES), text))
    }
  }
}

function areEqual([first, ...others]: readonly string[]): boolean {
  return others.every((other) => other === first)
}

function digestOf(node: SimulatedNode): string {
  return DistributedData.get(node.system).digest()
}

/** Everything a node has, as canonical bytes. */
function contentOf(node: SimulatedNode, registers: readonly Key<Register, Register>[]): string {
  const data = DistributedData.get(node.system)
  return [...COUNTERS, ...MAPS, ...SETS, ...DELETED, ...registers]
    .map((key) => {
      const value = data.read(key as unknown as Key<Crdt, Crdt>)
      const bytes =
        value === undefined ? 'nothing' : Buffer.from(encodeState(value)).toString('hex')
      return `${key.name}: ${bytes}`
    })
    .join('\n')
}

const COUNTERS = ['clicks', 'views'].map((name) => GCounterKey.create(name))
const MAPS = ['prices', 'stock'].map((name) => LWWMapKey.create<string, string>(name))
const SETS = ['tags', 'users'].map((name) => ORSetKey.create<string>(name))
/** Deleted sooner or later. */
const DELETED = ['d1', 'd2'].map((name) => LWWMapKey.create<string, string>(name))
const NAMES = ['p', 'q', 'r', 's', 't']
