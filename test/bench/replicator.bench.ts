import { ActorSystem, Behaviors, type Logger, nodePlatform } from '@troupe/actor'
import { Cluster, localClusterSettings } from '@troupe/cluster'
import { DistributedData, LWWMapKey, writeMajority } from '@troupe/replicator'
import type { BenchCase, Suite } from './harness/bench-case.ts'
import { nsPer, verify } from './harness/measure.ts'
import { memoryNetwork } from './memory-network.ts'

/** Replicated data on one node, and on three nodes of one process over links of memory. */
export const suite: Suite = ({ quick }) => [
  local(quick ? 1_000 : 100_000),
  toTwoPeers(quick ? 1_000 : 20_000),
  toMajority(quick ? 50 : 2_000),
]

const Prices = LWWMapKey.create<string, number>('prices')
/** Entries of the map that is written to, again and again. */
const ENTRIES = 1_000
const NAMES = Array.from({ length: ENTRIES }, (_, i) => `product-${i}`)
/** Updates in one turn; then whatever follows from them has its turn. */
const BATCH = 100

/**
 * Puts an entry and reads it back, on a node alone. The floor does the same with a Map: no stamp, no
 * index of changes, no reply.
 */
function local(updates: number): BenchCase {
  const nodes = new Nodes(1)
  let round = 0
  return {
    name: 'update and read, local',
    unit: 'updates/s',
    open: () => nodes.open(),
    ours: async () => {
      const data = nodes.data(0)
      const base = ++round * updates
      let sum = 0
      const ns = await nsPer(updates, () =>
        inBatches(updates, (i) => {
          const name = nameOf(i)
          void data.update(Prices, (map) => map.put(name, base + i))
          sum += data.read(Prices)?.get(name) ?? 0
        }),
      )
      verify('sum of what was read', sum, updates * base + (updates * (updates - 1)) / 2)
      return 1e9 / ns
    },
    raw: async () => {
      const map = new Map<string, number>()
      let sum = 0
      const ns = await nsPer(updates, () =>
        inBatches(updates, (i) => {
          const name = nameOf(i)
          map.set(name, i)
          sum += map.get(name) ?? 0
        }),
      )
      verify('sum of what was read', sum, (updates * (updates - 1)) / 2)
      return 1e9 / ns
    },
    close: () => nodes.close(),
  }
}

/**
 * Puts entries on one node until both others have them all. The floor puts them into a Map, sends each
 * batch as JSON through the same links of memory, and puts it into two other Maps: no stamps, no merge,
 * no acknowledgements.
 */
function toTwoPeers(updates: number): BenchCase {
  const nodes = new Nodes(3)
  let round = 0
  return {
    name: 'replicate to two peers',
    unit: 'updates/s',
    open: () => nodes.open(),
    ours: async () => {
      const [a, b, c] = [nodes.data(0), nodes.data(1), nodes.data(2)]
      const base = ++round * updates
      const last = base + updates - 1
      const hasAll = (data: DistributedData): boolean =>
        data.read(Prices)?.get(nameOf(updates - 1)) === last && data.digest() === a.digest()
      const ns = await nsPer(updates, async () => {
        await inBatches(updates, (i) => {
          void a.update(Prices, (map) => map.put(nameOf(i), base + i))
        })
        while (!hasAll(b) || !hasAll(c)) await turn()
      })
      for (const data of [b, c]) {
        verify('entries', data.read(Prices)?.size, Math.min(updates, ENTRIES))
        verify('last entry', data.read(Prices)?.get(nameOf(updates - 1)), last)
      }
      return 1e9 / ns
    },
    raw: async () => {
      const peers = [new Map<string, number>(), new Map<string, number>()]
      const network = memoryNetwork()
      const links = await Promise.all(peers.map((peer, i) => rawLink(network, i + 1, peer)))
      const map = new Map<string, number>()
      let batch: (readonly [string, number])[] = []
      const ns = await nsPer(updates, async () => {
        await inBatches(updates, (i) => {
          const name = nameOf(i)
          map.set(name, i)
          batch.push([name, i])
          if (batch.length < BATCH) return
          const frame = Buffer.from(JSON.stringify(batch))
          batch = []
          for (const link of links) link.send(frame)
        })
        while (peers.some((peer) => peer.get(nameOf(updates - 1)) !== updates - 1)) await turn()
      })
      for (const peer of peers) verify('entries', peer.size, Math.min(updates, ENTRIES))
      return 1e9 / ns
    },
    close: () => nodes.close(),
  }
}

