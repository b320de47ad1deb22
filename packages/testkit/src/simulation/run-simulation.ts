import { SimulatedCluster, type SimulatedClusterOptions, type SimulatedNode } from './simulated-cluster.ts'
import type { SimulatedNetwork } from './simulated-network.ts'
import type { World } from './world.ts'

export interface SimulationOptions extends Omit<SimulatedClusterOptions, 'seed' | 'isTraced'> {
  /** How many seeds to run. Default 20. */
  readonly seeds?: number
  /** Longest virtual time one run may take, in milliseconds. Default one hour. */
  readonly virtualMsMax?: number
}

/** What the body of a simulation works with. */
export interface Simulation {
  readonly nodes: readonly SimulatedNode[] & readonly [SimulatedNode, ...SimulatedNode[]]
  readonly network: SimulatedNetwork
  readonly clock: {
    /** Virtual milliseconds since the run began. */
    readonly now: number
    /** Waits until so much virtual time has passed: milliseconds, or `'10s'`, `'5m'`. */
    advance(duration: number | string): Promise<void>
    /** Waits until `condition()` holds; an error when it does not within `timeout`. */
    until(condition: () => boolean, timeout: number | string, what: string): Promise<void>
  }
  readonly world: World
  readonly cluster: SimulatedCluster
  readonly seed: number
  /** Draws for the test itself; independent of all draws of the nodes. */
  random(purpose: string): ReturnType<World['random']['fork']>
}

export type SimulationBody = (simulation: Simulation) => Promise<void>

export interface RunResult {
  readonly seed: number
  readonly traceHash: string
  readonly virtualMs: number
  readonly steps: number
  readonly error: unknown
  readonly lines: readonly string[]
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
  const cluster = new SimulatedCluster({ ...options, seed, isTraced })
  const { world } = cluster
  let outcome: { readonly error: unknown } | undefined
  const finish = async (): Promise<void> => {
    try {
      await cluster.start()
      await body(simulationOf(cluster, seed))
      outcome = { error: undefined }
    } catch (error) {
      outcome = { error }
    }
  }
  void finish()
  const until = options.virtualMsMax ?? 3_600_000
  if (!(await world.run(() => outcome !== undefined, until))) {
    outcome = { error: new Error(`stuck after ${world.now} virtual ms: ${cluster.describe()}`) }
  }
  for (const node of cluster.nodes) node.crash()
  return {
    seed,
    traceHash: world.trace.hash,
    virtualMs: world.now,
    steps: world.steps,
    error: outcome?.error,
    lines: world.trace.lines(),
  }
}

function simulationOf(cluster: SimulatedCluster, seed: number): Simulation {
  const { world } = cluster
  return {
    nodes: cluster.nodes as Simulation['nodes'],
    network: cluster.network,
    world,
    cluster,
    seed,
    random: (purpose) => world.random.fork(`test ${purpose}`),
    clock: {
      get now() {
        return world.now
      },
      advance: (duration) => world.sleep(milliseconds(duration)),
      until: async (condition, timeout, what) => {
        const deadline = world.now + milliseconds(timeout)
        while (!condition()) {
          if (world.now >= deadline) {
            throw new Error(`not within ${timeout}: ${what} (${cluster.describe()})`)
          }
          await world.sleep(POLL_MS)
        }
      },
    },
  }
}

/** `250`, `'250ms'`, `'10s'`, `'5m'`, `'2h'`. */
export function milliseconds(duration: number | string): number {
  if (typeof duration === 'number') return duration
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(duration)
  const unit = UNITS[match?.[2] ?? '']
  if (match === null || unit === undefined) {
    throw new RangeError(`expected a duration like '10s', got ${JSON.stringify(duration)}`)
  }
  return Number(match[1]) * unit
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }
const POLL_MS = 10
