import { milliseconds } from '../simulation/run-simulation.ts'
import {
  SimulatedCluster,
  type SimulatedClusterOptions,
  type SimulatedNode,
} from '../simulation/simulated-cluster.ts'
import type { SimulatedNetwork } from '../simulation/simulated-network.ts'

/**
 * A cluster of several nodes in this process, in virtual time, over a network that carries the real
 * frames. Time moves only while you wait for something here, so a test takes milliseconds however
 * long its story is.
 */
export class TestCluster implements AsyncDisposable {
  readonly #cluster: SimulatedCluster

  private constructor(cluster: SimulatedCluster) {
    this.#cluster = cluster
  }

  /** Starts the nodes and waits until all are Up for all. */
  static async start(options: SimulatedClusterOptions = {}): Promise<TestCluster> {
    const cluster = new SimulatedCluster(options)
    await cluster.world.complete(cluster.start())
    return new TestCluster(cluster)
  }

  get nodes(): readonly [SimulatedNode, ...SimulatedNode[]] {
    return this.#cluster.nodes as readonly [SimulatedNode, ...SimulatedNode[]]
  }

  get network(): SimulatedNetwork {
    return this.#cluster.network
  }

  /** Lets virtual time pass: milliseconds, or `'10s'`, `'5m'`. */
  async advance(duration: number | string): Promise<void> {
    await this.#cluster.world.advance(milliseconds(duration))
  }

  /** Runs the cluster until `promise` has settled, and passes its outcome on. For asks and updates. */
  async complete<T>(promise: Promise<T>): Promise<T> {
    return this.#cluster.world.complete(promise)
  }

  /** Runs the cluster until `condition()` holds; an error when it does not within `timeout`. */
  async until(condition: () => boolean, timeout: number | string, what: string): Promise<void> {
    const { world } = this.#cluster
    if (await world.run(condition, world.now + milliseconds(timeout))) return
    throw new Error(`not within ${timeout}: ${what} (${this.#cluster.describe()})`)
  }

  /** Ends all nodes at once. */
  [Symbol.asyncDispose](): Promise<void> {
    for (const node of this.nodes) node.crash()
    return Promise.resolve()
  }
}
