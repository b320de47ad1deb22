import { nodeKey, type UniqueAddress } from '../node-address.ts'
import { Membership, type MembershipEffect } from './membership.ts'
import type { MembershipMessage } from './messages.ts'

export const TOMBSTONE_MS: number = 60_000

/** Membership machines that talk to each other in one queue; time and gossip happen when the test says so. */
export class Town {
  readonly #machines = new Map<string, Membership>()
  readonly #queue: { from: UniqueAddress; to: UniqueAddress; message: MembershipMessage }[] = []
  readonly ended = new Map<string, string>()
  /** Pairs of addresses between which nothing gets through. */
  readonly cuts = new Set<string>()
  now = 0

  add(name: string, uid = `uid-${name}`): UniqueAddress {
    const node = { address: `${name}:1`, uid }
    this.#machines.set(nodeKey(node), new Membership(node, [name], TOMBSTONE_MS))
    return node
  }

  at(node: UniqueAddress): Membership {
    const machine = this.#machines.get(nodeKey(node))
    if (machine === undefined) throw new Error(`no machine for ${nodeKey(node)}`)
    return machine
  }

  /** The process ends without a word. */
  kill(node: UniqueAddress): void {
    this.#machines.delete(nodeKey(node))
  }

  do(node: UniqueAddress, step: (machine: Membership) => readonly MembershipEffect[]): void {
    this.#perform(node, step(this.at(node)))
    this.#deliver()
  }

  send(from: UniqueAddress, to: UniqueAddress, message: MembershipMessage): void {
    this.#queue.push({ from, to, message })
    this.#deliver()
  }

  /** Everybody gossips with everybody and whoever leads takes a step, `rounds` times. */
  rounds(rounds: number): void {
    for (let round = 0; round < rounds; round++) {
      for (const key of this.#machines.keys()) {
        const machine = this.#machines.get(key)
        if (machine === undefined) continue
        const node = { address: key.slice(0, 3), uid: key.slice(4) }
        for (const random of [0, 0.34, 0.67, 0.99]) {
          this.do(node, (each) => each.gossipTick(random))
        }
        this.do(node, (each) => each.leaderTick(this.now))
      }
      this.now += 1_000
    }
  }

  #perform(node: UniqueAddress, effects: readonly MembershipEffect[]): void {
    for (const effect of effects) {
      if (effect.type === 'Send')
        this.#queue.push({ from: node, to: effect.to, message: effect.message })
      if (effect.type === 'ShutDown') this.ended.set(nodeKey(node), effect.reason)
    }
  }

  #deliver(): void {
    for (let each = this.#queue.shift(); each !== undefined; each = this.#queue.shift()) {
      const { from, to, message } = each
      const machine = this.#machines.get(nodeKey(to))
      const isCut = this.cuts.has(`${from.address}${to.address}`)
      if (machine === undefined || isCut) continue
      this.#perform(to, machine.receive(from, message))
    }
  }

  cut(a: UniqueAddress, b: UniqueAddress): void {
    this.cuts.add(`${a.address}${b.address}`).add(`${b.address}${a.address}`)
  }

  /** First letter of each member's address, and its status. */
  statuses(node: UniqueAddress): Record<string, string> {
    const statuses: Record<string, string> = {}
    for (const { node: each, status } of this.at(node).gossip.members.values()) {
      statuses[each.address.slice(0, 1)] = status
    }
    return statuses
  }
}

/** A cluster of `names`, all Up for all. */
export function town(names: string): { town: Town; nodes: readonly UniqueAddress[] } {
  const world = new Town()
  const nodes = names.split('').map((name) => world.add(name))
  const [first] = nodes
  if (first === undefined) throw new Error('a town of nobody')
  world.do(first, (machine) => machine.startCluster(0))
  for (const node of nodes.slice(1)) world.send(node, first, { type: 'Join', roles: [] })
  world.rounds(4)
  return { town: world, nodes }
}

export function three(): { town: Town; a: UniqueAddress; b: UniqueAddress; c: UniqueAddress } {
  const { town: world, nodes } = town('abc')
  const [a, b, c] = nodes
  if (a === undefined || b === undefined || c === undefined) throw new Error('three nodes')
  return { town: world, a, b, c }
}

export const ALL_UP: Readonly<Record<string, string>> = { a: 'Up', b: 'Up', c: 'Up' }
