import { ActorSystem, Behaviors, type Logger } from '@troupe/actor'
import { Cluster, type ClusterSettings } from '@troupe/cluster'
import { MemoryDisk } from '../memory-disk.ts'
import { type SimulatedPlatform, World } from './world.ts'

export interface SimulatedClusterOptions {
  /** How many nodes, or their names. Default 3: `a`, `b`, `c`. */
  readonly nodes?: number | readonly string[]
  readonly seed?: number
  /** Keep every line of the trace, not only its hash. */
  readonly isTraced?: boolean
  readonly settings?: Partial<ClusterSettings>
  /** Starts what runs on a node; called at every start, also after a crash. */
  readonly start?: (node: SimulatedNode) => void | Promise<void>
  /** Where the nodes' logs go. Default: nowhere. */
  readonly logger?: (node: string) => Logger
}

/** One machine of the simulated cluster. Its system is another one after each restart. */
export class SimulatedNode {
  readonly name: string
  /** `name:2551`, the same after a restart. */
  readonly address: string
  readonly disk: MemoryDisk = new MemoryDisk()
  readonly #world: World
  readonly #options: SimulatedClusterOptions
  readonly #seeds: readonly string[]
  #incarnation = 0
  #platform: SimulatedPlatform | undefined
  #system: ActorSystem | undefined
  #cluster: Cluster | undefined

  constructor(world: World, name: string, seeds: readonly string[], options: SimulatedClusterOptions) {
    this.#world = world
    this.name = name
    this.address = addressOf(name)
    this.#seeds = seeds
    this.#options = options
  }

  get isRunning(): boolean {
    return this.#platform !== undefined
  }

  /** The running system; an error when the node is down. */
  get system(): ActorSystem {
    if (this.#system === undefined) throw new Error(`node ${this.name} is not running`)
    return this.#system
  }

  get cluster(): Cluster {
    if (this.#cluster === undefined) throw new Error(`node ${this.name} is not running`)
    return this.#cluster
  }

  async start(): Promise<void> {
    if (this.isRunning) throw new Error(`node ${this.name} is running already`)
    this.#world.trace.note(`start ${this.name}`)
    const platform = this.#world.platformFor(this.name, ++this.#incarnation, this.disk)
    this.#platform = platform
    const system = ActorSystem.create(Behaviors.empty, 'simulated', {
      platform,
      logger: this.#options.logger?.(this.name) ?? silence,
    })
    this.#system = system
    void system.whenTerminated.then(() => {
      if (this.#system === system) this.#forget()
    })
    this.#cluster = await Cluster.start(system, {
      ...this.#options.settings,
      host: this.name,
      port: PORT,
      seeds: this.#seeds,
      secret: 'the secret of simulated clusters',
    })
    await this.#options.start?.(this)
  }

  /** The process dies at once. What its disk had acknowledged stays, unless `losesDisk`. */
  crash(options: { readonly losesDisk?: boolean } = {}): void {
    if (this.#platform === undefined) return
    this.#world.trace.note(`crash ${this.name}`)
    this.#forget()
    this.disk.crash()
    if (options.losesDisk === true) this.disk.clear()
  }

  #forget(): void {
    this.#platform?.end()
    this.#platform = undefined
    this.#system = undefined
    this.#cluster = undefined
    this.#world.network.nodeCrashed(this.name, this.name)
  }

  /** Stops in good order: leaves the cluster, then ends. Resolves when it is down. */
  async stop(): Promise<void> {
    this.#world.trace.note(`stop ${this.name}`)
    await this.#system?.terminate('stopped by the test')
  }

  /** A new incarnation at the same address, with the same disk. */
  async restart(): Promise<void> {
    this.crash()
    await this.start()
  }
}

/** Several nodes in one world, over a network that carries the real frames. */
export class SimulatedCluster {
  readonly world: World
  readonly nodes: readonly SimulatedNode[]

  constructor(options: SimulatedClusterOptions = {}) {
    const names = namesOf(options.nodes ?? 3)
    this.world = new World(options.seed ?? 1, { isTraced: options.isTraced ?? false })
    const seeds = names.map(addressOf)
    this.nodes = names.map((name) => new SimulatedNode(this.world, name, seeds, options))
  }

  get network(): World['network'] {
    return this.world.network
  }

  /** Starts all nodes; resolves when everybody is Up for everybody. Somebody has to run the world meanwhile. */
  async start(timeoutMs = 60_000): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.start()))
    const deadline = this.world.now + timeoutMs
    while (!this.nodes.every((node) => this.upMembersOf(node).length === this.nodes.length)) {
      if (this.world.now >= deadline) {
        throw new Error(`the cluster did not form within ${timeoutMs} ms: ${this.describe()}`)
      }
      await this.world.sleep(POLL_MS)
    }
  }

  upMembersOf(node: SimulatedNode): readonly string[] {
    if (!node.isRunning) return []
    return node.cluster.state.members
      .filter(({ status }) => status === 'Up')
      .map((member) => member.node.address)
  }

  describe(): string {
    return this.nodes
      .map((node) => {
        if (!node.isRunning) return `${node.name}: down`
        const members = node.cluster.state.members.map((each) => `${each.node.address} ${each.status}`)
        return `${node.name}: ${members.join(', ') || 'no member'}`
      })
      .join('; ')
  }
}

function namesOf(nodes: number | readonly string[]): readonly string[] {
  if (typeof nodes !== 'number') return nodes
  return Array.from({ length: nodes }, (_, i) => (i < 26 ? String.fromCharCode(97 + i) : `n${i}`))
}

function addressOf(name: string): string {
  return `${name}:${PORT}`
}

const PORT = 2551
const POLL_MS = 10

const silence: Logger = {
  trace: () => {},
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silence,
}
