import { type ActorRef, ActorSystem, Behaviors, type Logger } from '@troupe/actor'
import { internal, type LocalRef } from '@troupe/actor/spi'
import { Cluster, type ClusterSettings } from '@troupe/cluster'
import { type Duration, durationMs } from '../duration.ts'
import { TestKitError } from '../errors.ts'
import { MemoryDisk } from '../memory-disk.ts'
import type { Undo } from './simulated-network.ts'
import type { Machine, SimulatedPlatform } from './simulated-platform.ts'
import { traceLogger } from './trace-logger.ts'
import type { World } from './world.ts'

export interface SimulatedNodeOptions {
  /** Settings of the cluster, for all nodes or for each. Default: those of production. */
  readonly settings?: Partial<ClusterSettings> | ((node: SimulatedNode) => Partial<ClusterSettings>)
  /** Starts what runs on a node; called at every start, also after a crash. The node is not a member yet. */
  readonly start?: (node: SimulatedNode) => unknown
  /** Where the logs of a node go. Default: into the trace. */
  readonly logger?: (node: SimulatedNode) => Logger
}

/** One machine of the simulated cluster. Its system is another one after each restart; its disk stays. */
export class SimulatedNode implements Machine {
  readonly name: string
  /** `name:2551`, the same after a restart. */
  readonly address: string
  /** Stays when the node crashes. Every request takes a moment of virtual time, in which a crash may hit it. */
  readonly disk: MemoryDisk
  readonly #world: World
  readonly #options: SimulatedNodeOptions
  readonly #seeds: readonly string[]
  #wallAheadMs = 0
  #incarnation = 0
  #restartMs: number | undefined
  #process: Process | undefined

  constructor(world: World, name: string, seeds: readonly string[], options: SimulatedNodeOptions) {
    this.#world = world
    this.name = name
    this.address = addressOf(name)
    const draws = world.random.fork(`disk ${name}`)
    const latencyMs = (): number => DISK_MS_MIN - Math.log(1 - draws.next()) * DISK_MS_MEAN_EXTRA
    this.disk = new MemoryDisk(() => new Promise((resolve) => world.after(latencyMs(), resolve)))
    this.#seeds = seeds
    this.#options = options
  }

  /** False before the start, after a crash, and after the system has ended, for whatever reason. */
  get isRunning(): boolean {
    return this.#process !== undefined
  }

  /** Whether the process runs and has a place in a cluster, if only as one that wants to join. */
  get isStarted(): boolean {
    return this.#process?.cluster !== undefined
  }

  /** How often the node was started so far. */
  get incarnation(): number {
    return this.#incarnation
  }

  /** The running system; NODE_IS_DOWN when there is none. */
  get system(): ActorSystem {
    return this.#running().system
  }

  /** The running system's place in the cluster; NODE_IS_DOWN when there is none. */
  get cluster(): Cluster {
    return this.#running().cluster ?? this.#isDown('is still starting')
  }

