import { ActorSystem, Behaviors, type Logger, nodePlatform } from '@troupe/actor'
import { Cluster, localClusterSettings } from '@troupe/cluster'
import {
  DistributedData,
  LWWMapKey,
  readMajority,
  writeAll,
  writeMajority,
} from '@troupe/replicator'
import { afterEach, expect, it } from 'vitest'

const Prices = LWWMapKey.create<string, string>('prices')
const running: ActorSystem[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map((system) => system.terminate()))
})

/** A node with a WebSocket port of its own, in this process. */
async function node(seeds: readonly string[] = []): Promise<Cluster> {
  const system = ActorSystem.create(Behaviors.empty, 'shop', {
    platform: nodePlatform(),
    logger: silence,
  })
  running.push(system)
  const cluster = await Cluster.start(system, { ...localClusterSettings(), seeds })
  DistributedData.start(system)
  await cluster.whenUp({ timeoutMs: 30_000 })
  return cluster
}

const dataOf = ({ system }: Cluster): DistributedData => DistributedData.get(system)

it('replicates over real WebSockets: small writes, a large value, and all of it to a node that comes late', async () => {
  const a = await node()
  const b = await node([a.self.address])
  await dataOf(b).whenComplete({ timeoutMs: 10_000 })
  const small = await dataOf(a).update(Prices, (map) => map.put('apple', '3'), {
    consistency: writeAll({ timeoutMs: 10_000 }),
  })
  const text = 'x'.repeat(1_000)
  const large = await dataOf(b).update(
    Prices,
    (map) => {
      for (let i = 0; i < 4_000; i++) map.put(`product-${i}`, text)
    },
    { consistency: writeMajority({ timeoutMs: 20_000 }) },
  )
  expect([small.type, large.type]).toEqual(['UpdateSuccess', 'UpdateSuccess'])
  const c = await node([a.self.address])
  await dataOf(c).whenComplete({ timeoutMs: 20_000 })

  expect(dataOf(c).read(Prices)?.size).toBe(4_001)
  expect(new Set([a, b, c].map((each) => dataOf(each).digest())).size).toBe(1)
  const read = await dataOf(c).get(Prices, { consistency: readMajority({ timeoutMs: 10_000 }) })
  expect(read.type).toBe('GetSuccess')
})

const silence: Logger = {
  trace: () => {},
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silence,
}
