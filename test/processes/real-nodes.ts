import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import {
  type ActorRef,
  ActorSystem,
  type Behavior,
  Behaviors,
  type Network,
  nodePlatform,
} from '@troupe/actor'
import { internal, type LocalRef } from '@troupe/actor/spi'
import { Cluster, type ClusterSettings, localClusterSettings } from '@troupe/cluster'
import { CapturedLogs } from '@troupe/testkit'

/** A node of this process that talks over real WebSockets. */
export interface RealNode extends AsyncDisposable {
  readonly system: ActorSystem
  readonly cluster: Cluster
  readonly logs: CapturedLogs
  /** Starts an actor on this node. */
  spawn<M>(behavior: Behavior<M>, name: string): ActorRef<M>
  /** The ref to an actor of `owner` as this node knows it: what arrives when it is sent here. */
  refTo<M>(owner: RealNode, ref: ActorRef<M>): ActorRef<M>
}

export async function startNode(
  settings: Partial<ClusterSettings> = {},
  name = 'test',
  network?: Network,
): Promise<RealNode> {
  const logs = new CapturedLogs()
  const system = ActorSystem.create(Behaviors.empty, name, {
    logger: logs.logger,
    ...(network === undefined ? {} : { platform: { ...nodePlatform(), network } }),
  })
  const cluster = await Cluster.start(system, { ...localClusterSettings(), ...settings }).catch(
    async (error: unknown) => {
      await system.terminate()
      throw error
    },
  )
  return {
    system,
    cluster,
    logs,
    spawn: (behavior, actorName) => system.systemActorOf(behavior, actorName),
    refTo: (owner, ref) => {
      const local = internal(ref) as LocalRef
      local.publish()
      return cluster.remoting.remoteRef(owner.cluster.self, local.path, local.uid)
    },
    [Symbol.asyncDispose]: () => system.terminate(),
  }
}

/** `count` nodes of one cluster, all of them Up for all. */
export async function startCluster(
  count: number,
  settings: Partial<ClusterSettings> = {},
): Promise<RealNode[]> {
  const ports = await freePorts(count)
  const seeds = ports.map((port) => `127.0.0.1:${port}`)
  const nodes = await Promise.all(ports.map((port) => startNode({ port, seeds, ...settings })))
  await until(() => nodes.every((node) => upMembers(node).length === count), 10_000)
  return nodes
}

export function upMembers({ cluster }: RealNode): readonly string[] {
  return cluster.state.members
    .filter(({ status }) => status === 'Up')
    .map(({ node }) => node.address)
}

/** Ports that nobody uses at the moment. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  const ports: number[] = []
  for (const server of servers) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    ports.push((server.address() as AddressInfo).port)
  }
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** Resolves when `condition()` holds; looks every few milliseconds, because sockets tell nobody. */
export async function until(condition: () => boolean, withinMs: number): Promise<void> {
  const deadline = performance.now() + withinMs
  while (!condition()) {
    if (performance.now() > deadline)
      throw new Error(`not within ${withinMs} ms: ${String(condition)}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
