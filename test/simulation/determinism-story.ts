import { type ActorRef, type ActorSystem, type Behavior, Behaviors } from '@troupe/actor'
import type { SimulatedNode } from '@troupe/testkit/cluster'
import { faults, runSimulation, type RunResult, type Simulation } from '@troupe/testkit/simulation'

type Ping = { readonly type: 'Ping'; readonly count: number; readonly replyTo: ActorRef<number> }

/** Answers late, from an async handler, and with chance and wall time in what it says. */
function answering(chance: Chance): Behavior<Ping> {
  return Behaviors.receive(async (message, context) => {
    const { clock } = context.system.platform
    await Promise.resolve()
    message.replyTo.tell(message.count + chance(context.system) + (clock.wallMs() % 1_000))
    return Behaviors.same
  })
}

type Chance = (system: ActorSystem<never>) => number
const ofThePlatform: Chance = (system) => system.platform.random.below(1_000)

/** Five nodes that ask each other things through half a minute of faults. `chance`: where actors draw numbers. */
export function playStory(seed: number, chance: Chance = ofThePlatform): Promise<RunResult> {
  return runSimulation(seed, { nodes: 5 }, async (world) => {
    const { nodes, random, onStart } = world
    const refs = new Map<SimulatedNode, ActorRef<Ping>>()
    await onStart(
      (node) => void refs.set(node, node.system.systemActorOf(answering(chance), 'answering')),
    )
    const plan = faults.plan(random('faults'), { nodes, duration: '30s', count: 12 })
    await Promise.all([faults.play(world, plan), chatter(world, refs)])
    await world.clock.until(() => world.cluster.isFormed(), '120s')
  })
}

async function chatter(
  world: Simulation,
  refs: ReadonlyMap<SimulatedNode, ActorRef<Ping>>,
): Promise<void> {
  const { clock, nodes, random } = world
  const draws = random('chatter')
  for (let count = 0; count < 100; count++) {
    await clock.advance(draws.below(500))
    const from = nodes[draws.below(nodes.length)]
    const to = nodes[draws.below(nodes.length)]
    if (from?.isStarted !== true || to?.isStarted !== true) continue
    const ref = to.refFor(from, refs.get(to) as ActorRef<Ping>)
    // Nobody waits for the answer: a crash of the asking node takes the question with it.
    ref
      .ask<number>((replyTo) => ({ type: 'Ping', count, replyTo }), { timeoutMs: 1_000 })
      .catch(() => undefined)
  }
}
