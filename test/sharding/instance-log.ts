import type { SimulatedNode } from '@troupe/testkit/cluster'

/** One entity from its start to its end. */
export interface Instance {
  readonly id: string
  readonly node: string
  readonly incarnation: number
  readonly epoch: number
  readonly startedAt: number
  endedAt: number | undefined
}

/**
 * Sees every entity start and end on every node, as nobody in the cluster can. An instance is *live*
 * from its start to its PostStop, or to the moment its process dies. Whenever one starts, all earlier
 * ones of that id must have ended: two intervals that overlap do so at the start of the later one, so
 * nothing is missed.
 */
export class InstanceLog {
  readonly instances: Instance[] = []
  readonly #live = new Map<string, Instance[]>()
  readonly #nodes: () => readonly SimulatedNode[]
  readonly #now: () => number
  readonly violations: string[] = []

  constructor(nodes: () => readonly SimulatedNode[], now: () => number) {
    this.#nodes = nodes
    this.#now = now
  }

  started(node: SimulatedNode, id: string, epoch: number): Instance {
    const instance: Instance = {
      id,
      node: node.name,
      incarnation: node.incarnation,
      epoch,
      startedAt: this.#now(),
      endedAt: undefined,
    }
    const others = this.liveOf(id)
    for (const other of others) {
      this.violations.push(
        `two live instances of ${id} at ${this.#now()}: ${describe(other)}, ${describe(instance)}`,
      )
    }
    this.#live.set(id, [...others, instance])
    this.instances.push(instance)
    return instance
  }

  ended(instance: Instance): void {
    instance.endedAt = this.#now()
  }

  /** The instances of `id` that are live now. */
  liveOf(id: string): Instance[] {
    return (this.#live.get(id) ?? []).filter(
      (each) => each.endedAt === undefined && this.#isProcessRunning(each),
    )
  }

  #isProcessRunning({ node, incarnation }: Instance): boolean {
    const machine = this.#nodes().find(({ name }) => name === node)
    return machine?.isRunning === true && machine.incarnation === incarnation
  }
}

function describe({ node, incarnation, epoch, startedAt }: Instance): string {
  return `${node}.${incarnation} since ${startedAt} (epoch ${epoch})`
}
