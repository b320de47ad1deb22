import { runSimulation, type SimulationBody } from '@troupe/testkit/simulation'
import { afterEach, describe, expect, it } from 'vitest'
import { Downing } from '../../packages/cluster/src/membership/downing.ts'
import { FailureDetector } from '../../packages/cluster/src/membership/failure-detector.ts'
import { Heartbeats } from '../../packages/cluster/src/membership/heartbeats.ts'
import { Joining } from '../../packages/cluster/src/membership/joining.ts'
import { Membership } from '../../packages/cluster/src/membership/membership.ts'
import {
  cleanSplit,
  joiningInSplit,
  leaving,
  longStandstill,
  reunion,
  shortSplit,
  shortStandstill,
} from './membership-stories.ts'

/**
 * Who tests the simulations? Each of these bugs is planted into the machines of the cluster for the
 * duration of one test, and has to be found within a few seeds by the simulations of
 * `membership.test.ts`, which pass with the same seeds when it is not there.
 */
describe('the simulations of membership find', () => {
  const undo: (() => void)[] = []
  afterEach(() => {
    for (const each of undo.splice(0).reverse()) each()
  })

  /** Puts a method in the place of the one a class has; `bug` gets the real one. */
  function plant<T extends object, K extends keyof T>(
    prototype: T,
    name: K,
    bug: (real: T[K]) => T[K],
  ): void {
    const real = Object.getOwnPropertyDescriptor(prototype, name)
    if (real?.value === undefined)
      throw new Error(`there is no ${String(name)} to plant a bug into`)
    Object.defineProperty(prototype, name, { ...real, value: bug(real.value as T[K]) })
    undo.push(() => Object.defineProperty(prototype, name, real))
  }

  /** What the story says of the first seed that fails. */
  async function found(story: SimulationBody): Promise<string> {
    for (let seed = 1; seed <= SEEDS_MAX; seed++) {
      const { error } = await runSimulation(seed, { nodes: 5 }, story)
      if (error instanceof Error) return error.message
    }
    throw new Error(`not found with ${SEEDS_MAX} seeds`)
  }

  it('a failure detector that never takes a suspicion back', async () => {
    plant(
      Heartbeats.prototype,
      'check',
      (real) =>
        function (this: Heartbeats, now) {
          return real.call(this, now).filter(({ isReachable }) => !isReachable)
        },
    )

    expect(await found(shortSplit)).toContain('all together again')
  })

  it('a failure detector that worries too early', async () => {
    plant(
      FailureDetector.prototype,
      'isAvailable',
      (real) =>
        function (this: FailureDetector, now) {
          return real.call(this, now + 2_000)
        },
    )

    expect(await found(shortStandstill)).toContain('to deeply equal []')
  })

  it('a removed node that does not take notice', async () => {
    plant(Membership.prototype, 'toldRemoved', () => () => [])
    plant(
      Membership.prototype,
      'receive',
      (real) =>
        function (this: Membership, from, message) {
          return real.call(this, from, message).filter(({ type }) => type !== 'ShutDown')
        },
    )

    expect(await found(longStandstill)).toContain('the end of the one that stood still')
  })

  it('a part that stays whatever its size', async () => {
    plant(
      Downing.prototype,
      'tick',
      (real) =>
        function (this: Downing, gossip, now) {
          const decision = real.call(this, gossip, now)
          if (decision === undefined) return undefined
          const there = gossip.reachability.unreachable()
          const nodes = [...gossip.members].filter(([key]) => there.has(key))
          return { ...decision, nodes: nodes.map(([, { node }]) => node) }
        },
    )

    expect(await found(cleanSplit)).toContain('the smaller part gone')
  })

  it('a decision made at once, before the picture is stable', async () => {
    plant(
      Downing.prototype,
      'tick',
      (real) =>
        function (this: Downing, gossip, now) {
          return real.call(this, gossip, now) ?? real.call(this, gossip, now + 60_000)
        },
    )

    expect(await found(shortSplit)).toMatch(/all together again|MemberDowned/)
  })

  it('a node that starts a cluster of its own when nobody lets it in', async () => {
    const since = new WeakMap<Joining, number>()
    plant(
      Joining.prototype,
      'tick',
      (real) =>
        function (this: Joining, now) {
          const first = since.get(this) ?? now
          since.set(this, first)
          if (this.isDone || now - first < 10_000) return real.call(this, now)
          this.welcomed()
          return [{ type: 'StartCluster' }]
        },
    )

    expect(await found(reunion)).toContain('one membership of all nodes')
  })

  it('a leader that does not wait until all have seen its view', async () => {
    const real = Object.getOwnPropertyDescriptor(Membership.prototype, 'isConverged') ?? {}
    Object.defineProperty(Membership.prototype, 'isConverged', { ...real, get: () => true })
    undo.push(() => Object.defineProperty(Membership.prototype, 'isConverged', real))

    expect(await found(joiningInSplit)).toMatch(/ with age \d+, |MemberUp/)
  })

  it('a node that leaves without a word', async () => {
    plant(Membership.prototype, 'exitingDone', () => () => [])
    // A leader tells those who lead next of its step besides.
    plant(
      Membership.prototype,
      'leaderTick',
      (real) =>
        function (this: Membership, wallMs) {
          return real.call(this, wallMs).filter(({ type }) => type !== 'Send')
        },
    )

    expect(await found(leaving)).toMatch(/those that stayed on their own|MemberDowned/)
  })
})

const SEEDS_MAX = 100