/** One write after the other, each waiting until two of three nodes have it. */
function toMajority(updates: number): BenchCase {
  const nodes = new Nodes(3)
  return {
    name: 'update on a majority, one at a time',
    unit: 'updates/s',
    open: () => nodes.open(),
    ours: async () => {
      const [a, b, c] = [nodes.data(0), nodes.data(1), nodes.data(2)]
      const consistency = writeMajority({ timeoutMs: 5_000 })
      let succeeded = 0
      let onTwo = 0
      const ns = await nsPer(updates, async () => {
        for (let i = 0; i < updates; i++) {
          const name = nameOf(i)
          const reply = await a.update(Prices, (map) => map.put(name, i), { consistency })
          if (reply.type === 'UpdateSuccess') succeeded++
          if ([b, c].some((data) => data.read(Prices)?.get(name) === i)) onTwo++
        }
      })
      verify('updates that succeeded', succeeded, updates)
      verify('updates that were on two nodes when they succeeded', onTwo, updates)
      return 1e9 / ns
    },
    close: () => nodes.close(),
  }
}

function nameOf(i: number): string {
  return NAMES[i % ENTRIES] as string
}

async function inBatches(count: number, act: (i: number) => void): Promise<void> {
  for (let i = 0; i < count;) {
    for (const end = Math.min(i + BATCH, count); i < end; i++) act(i)
    await turn()
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}

async function rawLink(
  network: ReturnType<typeof memoryNetwork>,
  port: number,
  into: Map<string, number>,
): Promise<{ send(frame: Uint8Array): void }> {
  const ignore = { onOpen: () => {}, onFrame: () => {}, onDrain: () => {}, onClose: () => {} }
  await network.listen('raw', port, (link) =>
    link.attach({
      ...ignore,
      onFrame: (frame) => {
        const batch = JSON.parse(Buffer.from(frame).toString()) as [string, number][]
        for (const [name, value] of batch) into.set(name, value)
      },
    }),
  )
  return new Promise((resolve) => {
    const link = network.connect('raw', port, { ...ignore, onOpen: () => resolve(link) })
  })
}

/** Systems of one process that are one cluster. */
class Nodes {
  readonly #count: number
  #systems: readonly ActorSystem[] = []

  constructor(count: number) {
    this.#count = count
  }

  async open(): Promise<void> {
    const network = memoryNetwork()
    const hosts = Array.from({ length: this.#count }, (_, i) => `node-${i}`)
    this.#systems = hosts.map(() =>
      ActorSystem.create(Behaviors.empty, 'bench', {
        platform: { ...nodePlatform(), network },
        logger: silence,
      }),
    )
    const clusters = await Promise.all(
      hosts.map((host, i) =>
        Cluster.start(this.#systems[i] as ActorSystem, {
          ...localClusterSettings(),
          host,
          port: 1,
          seeds: hosts.map((each) => `${each}:1`),
          secret: 'the secret of the benchmarks',
        }),
      ),
    )
    for (const system of this.#systems) DistributedData.start(system)
    await Promise.all(clusters.map((cluster) => cluster.whenUp({ timeoutMs: 30_000 })))
    await Promise.all(this.#systems.map((_, i) => this.data(i).whenComplete({ timeoutMs: 30_000 })))
    for (const { state } of clusters) verify('members', state.members.length, this.#count)
  }

  data(index: number): DistributedData {
    return DistributedData.get(this.#systems[index] as ActorSystem)
  }

  async close(): Promise<void> {
    await Promise.all(this.#systems.map((system) => system.terminate()))
  }
}

const silence: Logger = {
  trace: () => {},
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silence,
}
