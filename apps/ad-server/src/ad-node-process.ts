import { ActorSystem, Behaviors, nodePlatform } from '@troupe/actor'
import { Cluster, localClusterSettings } from '@troupe/cluster'
import { pino } from 'pino'
import { AdHttp } from './http/ad-http.ts'
import { BeaconTokens } from './http/beacon-token.ts'
import { HttpServer } from './http/http-server.ts'
import { AdNode } from './node/ad-node.ts'
import { nodeStats } from './node/node-stats.ts'
import type { LauncherMessage, NodeConfig, NodeMessage } from './node-protocol.ts'

/**
 * One node of the ad server as a process of its own, started with `child_process.fork` and led over
 * its IPC channel as `node-protocol.ts` says. It ends when the channel closes, so that nothing is left
 * behind when the launcher dies, however it dies.
 */
class NodeProcess {
  #system: ActorSystem | undefined
  #isLeaving = false
  #load: ((scenario: Parameters<AdNode['load']>[0]) => void) | undefined

  handle(message: LauncherMessage): void {
    switch (message.type) {
      case 'Start':
        this.#start(message.config).catch((error: unknown) => this.#fail(error))
        break
      case 'LoadScenario':
        this.#load?.(message.scenario)
        break
      case 'Shutdown':
        void this.leave()
        break
      default:
        message satisfies never
    }
  }

  /** Leaves in order; the process ends with 0. Ends at once when nothing was started yet. */
  async leave(): Promise<void> {
    if (this.#isLeaving) return
    this.#isLeaving = true
    await this.#system?.terminate('told to by the launcher')
    process.exit(0)
  }

  async #start(config: NodeConfig): Promise<void> {
    if (this.#system !== undefined) return
    const { name, host } = config
    const logger = pino(
      { level: config.logLevel ?? 'warn', base: { node: name } },
      pino.destination(2),
    )
    const platform = nodePlatform({ folder: config.dataDir })
    const system = ActorSystem.create(Behaviors.empty, 'ads', { platform, logger })
    this.#system = system
    const cluster = await Cluster.start(system, {
      ...localClusterSettings(),
      host,
      port: config.clusterPort,
      seeds: config.seeds,
      secret: config.secret,
    })
    const { speed, realStartMs, scenarioStartMs } = config
    const node = AdNode.start(system, {
      origin: { speed, realStartMs, scenarioStartMs },
      ...(config.scenario === undefined ? {} : { scenario: config.scenario }),
    })
    this.#load = (scenario) => node.load(scenario)
    const http = new AdHttp(node, new BeaconTokens(config.secret))
    const server = await HttpServer.start({ host, port: config.httpPort }, http)
    system.coordinatedShutdown.addTask('service-unbind', 'stop taking requests', () =>
      server.stop(),
    )
    const clusterPort = Number(
      cluster.self.address.slice(cluster.self.address.lastIndexOf(':') + 1),
    )
    say({ type: 'Ready', name, pid: process.pid, clusterPort, httpPort: server.port })
    const report = (): void =>
      say({ type: 'Stats', ...nodeStats(name, node, http, process.memoryUsage().heapUsed) })
    setInterval(report, config.statsIntervalMs ?? 500)
    await system.whenTerminated
    // Downed by the others, or told to leave from elsewhere: this incarnation is over.
    if (!this.#isLeaving) process.exit(1)
  }

  #fail(error: unknown): void {
    const { code = 'UNKNOWN', message = String(error) } = error as {
      code?: string
      message?: string
    }
    say({ type: 'Failed', code: String(code), reason: message }, () => process.exit(1))
  }
}

function say(message: NodeMessage, then: () => void = () => {}): void {
  if (process.connected) process.send?.(message, undefined, undefined, then)
  else then()
}

const node = new NodeProcess()
process.on('message', (message) => node.handle(message as LauncherMessage))
process.on('disconnect', () => process.exit(1))
// Ctrl-C reaches every process of the terminal: the launcher decides what becomes of it.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => void node.leave())
