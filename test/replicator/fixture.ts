import { DistributedData, type ReplicatorSettings } from '@troupe/replicator'
import { type SimulatedNode, TestCluster, type TestClusterOptions } from '@troupe/testkit/cluster'
import { vi } from 'vitest'

// Minutes of a cluster take a second of a machine that has nothing else to do.
vi.setConfig({ testTimeout: 30_000 })

/** A cluster whose nodes have replicated data, all of them complete. */
export async function replicatedCluster(
  options: TestClusterOptions & { readonly replicator?: Partial<ReplicatorSettings> } = {},
): Promise<TestCluster> {
  const { replicator = {}, ...rest } = options
  const cluster = await TestCluster.start({
    ...rest,
    start: (node) => DistributedData.start(node.system, replicator),
  })
  await cluster.clock.until(() => cluster.nodes.every((node) => dataOf(node).isComplete))
  return cluster
}

export function dataOf(node: SimulatedNode): DistributedData {
  return DistributedData.get(node.system)
}

/** Whether all nodes that run have equal replicas. */
export function areEqual(cluster: TestCluster): boolean {
  const digests = cluster.nodes
    .filter(({ isStarted }) => isStarted)
    .map((node) => dataOf(node).digest())
  return new Set(digests).size === 1
}
