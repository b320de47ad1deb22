import { ClusterSharding, type Shards, type ShardingSettings } from '@troupe/sharding'
import type { SimulatedNode } from '@troupe/testkit/cluster'
import type { Simulation } from '@troupe/testkit/simulation'
import { DropLog, keyOf } from '../sharding/drop-log.ts'
import { InstanceLog } from '../sharding/instance-log.ts'
import { Books, type LedgerCommand, ledgerOn } from '../sharding/ledger.ts'

export interface NothingLostOptions {
  /** Plants a bug on a node, before sharding starts there. */
  readonly plant?: (node: SimulatedNode) => void
}

/**
 * Nodes leave in order and come back, shards move, links are slow, entities rest and take their time,
 * buffers are small; but no link breaks and nobody dies. Then every note is either handled once or
 * reported as dropped once, and what is handled comes in the order of sending, for each sender and entity.
 */
export async function nothingIsLost(
  world: Simulation,
  { plant }: NothingLostOptions = {},
): Promise<void> {
  const { nodes, clock, cluster, network, random } = world
  const log = new InstanceLog(
    () => nodes,
    () => clock.now,
  )
  const books = new Books()
  const drops = new DropLog()
  const draws = random('story')
  const settings: Partial<ShardingSettings> = {
    shards: 10,
    rebalanceMs: 1_000,
    passivateAfterMs: 4_000,
    bufferMax: draws.below(2) === 0 ? 5 : 100_000,
  }
  const shards = new Map<string, Shards<LedgerCommand>>()
  await world.onStart((node) => {
    plant?.(node)
    drops.watch(node)
    const type = ledgerOn(node, { log, books })
    shards.set(node.name, ClusterSharding.get(node.system).start(type, { settings }))
  })
  for (const a of nodes) {
    for (const b of nodes) {
      const meanExtraMs = draws.below(3) === 0 ? draws.below(150) : 1
      if (a.name < b.name) network.delay({ minMs: 1, meanExtraMs }, a, b)
    }
  }

  const leaving = new Set<SimulatedNode>()
  const sent: { readonly from: string; readonly n: number; readonly id: string }[] = []
  const send = (node: SimulatedNode): void => {
    const id = ENTITIES[draws.below(ENTITIES.length)] ?? ''
    const ref = shards.get(node.name)?.entityRef(id)
    const note = { from: `${node.name}.${node.incarnation}`, n: sent.length, id }
    sent.push(note)
    ref?.tell({ type: 'Note', from: note.from, n: note.n })
    const mood = draws.below(30)
    if (mood === 0) ref?.tell({ type: 'Rest' })
    if (mood === 1) ref?.tell({ type: 'Nap', forMs: draws.below(800) })
  }
  const visit = async (node: SimulatedNode): Promise<void> => {
    leaving.add(node)
    await node.stop()
    await clock.advance(draws.below(2_000))
    await node.start()
    await clock.until(
      () => node.cluster.selfMember?.status === 'Up',
      '60s',
      `${node.name} Up again`,
    )
    leaving.delete(node)
  }
  const visits: Promise<void>[] = []
  for (let round = 0; round < ROUNDS; round++) {
    await clock.advance(20 + draws.below(60))
    for (const node of nodes) if (!leaving.has(node)) send(node)
    const node = nodes[draws.below(nodes.length)]
    const mayLeave = node !== undefined && leaving.size === 0 && draws.below(60) === 0
    if (mayLeave) visits.push(visit(node))
  }
  await Promise.all(visits)
  await clock.until(() => cluster.isFormed(), '60s', 'a cluster of all nodes')
  await clock.advance('15s')

  if (log.violations.length > 0) throw new Error(log.violations.join('\n'))
  checkFates(sent, books, drops)
}

function checkFates(
  sent: readonly { readonly from: string; readonly n: number }[],
  books: Books,
  { reasons, twice }: DropLog,
): void {
  const handled = new Set<string>()
  for (const [id, notes] of books.notes) {
    const last = new Map<string, number>()
    for (const { from, n } of notes) {
      const key = keyOf({ from, n })
      if (handled.has(key)) throw new Error(`note ${key} was handled twice`)
      if (n <= (last.get(from) ?? -1)) {
        throw new Error(`${id} got note ${n} of ${from} after note ${last.get(from)}`)
      }
      handled.add(key)
      last.set(from, n)
    }
  }
  for (const note of sent) {
    const key = keyOf(note)
    const fates = Number(handled.has(key)) + Number(reasons.has(key))
    if (fates !== 1) throw new Error(`note ${key} has ${fates} fates (${reasons.get(key) ?? '-'})`)
  }
  if (twice.length > 0) throw new Error(`dropped twice: ${twice.join(', ')}`)
  if (handled.size < sent.length / 2)
    throw new Error(`only ${handled.size} of ${sent.length} handled`)
}

const ENTITIES = Array.from({ length: 15 }, (_, i) => `account-${i}`)
const ROUNDS = 300
