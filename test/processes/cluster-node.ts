/** One node in a process of its own: `cluster-node.ts PORT SEEDS STABLE_AFTER_MS`. Tells its parent its members whenever they change. */
import { ActorSystem, Behaviors } from '@troupe/actor'
import { Cluster, type ClusterEvent, localClusterSettings } from '@troupe/cluster'
import { CapturedLogs } from '@troupe/testkit'

const [port = '', seeds = '', stableAfterMs = ''] = process.argv.slice(2)
const system = ActorSystem.create(Behaviors.empty, 'test', { logger: new CapturedLogs().logger })
const cluster = await Cluster.start(system, {
  ...localClusterSettings(),
  port: Number(port),
  seeds: seeds.split(','),
  stableAfterMs: Number(stableAfterMs),
})
const watcher = system.systemActorOf<ClusterEvent>(
  Behaviors.receive(() => {
    const members = cluster.state.members.map(({ node, status }) => ({ ...node, status }))
    process.send?.({ self: cluster.self, members })
    return Behaviors.same
  }),
  'watcher',
)
cluster.subscribe(watcher)
process.on('message', (message) => {
  if (message === 'leave') cluster.leave()
})
await system.whenTerminated
process.disconnect()
