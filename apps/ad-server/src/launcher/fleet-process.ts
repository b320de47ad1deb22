import { type ChildProcess, fork } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import type { LauncherMessage, NodeConfig, NodeMessage } from '../node-protocol.ts'
import type { Scenario } from '../scenario.ts'
import type { DataFolder } from './data-file.ts'
import { Fleet, type FleetEffect, type FleetNode } from './fleet.ts'
import type { NodePorts } from './http-ports.ts'

export interface FleetProcessSettings {
  readonly ports: readonly NodePorts[]
  readonly dataFolder: DataFolder
  /** What all nodes are told, but for what differs from node to node. */
  readonly common: Omit<
    NodeConfig,
    'name' | 'clusterPort' | 'httpPort' | 'seeds' | 'dataDir' | 'scenario'
  >
  readonly scenario: Scenario
  /** The program of a node; only tests give another one than the real. */
  readonly program?: string
  readonly onNotice: (text: string) => void
  /** The run cannot go on; all processes were killed. */
  readonly onGiveUp: (reason: string) => void
}

/** Gives the fleet real processes and real time. */
export class FleetProcess {
  readonly #settings: FleetProcessSettings
  readonly #fleet: Fleet
  readonly #places: ReadonlyMap<string, NodePorts>
  readonly #processes = new Map<string, ChildProcess>()
  readonly #timer: NodeJS.Timeout
  #scenario: Scenario
  #onDone: ((killed: readonly string[]) => void) | undefined

  constructor(settings: FleetProcessSettings) {
    this.#settings = settings
    this.#scenario = settings.scenario
    this.#places = new Map(settings.ports.map((ports, i) => [`node-${i + 1}`, ports]))
    this.#fleet = new Fleet([...this.#places.keys()])
    this.#timer = setInterval(() => this.#perform(this.#fleet.tick(performance.now())), TICK_MS)
    this.#perform(this.#fleet.start(performance.now()))
  }

  get nodes(): readonly FleetNode[] {
    return this.#fleet.nodes
  }

  get isComplete(): boolean {
    return this.#fleet.isComplete
  }

  portsOf(name: string): NodePorts | undefined {
    return this.#places.get(name)
  }

  pidOf(name: string): number | undefined {
    return this.#processes.get(name)?.pid
  }

  kill(name: string): void {
    this.#perform(this.#fleet.kill(name, performance.now()))
  }

  /** Replaces the scenario on all nodes, those that are started later too. */
  load(scenario: Scenario): void {
    this.#scenario = scenario
    for (const name of this.#processes.keys()) this.#send(name, { type: 'LoadScenario', scenario })
  }

  /** Resolves, with the names of those that had to be killed, when no process is left. */
  shutdown(): Promise<readonly string[]> {
    return new Promise((resolve) => {
      this.#onDone = resolve
      this.#perform(this.#fleet.shutdown(performance.now()))
    })
  }

  /** The last resort: kills all processes at once. */
  killAll(): void {
    clearInterval(this.#timer)
    for (const child of this.#processes.values()) child.kill('SIGKILL')
  }

  #perform(effects: readonly FleetEffect[]): void {
    for (const effect of effects) {
      switch (effect.type) {
        case 'Start':
          this.#start(effect.name, effect.isFirst)
          break
        case 'Kill':
          this.#processes.get(effect.name)?.kill('SIGKILL')
          break
        case 'Shutdown':
          this.#send(effect.name, { type: 'Shutdown' })
          break
        case 'Notice':
          this.#settings.onNotice(effect.text)
          break
        case 'GiveUp':
          this.killAll()
          this.#settings.onGiveUp(effect.reason)
          break
        case 'Done':
          clearInterval(this.#timer)
          this.#onDone?.(effect.killed)
          break
        default:
          effect satisfies never
      }
    }
  }

  #start(name: string, isFirst: boolean): void {
    const { dataFolder, common, program = NODE_PROGRAM } = this.#settings
    const ports = this.#places.get(name) ?? { httpPort: 0, clusterPort: 0 }
    try {
      const dataDir = dataFolder.folderOf(name)
      const child = this.#fork(name, program)
      const seeds = [...this.#places.values()].map((each) => `${common.host}:${each.clusterPort}`)
      const config = {
        ...common,
        ...ports,
        name,
        dataDir,
        // The first node of all founds the cluster at once; later it joins like the others.
        seeds: isFirst ? [] : seeds,
        scenario: this.#scenario,
      }
      this.#processes.set(name, child)
      this.#send(name, { type: 'Start', config })
    } catch (error) {
      const how = error instanceof Error ? error.message : String(error)
      this.#perform(this.#fleet.exited(name, how, performance.now()))
    }
  }

  #fork(name: string, program: string): ChildProcess {
    const logFile = join(this.#settings.dataFolder.path, `${name}.log`)
    const log = openSync(logFile, 'a')
    const child = fork(program, [], {
      serialization: 'advanced',
      stdio: ['ignore', log, log, 'ipc'],
    })
    closeSync(log)
    child.on('message', (message) => {
      this.#perform(this.#fleet.received(name, message as NodeMessage, performance.now()))
    })
    const ended = (how: string): void => {
      if (this.#processes.get(name) !== child) return
      this.#processes.delete(name)
      this.#perform(this.#fleet.exited(name, how, performance.now()))
    }
    child.on('error', (error) => ended(error.message))
    child.on('exit', (code, signal) => ended(howEnded(code, signal, logFile)))
    return child
  }

  #send(name: string, message: LauncherMessage): void {
    const child = this.#processes.get(name)
    // A channel that has just closed belongs to a process whose end we are about to hear of.
    if (child?.connected === true) child.send(message, () => undefined)
  }
}

function howEnded(code: number | null, signal: string | null, logFile: string): string {
  const how = signal ?? `exit code ${code ?? '?'}`
  const lastWords = code === 0 || signal === 'SIGKILL' ? '' : lastLineOf(logFile)
  return lastWords === '' ? how : `${how}: ${lastWords}`
}

/** The last line that is not a stack trace, shortened. */
function lastLineOf(file: string): string {
  try {
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n').slice(-40)
    const line = lines.findLast((text) => /error/i.test(text)) ?? lines.at(-1) ?? ''
    return line.trim().slice(0, 200)
  } catch {
    return ''
  }
}

const TICK_MS = 100
/** In the same form as ourselves: sources or built. */
const NODE_PROGRAM = fileURLToPath(
  new URL(`../ad-node-process.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url),
)
