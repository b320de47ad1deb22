import type { TimerService, TimerTask } from '@troupe/actor'
import type { Member, MemberStatus, UniqueAddress } from '@troupe/cluster'
import { type Crdt, HybridClock } from '@troupe/crdt'
import {
  GCounterKey,
  type Key,
  LWWMapKey,
  type ReplicatorSettings,
  type WriteConsistency,
  writeLocal,
} from '@troupe/replicator'
import type { ReplicatorMessage } from '../../packages/replicator/src/protocol.ts'
import { Replicator } from '../../packages/replicator/src/replicator.ts'
import type { WriteResult } from '../../packages/replicator/src/results.ts'
import { replicatorSettings } from '../../packages/replicator/src/settings.ts'

export const Prices = LWWMapKey.create<string, number>('prices')
export const Views = GCounterKey.create('views')
export const timeoutMs = 800

/** One replicator, without actors and links, with its mailbox and its timers in the hands of the test. */
export class Node implements TimerService {
  readonly address: UniqueAddress
  readonly replicator: Replicator
  readonly sent: { readonly to: UniqueAddress; readonly message: ReplicatorMessage }[] = []
  readonly refused: string[] = []
  readonly #timers = new Map<TimerTask, number>()
  now = 0
  wantsFlush = false

  constructor(name: string, settings: Partial<ReplicatorSettings> = {}) {
    this.address = { address: `${name}:1`, uid: name.toUpperCase() }
    this.replicator = new Replicator(
      {
        self: this.address,
        replica: new HybridClock(this.address.uid, { wallMs: () => 1_000_000 + this.now }),
        timers: this,
        now: () => this.now,
        below: () => 0,
        post: (to, message) => void this.sent.push({ to, message }),
        soon: () => void (this.wantsFlush = true),
        refused: (_from, key, reason) => void this.refused.push(`${key}: ${reason}`),
        listenerFailed: () => {},
        notEncodable: (key) => void this.refused.push(`${key}: NotEncodable`),
      },
      replicatorSettings(settings),
    )
  }

  start(task: TimerTask, delayMs: number): void {
    this.#timers.set(task, this.now + delayMs)
  }

  cancel(task: TimerTask): void {
    this.#timers.delete(task)
  }

  advance(ms: number): void {
    this.now += ms
    for (const [task, dueAt] of this.#timers) {
      if (dueAt > this.now) continue
      this.#timers.delete(task)
      task.fire()
    }
  }

  flush(): void {
    this.wantsFlush = false
    this.replicator.flush()
  }

  types(): readonly string[] {
    return this.sent.map(({ to, message }) => `${message.type} to ${to.address[0]}`)
  }

  /** Writes, and returns where the outcome will be. */
  update<T extends Crdt, View>(
    key: Key<T, View>,
    modify: (value: T) => unknown,
    consistency: WriteConsistency = writeLocal,
  ): WriteResult[] {
    const results: WriteResult[] = []
    const change = modify as (value: never) => unknown
    this.replicator.update(key, change, consistency, (result) => results.push(result))
    return results
  }

  put(name: string, value: number, consistency?: WriteConsistency) {
    return this.update(Prices, (map) => map.put(name, value), consistency)
  }

  prices(): unknown {
    return this.replicator.table.find('prices')?.value?.toJSON()
  }
}

/** Several nodes that are members for each other; `deliver` carries what they say. */
export class Nodes {
  readonly all: readonly Node[]
  /** Messages that get lost on the way. */
  loses: (from: Node, to: Node, message: ReplicatorMessage) => boolean = () => false

  constructor(names: string, settings?: Partial<ReplicatorSettings>) {
    this.all = names.split('').map((name) => new Node(name, settings))
    this.members(this.all.map((node) => [node, 'Up']))
    this.deliver()
  }

  members(members: readonly (readonly [Node, MemberStatus])[]): void {
    const list = members.map(([{ address }, status]): Member => {
      return { node: address, status, roles: [], upNumber: 1, isReplaced: false }
    })
    for (const [{ replicator }] of members) replicator.membersChanged(list)
  }

  /** Carries messages and ends turns until there are no more. */
  deliver(): void {
    for (let isBusy = true; isBusy;) {
      isBusy = false
      for (const node of this.all) {
        if (node.wantsFlush) node.flush()
        for (const { to, message } of node.sent.splice(0)) {
          const target = this.all.find(({ address }) => address.uid === to.uid)
          if (target === undefined || this.loses(node, target, message)) continue
          target.replicator.receive(node.address, message)
          isBusy = true
        }
        isBusy ||= node.wantsFlush
      }
    }
  }

  advance(ms: number): void {
    for (const node of this.all) node.advance(ms)
    this.deliver()
  }

  areEqual(): boolean {
    const roots = this.all.map((node) => JSON.stringify(node.replicator.table.digests.root))
    return new Set(roots).size === 1
  }
}

export function three(settings?: Partial<ReplicatorSettings>) {
  const nodes = new Nodes('abc', settings)
  const [a, b, c] = nodes.all as [Node, Node, Node]
  return { nodes, a, b, c }
}
