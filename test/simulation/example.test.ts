import { type ActorRef, type Behavior, Behaviors } from '@troupe/actor'
import { faults, simulation } from '@troupe/testkit/simulation'
import { expect } from 'vitest'

// The example of the documentation: see docs/testing.md.

type Count = { readonly type: 'Count'; readonly replyTo: ActorRef<number> }

const counter = (count = 0): Behavior<Count> =>
  Behaviors.receive((message) => {
    message.replyTo.tell(count + 1)
    return counter(count + 1)
  })

simulation('a counter answers again after faults', { nodes: 3, seeds: 5 }, async (world) => {
  const { nodes, cluster, clock, random, onStart } = world
  const counters = new Map<string, ActorRef<Count>>()
  await onStart(
    (node) => void counters.set(node.name, node.system.systemActorOf(counter(), 'counter')),
  )

  await faults.play(world, faults.plan(random('faults'), { nodes, duration: '30s' }))
  await clock.until(() => cluster.isFormed(), '120s')

  const [a, b] = nodes
  const ref = b.refFor(a, counters.get('b') as ActorRef<Count>)
  const count = await ref.ask<number>((replyTo) => ({ type: 'Count', replyTo }), {
    timeoutMs: 1_000,
  })
  expect(count).toBe(1)
})
