import type { NodeMessage, NodeStats } from '../node-protocol.ts'
import { type EarlierCounts, withEnded } from './earlier-counts.ts'

type NodePhase =
  /** The process runs and has not said that its ports are bound. */
  | 'starting'
  /** Bound, and not yet a member. */
  | 'joining'
  | 'up'
  | 'leaving'
  /** No process; another one will be started. */
  | 'down'
  /** No process, and there will be none. */
  | 'gone'

/** One node as the launcher sees it; it may have had several processes. */
export interface FleetNode {
  readonly name: string
  readonly phase: NodePhase
  /** How many times a process was started. */
  readonly starts: number
  /** The latest figures of the current process. */
  readonly stats: NodeStats | undefined
  /** What its earlier processes had counted. */
  readonly earlier: EarlierCounts | undefined
}

export type FleetEffect =
  | { readonly type: 'Start'; readonly name: string; readonly isFirst: boolean }
  | { readonly type: 'Kill'; readonly name: string }
  | { readonly type: 'Shutdown'; readonly name: string }
  /** Something people should read. */
  | { readonly type: 'Notice'; readonly text: string }
  /** The run cannot go on; everything that still runs is to be killed. */
  | { readonly type: 'GiveUp'; readonly reason: string }
  /** All processes have ended after `shutdown`. `killed`: those that had not left in time. */
  | { readonly type: 'Done'; readonly killed: readonly string[] }

/**
 * Which node processes there should be, and what to do about each that is not as it should be.
 *
 * A process that ends is started again: at once after a kill of our own, after a growing pause when it
 * ended by itself. A node that cannot even start the first time is a mistake of the set-up (a busy
 * port): the run is given up. At the end nodes leave one after another, the last one first, so that
 * each can hand over its shards to those that stay.
 */
export class Fleet {
  readonly #nodes: readonly MutableNode[]
  readonly #settings: FleetSettings
  #isShuttingDown = false
  #isOver = false
  readonly #killed: string[] = []

  constructor(names: readonly string[], settings: FleetSettings = defaultFleetSettings) {
    this.#settings = settings
    this.#nodes = names.map((name) => new MutableNode(name))
  }

  get nodes(): readonly FleetNode[] {
    return this.#nodes
  }