  #running(): Process {
    return this.#process ?? this.#isDown('is not running')
  }

  #isDown(how: string): never {
    throw new TestKitError('NODE_IS_DOWN', `node ${this.name} ${how}; node.start() starts it`)
  }

  /** The ref to an actor of this node as `other` knows it: what arrives when it is sent there in a message. */
  refFor<M>(other: SimulatedNode, ref: ActorRef<M>): ActorRef<M> {
    if (other === this) return ref
    const local = internal(ref) as LocalRef
    local.publish()
    const { remoting } = other.cluster
    return remoting.remoteRef(this.cluster.self, local.path, local.uid) as ActorRef<M>
  }

  /** Resolves when the node can be reached and `options.start` is done; it becomes a member later. */
  start(): Promise<void> {
    return this.#world.complete(this.#start())
  }

  /** Rejects with NODE_IS_DOWN when the process ends before it has started. */
  #start(): Promise<void> {
    return new Promise((resolve, reject) => {
      const crashed = (): void =>
        reject(new TestKitError('NODE_IS_DOWN', `node ${this.name} ended while it started`))
      this.#launch(crashed).then(resolve, reject)
    })
  }

  async #launch(onEnd: () => void): Promise<void> {
    if (this.isRunning) {
      throw new TestKitError(
        'NODE_IS_RUNNING',
        `node ${this.name} runs already; restart() crashes it first`,
      )
    }
    this.#world.trace.note(`start ${this.name}`)
    const platform = this.#world.platformFor(this, ++this.#incarnation)
    const logger = this.#options.logger?.(this) ?? traceLogger(this.#world.trace, this.name)
    const system = ActorSystem.create(Behaviors.empty, SYSTEM_NAME, { platform, logger })
    const process: Process = { platform, system, cluster: undefined, isStopping: false, onEnd }
    this.#process = process
    void system.whenTerminated.then(() => {
      if (this.#process === process) this.#endedByItself(process.isStopping)
    })
    const { settings } = this.#options
    const cluster = await Cluster.start(system, {
      ...(typeof settings === 'function' ? settings(this) : settings),
      host: this.name,
      port: PORT,
      seeds: this.#seeds,
      secret: 'the secret of simulated clusters',
    })
    process.cluster = cluster
    if (this.#process === process) await this.#options.start?.(this)
  }

  /** The process dies at once. What its disk has acknowledged stays, unless `losesDisk`. */
  crash({ losesDisk = false }: { readonly losesDisk?: boolean } = {}): void {
    if (this.isRunning) {
      this.#end(`crash ${this.name}${losesDisk ? ' with its disk' : ''}`)
      this.disk.crash(this.#world.random.fork(`crash ${this.name}`))
    }
    if (losesDisk) this.disk.clear()
  }

  /**
   * The process stands still, like one that is stopped by a debugger or collects garbage: its clock
   * goes on, but nothing else. Returns how to have it go on.
   */
  pause(): Undo {
    const { platform } = this.#running()
    this.#world.trace.note(`pause ${this.name}`)
    platform.pause()
    this.#world.network.nodePaused(this.name, true)
    return () => {
      if (this.#process?.platform !== platform) return
      this.#world.trace.note(`resume ${this.name}`)
      platform.resume()
      this.#world.network.nodePaused(this.name, false)
    }
  }

  /** Stops in good order: leaves the cluster, then ends. Resolves when it is down. */
  stop(): Promise<void> {
    const process = this.#running()
    process.isStopping = true
    this.#world.trace.note(`stop ${this.name}`)
    return this.#world.complete(process.system.terminate('stopped by the test'))
  }

  /** Crashes the node if it runs, and starts it again at the same address with the same disk. */
  restart(options: { readonly losesDisk?: boolean } = {}): Promise<void> {
    this.crash(options)
    return this.start()
  }

  /**
   * From now on the node is started again when it ends by itself (downed by the others, say), as
   * whoever looks after processes would do. Not after `crash` and `stop`.
   */
  supervise(restartAfter: Duration = '2s'): void {
    this.#restartMs = durationMs(restartAfter)
  }

  #endedByItself(isWanted: boolean): void {
    this.#end(`ended ${this.name}`)
    if (this.#restartMs === undefined || isWanted) return
    const incarnation = this.#incarnation
    this.#world.after(this.#restartMs, () => {
      if (!this.isRunning && this.#incarnation === incarnation)
        this.#world.background(this.#start().catch(unlessEnded))
    })
  }

  get wallAheadMs(): number {
    return this.#wallAheadMs
  }

  /** Sets this machine's wall clock forward, or back with a negative number. */
  jumpWall(byMs: number): void {
    this.#world.trace.note(`wall clock of ${this.name} jumps ${byMs} ms`)
    this.#wallAheadMs += byMs
  }

  #end(note: string): void {
    const process = this.#process
    this.#process = undefined
    this.#world.trace.note(note)
    process?.platform.end()
    process?.onEnd()
    this.#world.network.nodeDied(this.name)
  }
}

interface Process {
  readonly platform: SimulatedPlatform
  readonly system: ActorSystem
  cluster: Cluster | undefined
  /** The test wants it to end, and not to come back. */
  isStopping: boolean
  readonly onEnd: () => void
}

/** A node that ends while it starts is no failure where nodes are ended on purpose. */
export function unlessEnded(error: unknown): void {
  if (!(error instanceof TestKitError && error.code === 'NODE_IS_DOWN')) throw error
}

export function addressOf(name: string): string {
  return `${name}:${PORT}`
}

const SYSTEM_NAME = 'test'
const PORT = 2551
const DISK_MS_MIN = 0.1
const DISK_MS_MEAN_EXTRA = 0.4
