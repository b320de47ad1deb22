import type { Random } from '@troupe/actor'
import type { SimulatedNetwork } from '../cluster/simulated-network.ts'
import type { SimulatedNode } from '../cluster/simulated-node.ts'
import {
  type Nodes,
  TestCluster,
  type TestClusterOptions,
  type VirtualClock,
} from '../cluster/test-cluster.ts'
import { type Duration, durationMs } from '../duration.ts'

export interface SimulationOptions extends Omit<TestClusterOptions, 'seed' | 'isTraced'> {
  /** Longest virtual time one run may take. Default 30 minutes. */
  readonly virtualTimeMax?: Duration
}

/** What the body of a simulation works with. */
export interface Simulation {
  readonly nodes: Nodes
  readonly network: SimulatedNetwork
  readonly clock: VirtualClock
  /** All of it, with what is needed more rarely. */
  readonly cluster: TestCluster
  readonly seed: number
  /** Starts something on every node that runs, and on every node whenever it is started later. */
  readonly onStart: (start: (node: SimulatedNode) => unknown) => Promise<void>
  /** Chance for the test itself: independent of all draws of the nodes. */
  readonly random: (purpose: string) => Random
}

export type SimulationBody = (simulation: Simulation) => Promise<void>

/** How one run ended. */
export interface RunResult {
  readonly seed: number
  /** Equal for two runs that took the same steps and sent the same bytes. */
  readonly traceHash: string
  readonly virtualMs: number
  readonly steps: number
  /** What the body threw; undefined when all went well. */
  readonly error: unknown
  /** What happened, line by line; empty unless it was asked for. */
  readonly lines: readonly string[]
  /** Those of the lines that are not about frames on their way. */
  readonly events: readonly string[]
}

/**
 * Runs one seed: a fresh world, a cluster that has formed, then `body`. While the body waits, whatever
 * it waits for, the world goes on; when nothing can happen any more and the body still waits, that is
 * an error, not a hang.
 */
export async function runSimulation(
  seed: number,
  options: SimulationOptions,
  body: SimulationBody,
  isTraced = false,
): Promise<RunResult> {
  const { virtualTimeMax = '30m', ...clusterOptions } = options
  const cluster = new TestCluster({ ...clusterOptions, seed, isTraced })
  const { world } = cluster
  const play = async (): Promise<void> => {
    await cluster.form()
    await body({
      nodes: cluster.nodes,
      network: cluster.network,
      clock: cluster.clock,
      cluster,
      seed,
      onStart: (start) => cluster.onStart(start),
      random: (purpose) => cluster.random(purpose),
    })
  }
  let error: unknown
  try {
    await world.complete(Promise.resolve().then(play), durationMs(virtualTimeMax))
  } catch (thrown) {
    error = thrown
    world.trace.note(`at the end: ${cluster.describe()}`)
  }
  cluster.stop()
  return {
    seed,
    traceHash: world.trace.hash,
    virtualMs: world.now,
    steps: world.steps,
    error,
    lines: world.trace.lines(),
    events: world.trace.events(),
  }
}
