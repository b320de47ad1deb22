import { TestCluster } from '@troupe/testkit/cluster'
import { faults, runSimulation } from '@troupe/testkit/simulation'
import type { BenchCase, Suite } from './harness/bench-case.ts'
import { verify } from './harness/measure.ts'

/** How much faster than real time clusters live in a simulation, through the codec of the real links. */
export const suite: Suite = ({ quick }) => [
  idle(5, quick ? 20 : 300),
  underFaults(5, quick ? 1 : 5),
]

/** A formed cluster that only gossips and sends heartbeats. */
function idle(nodes: number, virtualS: number): BenchCase {
  let cluster: TestCluster | undefined
  return {
    name: `${nodes} idle nodes`,
    unit: 'virtual-s/s',
    open: async () => {
      cluster = await TestCluster.start({ nodes })
    },
    ours: async () => {
      const start = performance.now()
      await cluster?.clock.advance(virtualS * 1_000)
      const figure = (virtualS * 1_000) / (performance.now() - start)
      verify('a formed cluster', Number(cluster?.isFormed()), 1)
      return figure
    },
    close: () => cluster?.stop(),
  }
}

/** Whole runs: a cluster forms, a minute of faults, and it finds together again. Other seeds in each round. */
function underFaults(nodes: number, seeds: number): BenchCase {
  let next = 1
  return {
    name: `${nodes} nodes, a minute of faults`,
    unit: 'seeds/s',
    ours: async () => {
      const start = performance.now()
      for (let i = 0; i < seeds; i++) {
        const { error } = await runSimulation(next++, { nodes }, async (world) => {
          const plan = faults.plan(world.random('faults'), { nodes: world.nodes, duration: '60s' })
          await faults.play(world, plan)
          await world.clock.until(() => world.cluster.isFormed(), '120s')
        })
        if (error !== undefined) throw error
      }
      return (seeds * 1_000) / (performance.now() - start)
    },
  }
}