  /** Every node is a member and sees every other one as a member. */
  get isComplete(): boolean {
    return this.#nodes.every((node) => {
      const members = node.stats?.members ?? []
      const up = members.filter(({ status, isReachable }) => status === 'Up' && isReachable)
      return node.phase === 'up' && up.length === members.length && up.length === this.#nodes.length
    })
  }

  start(now: number): FleetEffect[] {
    return this.#nodes.map((node) => this.#start(node, now))
  }

  received(name: string, message: NodeMessage, now: number): FleetEffect[] {
    const node = this.#nodeOf(name)
    if (node === undefined || !node.hasProcess) return []
    node.heardAt = now
    switch (message.type) {
      case 'Ready':
        if (node.phase === 'starting') node.phase = 'joining'
        return []
      case 'Failed':
        node.failure = message.reason
        return []
      case 'Stats':
        return this.#learned(node, message, now)
      default:
        return message satisfies never
    }
  }

  /** The process of a node has ended. `how`: for people, `exit code 1` or `SIGKILL`. */
  exited(name: string, how: string, now: number): FleetEffect[] {
    const node = this.#nodeOf(name)
    if (node === undefined || !node.hasProcess) return []
    node.retire()
    if (this.#isOver) return []
    if (this.#isShuttingDown) {
      node.phase = 'gone'
      return this.#leaveNext(now)
    }
    if (node.wasKilled) {
      node.phase = 'down'
      node.startAt = now + this.#settings.restartAfterKillMs
      return []
    }
    return this.#failed(node, node.failure ?? `the process of ${name} has ended (${how})`, now)
  }

  /** Kills a node's process, to see the others cope; it will be started again. */
  kill(name: string, now: number): FleetEffect[] {
    const node = this.#nodeOf(name)
    if (node === undefined || !node.hasProcess || this.#isShuttingDown) return []
    node.wasKilled = true
    node.heardAt = now
    return [{ type: 'Kill', name }]
  }

  /** To be called a few times a second. */
  tick(now: number): FleetEffect[] {
    if (this.#isOver) return []
    return this.#nodes.flatMap((node) => {
      if (node.phase === 'down' && now >= node.startAt) return [this.#start(node, now)]
      if (!node.hasProcess) return []
      const silentMs = now - node.heardAt
      if (node.phase === 'leaving') {
        if (now - node.leavingSince < this.#settings.leaveWithinMs || node.wasKilled) return []
        node.wasKilled = true
        this.#killed.push(node.name)
        return [{ type: 'Kill', name: node.name }]
      }
      if (silentMs < this.#settings.silentMaxMs || node.wasKilled) return []
      node.failure = `${node.name} has been silent for ${Math.round(silentMs / 1_000)} s and was killed`
      node.heardAt = now
      return [{ type: 'Kill', name: node.name }]
    })
  }

  /** Ends all processes in order; says `Done` when there is none left. */
  shutdown(now: number): FleetEffect[] {
    if (this.#isShuttingDown || this.#isOver) return []
    this.#isShuttingDown = true
    for (const node of this.#nodes) if (!node.hasProcess) node.phase = 'gone'
    return this.#leaveNext(now)
  }

  #start(node: MutableNode, now: number): FleetEffect {
    node.start(now)
    const isFirst = node.starts === 1 && node === this.#nodes[0]
    return { type: 'Start', name: node.name, isFirst }
  }

  #learned(node: MutableNode, stats: NodeStats, now: number): FleetEffect[] {
    node.stats = stats
    const self = stats.members.find(({ uid }) => uid === stats.uid)
    if (self?.status !== 'Up' || node.phase !== 'joining') return []
    node.phase = 'up'
    node.upSince = now
    return node.starts === 1 ? [] : [notice(`${node.name} is back`)]
  }

  #failed(node: MutableNode, reason: string, now: number): FleetEffect[] {
    const wasUp = node.upSince !== undefined
    if (wasUp && now - (node.upSince ?? now) >= this.#settings.steadyMs) node.failures = 0
    node.failures++
    const isHopeless = !wasUp && node.starts === 1
    if (isHopeless || node.failures > this.#settings.failuresMax) {
      this.#isOver = true
      return [{ type: 'GiveUp', reason }]
    }
    const pauseMs = this.#settings.restartAfterFailureMs * 2 ** (node.failures - 1)
    node.phase = 'down'
    node.startAt = now + pauseMs
    return [notice(`${reason}; starting it again in ${pauseMs / 1_000} s`)]
  }

  #leaveNext(now: number): FleetEffect[] {
    if (this.#nodes.some(({ phase }) => phase === 'leaving')) return []
    const next = this.#nodes.findLast((node) => node.hasProcess)
    if (next === undefined) {
      this.#isOver = true
      return [{ type: 'Done', killed: this.#killed }]
    }
    next.phase = 'leaving'
    next.leavingSince = now
    return [{ type: 'Shutdown', name: next.name }]
  }

  #nodeOf(name: string): MutableNode | undefined {
    return this.#nodes.find((node) => node.name === name)
  }
}

export interface FleetSettings {
  /** How long a node that was killed on purpose stays away. */
  readonly restartAfterKillMs: number
  /** The pause after the first failure; each further one doubles it. */
  readonly restartAfterFailureMs: number
  /** Failures in a row after which the run is given up. */
  readonly failuresMax: number
  /** A node that was up for this long has recovered: its failures no longer count. */
  readonly steadyMs: number
  /** A process that says nothing for this long hangs, and is killed. */
  readonly silentMaxMs: number
  /** A node that has not left after this long is killed. */
  readonly leaveWithinMs: number
}

export const defaultFleetSettings: FleetSettings = {
  restartAfterKillMs: 1_000,
  restartAfterFailureMs: 500,
  failuresMax: 5,
  steadyMs: 30_000,
  silentMaxMs: 30_000,
  leaveWithinMs: 10_000,
}

class MutableNode implements FleetNode {
  readonly name: string
  phase: NodePhase = 'down'
  starts = 0
  stats: NodeStats | undefined = undefined
  earlier: EarlierCounts | undefined = undefined
  hasProcess = false
  wasKilled = false
  failure: string | undefined = undefined
  failures = 0
  heardAt = 0
  startAt = 0
  leavingSince = 0
  upSince: number | undefined = undefined

  constructor(name: string) {
    this.name = name
  }

  start(now: number): void {
    this.phase = 'starting'
    this.starts++
    this.hasProcess = true
    this.wasKilled = false
    this.failure = undefined
    this.heardAt = now
    this.upSince = undefined
  }

  retire(): void {
    this.hasProcess = false
    if (this.stats !== undefined) this.earlier = withEnded(this.earlier, this.stats)
    this.stats = undefined
  }
}

function notice(text: string): FleetEffect {
  return { type: 'Notice', text }
}
