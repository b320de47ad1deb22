import type { ActorRef } from '@troupe/actor'
import { ClusterSharding, type Shards } from '@troupe/sharding'
import type { SimulatedNode } from '@troupe/testkit/cluster'
import { type FaultKind, faults, type Simulation } from '@troupe/testkit/simulation'
import { DropLog, keyOf } from '../sharding/drop-log.ts'
import { InstanceLog } from '../sharding/instance-log.ts'
import { Books, type LedgerCommand, ledgerOn, type LedgerReply } from '../sharding/ledger.ts'

export interface OneInstanceOptions {
  /** What may go wrong. Default: everything. */
  readonly kinds?: readonly FaultKind[]
  /** Plants a bug on a node, before sharding starts there. */
  readonly plant?: (node: SimulatedNode) => void
}

/**
 * Entities on all nodes are told things from all nodes, some take their time, some rest, while links
 * break, the cluster is split, nodes crash and come back. Throws as soon as two instances of an entity
 * are live at the same time, when a message is handled twice, or is both handled and reported as
 * dropped, and when some entity does not answer every node soon after all is well again.
 */
export async function oneInstanceEach(
  world: Simulation,
  { kinds, plant }: OneInstanceOptions = {},
): Promise<void> {
  const { nodes, clock, cluster, random } = world
  const log = new InstanceLog(
    () => nodes,
    () => clock.now,
  )
  const books = new Books()
  const drops = new DropLog()
  const shards = new Map<string, Shards<LedgerCommand>>()
  await world.onStart((node) => {
    plant?.(node)
    drops.watch(node)
    shards.set(
      node.name,
      ClusterSharding.get(node.system).start(ledgerOn(node, { log, books }), SETTINGS),
    )
  })

  const draws = random('traffic')
  let isOver = false
  let n = 0
  const traffic = (async () => {
    while (!isOver) {
      await clock.advance(20 + draws.below(180))
      for (const node of nodes) {
        if (!node.isStarted) continue
        const id = ENTITIES[draws.below(ENTITIES.length)] ?? ''
        const ref = shards.get(node.name)?.entityRef(id)
        ref?.tell({ type: 'Note', from: senderOf(node), n: ++n })
        const mood = draws.below(40)
        if (mood === 0) ref?.tell({ type: 'Rest' })
        if (mood === 1) ref?.tell({ type: 'Nap', forMs: draws.below(1_500) })
      }
      if (log.violations.length > 0) throw new Error(log.violations.join('\n'))
    }
  })()
  const plan = faults.plan(random('faults'), {
    nodes,
    duration: '25s',
    ...(kinds === undefined ? {} : { kinds }),
  })
  await Promise.race([traffic, faults.play(world, plan)])
  await Promise.race([
    traffic,
    clock.until(() => cluster.isFormed(), '120s', 'a cluster of all nodes'),
  ])
  isOver = true
  await traffic
  await clock.advance('6s')

  await allAnswer(world, shards)
  if (log.violations.length > 0) throw new Error(log.violations.join('\n'))
  checkFates(books, drops)
}

/** Every entity answers from every node within a second: nothing is stuck, all agree where it is. */
async function allAnswer(
  { nodes }: Simulation,
  shards: ReadonlyMap<string, Shards<LedgerCommand>>,
): Promise<void> {
  for (const id of ENTITIES) {
    const asking = nodes.map(async ({ name }) => {
      const ref = shards.get(name)?.entityRef(id)
      const question = (replyTo: ActorRef<LedgerReply>): LedgerCommand => ({
        type: 'Where',
        replyTo,
      })
      const reply = await ref?.ask<LedgerReply>(question, { timeoutMs: 1_000 })
      return `${reply?.node} in epoch ${reply?.epoch}`
    })
    const homes = new Set(await Promise.all(asking))
    if (homes.size !== 1) throw new Error(`${id} answers from ${[...homes].join(' and ')}`)
  }
}

/** A message is handled at most once, and one that was reported as dropped is not handled. */
function checkFates(books: Books, { reasons, twice }: DropLog): void {
  const handled = new Set<string>()
  for (const notes of books.notes.values()) {
    for (const note of notes) {
      const key = keyOf(note)
      if (handled.has(key)) throw new Error(`note ${key} was handled twice`)
      if (reasons.has(key))
        throw new Error(`note ${key} was handled and dropped (${reasons.get(key)})`)
      handled.add(key)
    }
  }
  if (twice.length > 0) throw new Error(`dropped twice: ${twice.join(', ')}`)
  if (handled.size < MESSAGES_MIN) throw new Error(`only ${handled.size} messages were handled`)
}

function senderOf(node: SimulatedNode): string {
  return `${node.name}.${node.incarnation}`
}

const ENTITIES = Array.from({ length: 20 }, (_, i) => `account-${i}`)
const MESSAGES_MIN = 100
const SETTINGS = {
  settings: { shards: 20, rebalanceMs: 2_000, passivateAfterMs: 8_000, handOffTimeoutMs: 3_000 },
}
