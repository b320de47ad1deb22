import { type ActorRef, Behaviors, type DeadLetter, DeadLetterEvents } from '@troupe/actor'
import { ClusterSharding, type Shards } from '@troupe/sharding'
import type { SimulatedNode } from '@troupe/testkit/cluster'
import { type FaultKind, faults, type Simulation } from '@troupe/testkit/simulation'
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
  const drops = new Map<string, string>()
  const shards = new Map<string, Shards<LedgerCommand>>()
  await world.onStart((node) => {
    plant?.(node)
    watchDrops(node, drops)
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
    duration: '30s',
    ...(kinds === undefined ? {} : { kinds }),
  })
  await Promise.race([traffic, faults.play(world, plan)])
  await Promise.race([
    traffic,
    clock.until(() => cluster.isFormed(), '120s', 'a cluster of all nodes'),
  ])
  isOver = true
  await traffic
  await clock.advance('10s')

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

function watchDrops(node: SimulatedNode, drops: Map<string, string>): void {
  const counting = Behaviors.receive<DeadLetter>(({ message, reason }) => {
    const note = noteIn(message)
    if (note !== undefined) drops.set(`${note.from} ${note.n}`, reason)
    return Behaviors.same
  })
  const counter = node.system.systemActorOf(counting, 'drop-counter')
  node.system.eventStream.subscribe(DeadLetterEvents, counter)
}

function noteIn(message: unknown): (LedgerCommand & { readonly type: 'Note' }) | undefined {
  const { type, message: inner, envelope } = message as Record<string, unknown>
  if (type === 'Route') return noteIn((envelope as { readonly message: unknown }).message)
  if (type === 'Envelope') return noteIn(inner)
  return type === 'Note' ? (message as LedgerCommand & { readonly type: 'Note' }) : undefined
}

/** A message is handled at most once, and one that was reported as dropped is not handled. */
function checkFates(books: Books, drops: ReadonlyMap<string, string>): void {
  const handled = new Set<string>()
  for (const notes of books.notes.values()) {
    for (const { from, n } of notes) {
      const key = `${from} ${n}`
      if (handled.has(key)) throw new Error(`message ${key} was handled twice`)
      if (drops.has(key))
        throw new Error(`message ${key} was handled and dropped (${drops.get(key)})`)
      handled.add(key)
    }
  }
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
