import { localClusterSettings } from '@troupe/cluster'
import {
  ClusterSharding,
  type EntityRef,
  type EntityTypeOptions,
  type Shards,
  type ShardingSettings,
} from '@troupe/sharding'
import { type SimulatedNode, TestCluster, type TestClusterOptions } from '@troupe/testkit/cluster'
import { DropLog } from './drop-log.ts'
import { InstanceLog } from './instance-log.ts'
import { Books, type LedgerCommand, ledgerOn, type LedgerReply } from './ledger.ts'

export interface ShardedClusterOptions {
  readonly nodes?: number | readonly string[]
  readonly settings?: Partial<ShardingSettings>
  readonly type?: EntityTypeOptions<LedgerCommand>
  /** Nodes whose name says so have the role. Default: all host. */
  readonly role?: string
  readonly rolesOf?: (node: SimulatedNode) => readonly string[]
}

/** A test cluster whose nodes host ledgers, watched from above. */
export class ShardedCluster implements AsyncDisposable {
  readonly cluster: TestCluster
  readonly log: InstanceLog
  readonly books = new Books()
  readonly #dropLog = new DropLog()
  readonly #options: ShardedClusterOptions
  readonly #shards = new Map<string, Shards<LedgerCommand>>()

  private constructor(options: ShardedClusterOptions) {
    this.#options = options
    const { rolesOf } = options
    const clusterOptions: TestClusterOptions = {
      nodes: options.nodes ?? 3,
      settings: (node) => ({ ...localClusterSettings(), roles: rolesOf?.(node) ?? [] }),
      start: (node) => this.#startOn(node),
    }
    this.cluster = new TestCluster(clusterOptions)
    this.log = new InstanceLog(
      () => this.cluster.nodes,
      () => this.cluster.world.now,
    )
  }

  /** Starts all nodes, or those named in `only`, and waits until they are a cluster. */
  static async start(
    options: ShardedClusterOptions = {},
    only?: readonly string[],
  ): Promise<ShardedCluster> {
    const sharded = new ShardedCluster(options)
    if (only === undefined) await sharded.cluster.form()
    else for (const name of only) await sharded.node(name).start()
    return sharded
  }

  /** Waits until the nodes that run see each other Up, and nobody else. */
  async formed(): Promise<void> {
    const { nodes, clock } = this.cluster
    await clock.until(() => {
      const running = nodes.filter(({ isStarted }) => isStarted)
      return running.every(({ cluster }) => {
        const { members, unreachable } = cluster.state
        const areUp = members.every(({ status }) => status === 'Up')
        return areUp && members.length === running.length && unreachable.length === 0
      })
    }, '60s')
  }

  #startOn(node: SimulatedNode): void {
    const { settings, type, role } = this.#options
    this.#dropLog.watch(node)
    const shards = ClusterSharding.get(node.system).start(ledgerOn(node, this, type), {
      settings: { hostsMin: 1, ...settings },
      ...(role === undefined ? {} : { role }),
    })
    this.#shards.set(node.name, shards)
  }

  node(name: string): SimulatedNode {
    const node = this.cluster.nodes.find((each) => each.name === name)
    if (node === undefined) throw new RangeError(`there is no node ${name}`)
    return node
  }

  /** The ledgers as node `name` sees them. */
  on(name: string): Shards<LedgerCommand> {
    const shards = this.#shards.get(name)
    if (shards === undefined) throw new RangeError(`${name} was never started`)
    return shards
  }

  ref(name: string, id: string): EntityRef<LedgerCommand> {
    return this.on(name).entityRef(id)
  }

  /** Asks entity `id` from node `name` where it is. */
  where(name: string, id: string, timeoutMs = 10_000): Promise<LedgerReply> {
    const ref = this.ref(name, id)
    return this.cluster.run(
      ref.ask<LedgerReply>((replyTo) => ({ type: 'Where', replyTo }), { timeoutMs }),
    )
  }

  /** Why notes were dropped, one reason each, on all nodes. */
  get drops(): readonly string[] {
    return [...this.#dropLog.reasons.values()]
  }

  /** How many shards each running node hosts. */
  get hosted(): Readonly<Record<string, number>> {
    const hosted: Record<string, number> = {}
    for (const { name, isRunning } of this.cluster.nodes) {
      if (isRunning) hosted[name] = this.#shards.get(name)?.state.shards.length ?? 0
    }
    return hosted
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]()
  }
}
