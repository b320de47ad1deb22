import { localClusterSettings } from '@troupe/cluster'
import { simulation } from '@troupe/testkit/simulation'
import { oneInstanceEach } from './one-instance.ts'

const WORLD = { nodes: 5, settings: localClusterSettings() }

simulation(
  'an entity never has two live instances, whatever goes wrong, and answers when all is well again',
  { ...WORLD, seeds: 100 },
  (world) => oneInstanceEach(world),
)
