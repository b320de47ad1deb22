import { localClusterSettings } from '@troupe/cluster'
import { type FaultKind, runSimulation, simulation } from '@troupe/testkit/simulation'
import { expect, it } from 'vitest'
import { nothingIsLost } from './nothing-lost.ts'
import { oneInstanceEach } from './one-instance.ts'
import { saysDrainedTooEarly, saysStoppedTooEarly, trustsRemoval } from './planted-sharding.ts'

const WORLD = { nodes: 5, settings: localClusterSettings() }

simulation(
  'an entity never has two live instances, whatever goes wrong, and answers when all is well again',
  { ...WORLD, seeds: 100 },
  (world) => oneInstanceEach(world),
)

const ON_LINKS: readonly FaultKind[] = ['Partition', 'OneWayCut', 'Slow']

it.each([
  ['says that a shard has stopped before it has', { plant: saysStoppedTooEarly }],
  ['takes every removed node for a stopped one', { plant: trustsRemoval, kinds: ON_LINKS }],
])('finds a node that %s', async (_bug, options) => {
  let found = false
  for (let seed = 1; seed <= 100 && !found; seed++) {
    const { error } = await runSimulation(seed, WORLD, (world) => oneInstanceEach(world, options))
    found = error instanceof Error && error.message.includes('two live instances')
  }

  expect(found).toBe(true)
})

const CALM_WORLD = { nodes: 4, settings: localClusterSettings() }

simulation(
  'while links hold, every message is handled or counted as dropped, once, and in order, however shards move',
  { ...CALM_WORLD, seeds: 100 },
  (world) => nothingIsLost(world),
)

it('finds a node that says that it holds messages back before it does', async () => {
  let found = false
  for (let seed = 1; seed <= 20 && !found; seed++) {
    const { error } = await runSimulation(seed, CALM_WORLD, (world) =>
      nothingIsLost(world, { plant: saysDrainedTooEarly }),
    )
    found = error instanceof Error && error.message.includes(' after note ')
  }

  expect(found).toBe(true)
})
