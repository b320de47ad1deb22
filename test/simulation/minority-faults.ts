import type { Random } from '@troupe/actor'
import { DistributedData } from '@troupe/replicator'
import type { SimulatedNode } from '@troupe/testkit/cluster'
import type { Simulation } from '@troupe/testkit/simulation'

/**
 * Faults that never take more than a minority of the nodes out of action at a time. Out of action is a
 * node that is down, or is up again and has not yet got from all others what it lost: its memory is
 * all it has.
 */
export class MinorityFaults {
  readonly #world: Simulation
  readonly #draws: Random
  readonly #crashes: Promise<unknown>[] = []
  #heal: (() => void) | undefined

  constructor(world: Simulation) {
    this.#world = world
    this.#draws = world.random('faults')
  }

  /** Lets things go wrong for `durationMs`, then mends everything; resolves when all nodes are back. */
  async play(durationMs: number): Promise<void> {
    const { clock, network, cluster } = this.#world
    const end = clock.now + durationMs
    while (clock.now < end) {
      await clock.advance(100 + this.#draws.below(900))
      this.#happen()
    }
    network.heal()
    await Promise.all(this.#crashes)
    await clock.until(() => cluster.isFormed(), '120s', 'a cluster of all nodes')
    await clock.until(() => cluster.nodes.every(isInAction), '30s', 'all nodes complete')
  }

  #happen(): void {
    const { nodes, network } = this.#world
    const [a, b] = [this.#pick(nodes), this.#pick(nodes)]
    switch (this.#draws.below(7)) {
      case 0:
      case 1: {
        this.#heal?.()
        const some = nodes.filter(() => this.#draws.next() < 0.4)
        const rest = nodes.filter((node) => !some.includes(node))
        this.#heal = network.partition(some, rest)
        return
      }
      case 2:
        this.#heal?.()
        this.#heal = undefined
        return
      case 3:
        if (a !== b) network.breakLinks(a, b)
        return
      default: {
        const isMinority = nodes.filter((node) => !isInAction(node)).length < MINORITY
        if (a.isRunning && isInAction(a) && isMinority) this.#crashes.push(this.#crash(a))
      }
    }
  }

  async #crash(node: SimulatedNode): Promise<void> {
    node.crash()
    await this.#world.clock.advance(this.#draws.below(4_000))
    await node.start()
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#draws.below(items.length)] as T
  }
}

/** Runs, and has everything it had before it last crashed. */
export function isInAction(node: SimulatedNode): boolean {
  return node.isRunning && node.isStarted && DistributedData.get(node.system).isComplete
}

/** Of five nodes. */
const MINORITY = 2
