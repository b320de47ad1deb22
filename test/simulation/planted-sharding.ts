import { type ActorRef, Behaviors, type Extension } from '@troupe/actor'
import { Cluster, type ClusterEvent, type UniqueAddress } from '@troupe/cluster'
import type { Protocol, Remoting } from '@troupe/cluster/spi'
import { DistributedData } from '@troupe/replicator'
import type { SimulatedNode } from '@troupe/testkit/cluster'

/** Sharding with one mistake each: a simulation that lets them pass proves nothing. */

/** Planted bug: a node says that it has stopped a shard when it is told to, and stops it a little later. */
export function saysStoppedTooEarly(node: SimulatedNode): void {
  answersTooEarly(node, 'HandOff', ({ shard, epoch }) => ({ type: 'ShardStopped', shard, epoch }))
}

/** Planted bug: a node says that it holds messages back when it is told to, and does so a little later. */
export function saysDrainedTooEarly(node: SimulatedNode): void {
  const by = Cluster.get(node.system).self
  answersTooEarly(node, 'BeginHandOff', ({ shard }) => ({ type: 'Drained', shard, by }))
}

function answersTooEarly(
  node: SimulatedNode,
  order: string,
  answer: (order: Record<string, unknown>) => unknown,
): void {
  const { remoting } = Cluster.get(node.system)
  let toCoordinator: Protocol<unknown> | undefined
  const register = (protocol: Protocol<unknown>, handle: Handle): void => {
    if (protocol.name.startsWith('sharding-coordinator-')) toCoordinator = protocol
    if (!protocol.name.startsWith('sharding-region-')) {
      remoting.register(protocol, handle)
      return
    }
    remoting.register(protocol, (from, message) => {
      const fields = message as Record<string, unknown>
      if (fields['type'] === order && toCoordinator !== undefined) {
        remoting.post(from, toCoordinator, answer(fields))
        later(node, 300, () => handle(from, message))
      } else handle(from, message)
    })
  }
  disguise(node, {
    remoting: { post: remoting.post.bind(remoting), register } as unknown as Remoting,
  })
}

/** Planted bug: every node that was removed counts as stopped, also one on the other side of a split. */
export function trustsRemoval(node: SimulatedNode): void {
  const cluster = Cluster.get(node.system)
  let count = 0
  disguise(node, {
    subscribe: (subscriber: ActorRef<ClusterEvent>): void => {
      const credulous = Behaviors.receive<ClusterEvent>((event) => {
        subscriber.tell(event.type === 'MemberRemoved' ? { ...event, isReplaced: true } : event)
        return Behaviors.same
      })
      cluster.subscribe(node.system.systemActorOf(credulous, `credulous-${++count}`))
    },
  })
}

type Handle = (from: UniqueAddress, message: unknown) => void

/** Has sharding on `node`, and nothing else, see the cluster with `changes`. */
function disguise(node: SimulatedNode, changes: Partial<Cluster>): void {
  const { system } = node
  const cluster = Cluster.get(system)
  DistributedData.get(system)
  const disguised = {
    system,
    self: cluster.self,
    settings: cluster.settings,
    remoting: cluster.remoting,
    subscribe: cluster.subscribe.bind(cluster),
    ...changes,
    get state() {
      return cluster.state
    },
  }
  const extension: Extension<Cluster> = {
    name: 'cluster',
    create: () => disguised as unknown as Cluster,
  }
  system.registerExtension(extension, extension.create(system))
}

function later(node: SimulatedNode, ms: number, happen: () => void): void {
  const timer = { deadlineMs: 0, previous: null, next: null, slot: -1, fire: happen }
  node.system.platform.timers.start(timer, ms)
}
