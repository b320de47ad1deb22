import { type ActorRef, Behaviors } from '@troupe/actor'
import { type SimulatedNode, TestCluster } from '@troupe/testkit/cluster'
import { expect } from 'vitest'
import { watcherOn } from './watcher.ts'

/** Counts what it hears on `node`; `ref`: as `from` knows it. */
export function counterOn(
  node: SimulatedNode,
  from: SimulatedNode,
): { readonly ref: ActorRef<{ readonly number: number }>; readonly numbers: number[] } {
  const numbers: number[] = []
  const counter = node.system.systemActorOf<{ readonly number: number }>(
    Behaviors.receive(({ number }) => {
      numbers.push(number)
      return Behaviors.same
    }),
    'counter',
  )
  return { ref: node.refFor(from, counter), numbers }
}

/**
 * `c` was started again, and its new incarnation and `a` have met. The old one cannot be removed yet,
 * because `b` is cut off and has not agreed.
 */
export async function replacementInProgress() {
  const cluster = await TestCluster.start({ nodes: 3, settings: { stableAfterMs: 600_000 } })
  const [a, b, c] = cluster.nodes
  const before = counterOn(c, a)
  const watcher = watcherOn(a)
  watcher.watch(before.ref)
  await cluster.clock.advance('1s')
  cluster.network.isolate(b, [a, c])
  await cluster.clock.until(() => a.cluster.state.unreachable.length === 1)
  await c.restart()
  const after = counterOn(c, a)
  await cluster.clock.advance('5s')
  expect(a.cluster.state.members.map(({ status }) => status)).toEqual(['Up', 'Up', 'Down'])
  return Object.assign(cluster, { a, before, after, watcher })
}
