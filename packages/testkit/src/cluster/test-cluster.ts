import type { Random } from '@troupe/actor'
import { type Duration, durationMs } from '../duration.ts'
import { TestKitError } from '../errors.ts'
import type { SimulatedNetwork } from './simulated-network.ts'
import { addressOf, SimulatedNode, type SimulatedNodeOptions } from './simulated-node.ts'
import { World } from './world.ts'

export interface TestClusterOptions extends SimulatedNodeOptions {
  /** How many nodes, or their names. Default 3: `a`, `b`, `c`. The first is the first seed. */
  readonly nodes?: number | readonly string[]
  /** The same seed gives the same run. Default 1. */
  readonly seed?: number
  /** Keep every line of the trace, not only its hash. */
  readonly isTraced?: boolean
}

/** Virtual time, for the code of a test. */
export interface VirtualClock {
  /** Virtual milliseconds since the world began. */
  readonly now: number
  /** Lets time pass: milliseconds, or `'250ms'`, `'10s'`, `'5m'`. */
  advance(duration: Duration): Promise<void>
  /** Lets time pass until `condition()` holds; fails when it does not within `timeout` (default 60 s). */
  until(condition: () => boolean, timeout?: Duration, what?: string): Promise<void>
  /** Resolves when nothing can happen any more without time passing. */
  settle(): Promise<void>
}

/**
 * A cluster of several nodes in this process, in virtual time, over a network that carries the real
 * frames. Time moves only while the test waits for something here, so a test takes milliseconds
 * however long its story is, and the same seed gives the same story.
 *
 * What does not come from here has to be handed to `run`, or nobody runs the world meanwhile:
 * `await cluster.run(ref.ask(...))`.
 */
export class TestCluster implements AsyncDisposable {
  readonly nodes: Nodes
  readonly world: World
  readonly clock: VirtualClock
  readonly #starts: ((node: SimulatedNode) => unknown)[] = []

  /** Nodes that were not started yet; `TestCluster.start` makes a cluster of them. */
  constructor(options: TestClusterOptions = {}) {
    const names = namesOf(options.nodes ?? 3)
    const world = new World(options.seed ?? 1, { isTraced: options.isTraced ?? false })
    const seeds = names.map(addressOf)
    this.world = world
    if (options.start !== undefined) this.#starts.push(options.start)
    const start = (node: SimulatedNode): Promise<void> => this.#startOn(node)
    this.nodes = names.map(
      (name) => new SimulatedNode(world, name, seeds, { ...options, start }),
    ) as unknown as Nodes
    this.clock = {
      get now() {
        return world.now
      },
      advance: (duration) => world.sleep(durationMs(duration)),
      settle: () => world.settle(),
      until: (condition, timeout = '60s', what = String(condition)) =>
        this.#until(condition, timeout, what),
    }
  }

  /** Starts all nodes and waits until every one is Up in the eyes of all. */
  static async start(options: TestClusterOptions = {}): Promise<TestCluster> {
    const cluster = new TestCluster(options)
    await cluster.form()
    return cluster
  }

  /** Starts the nodes that are not running, and waits until every one is Up in the eyes of all. */
  async form(timeout: Duration = '60s'): Promise<void> {
    await Promise.all(this.nodes.filter(({ isRunning }) => !isRunning).map((node) => node.start()))
    await this.clock.until(() => this.isFormed(), timeout, 'a cluster of all nodes')
  }

  /**
   * Starts something on every node that runs, and on every node whenever it is started from now on.
   * Like the option `start`, for what a test keeps track of itself.
   */
  async onStart(start: (node: SimulatedNode) => unknown): Promise<void> {
    this.#starts.push(start)
    const running = this.nodes.filter(({ isStarted }) => isStarted)
    await this.run(Promise.all(running.map(async (node) => start(node))))
  }

  async #startOn(node: SimulatedNode): Promise<void> {
    for (const start of this.#starts) await start(node)
  }

  get network(): SimulatedNetwork {
    return this.world.network
  }

  /** Resolves or rejects as `promise` does, and runs the cluster meanwhile. For asks and updates. */
  run<T>(promise: Promise<T>): Promise<T> {
    return this.world.complete(promise)
  }

  /** Chance for the test itself: independent of all draws of the nodes, the same for the same seed. */
  random(purpose: string): Random {
    return this.world.random.fork(`test ${purpose}`)
  }

  /** Whether all nodes run, see each other Up and reachable, and nobody else. */
  isFormed(): boolean {
    return this.nodes.every((node) => {
      if (!node.isRunning || !node.isStarted) return false
      const { members, unreachable } = node.cluster.state
      return (
        unreachable.length === 0 &&
        members.length === this.nodes.length &&
        members.every(({ status }) => status === 'Up')
      )
    })
  }

  /** One line that says who sees whom, for failure messages. */
  describe(): string {
    return this.nodes.map(describe).join('; ')
  }

  async #until(condition: () => boolean, timeout: Duration, what: string): Promise<void> {
    const start = this.world.now
    const deadline = start + durationMs(timeout)
    await this.world.settle()
    while (!condition()) {
      if (this.world.now >= deadline) {
        throw new TestKitError(
          'EXPECTATION_FAILED',
          `not within ${timeout} of virtual time: ${what} (${this.describe()})`,
        )
      }
      // The longer it takes, the less it matters when exactly it came true.
      const poll = Math.min(Math.max((this.world.now - start) / 50, POLL_MS_MIN), POLL_MS_MAX)
      await this.world.sleep(Math.min(poll, deadline - this.world.now))
    }
  }

  /** Ends all nodes at once. */
  stop(): void {
    for (const node of this.nodes) node.crash()
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.stop()
    return Promise.resolve()
  }
}

/** The nodes of a cluster; typed so that taking the first few apart needs no check. */
export type Nodes = readonly SimulatedNode[] &
  readonly [SimulatedNode, SimulatedNode, SimulatedNode, SimulatedNode, SimulatedNode]

function describe(node: SimulatedNode): string {
  if (!node.isRunning) return `${node.name} is down`
  if (!node.isStarted) return `${node.name} is starting`
  const { members, unreachable } = node.cluster.state
  const away = new Set(unreachable.map((member) => member.node.uid))
  const seen = members.map(
    (member) =>
      `${member.node.address} ${member.status}${away.has(member.node.uid) ? ' unreachable' : ''}`,
  )
  return `${node.name} sees ${seen.join(', ') || 'nobody'}`
}

function namesOf(nodes: number | readonly string[]): readonly string[] {
  if (typeof nodes !== 'number') return nodes
  return Array.from({ length: nodes }, (_, i) => (i < 26 ? String.fromCharCode(97 + i) : `n${i}`))
}

const POLL_MS_MIN = 10
const POLL_MS_MAX = 100
