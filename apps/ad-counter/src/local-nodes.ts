import { ActorSystem, type Logger } from '@troupe/actor'
import { Cluster, localClusterSettings } from '@troupe/cluster'
import type { CounterNode } from './ad-counter.ts'
import { host } from './host.ts'

/** A cluster of `count` systems in this process, linked by WebSockets on loopback. All are Up. */
export async function startLocalNodes(
  count: number,
  logger: Logger,
): Promise<readonly (CounterNode & { readonly stop: () => Promise<void> })[]> {
  const nodes = Array.from({ length: count }, () => {
    const system = ActorSystem.create(host(), 'ad-counter', { logger })
    return { system, host: system, stop: () => system.terminate() }
  })
  try {
    const [first, ...others] = nodes
    if (first === undefined) return nodes
    const cluster = await Cluster.start(first.system, localClusterSettings())
    const seeds = [cluster.self.address]
    const joined = await Promise.all(
      others.map(({ system }) => Cluster.start(system, { ...localClusterSettings(), seeds })),
    )
    for (const each of [cluster, ...joined]) await each.whenUp({ timeoutMs: JOIN_TIMEOUT_MS })
    return nodes
  } catch (error) {
    await Promise.all(nodes.map(({ stop }) => stop()))
    throw error
  }
}

const JOIN_TIMEOUT_MS = 20_000
