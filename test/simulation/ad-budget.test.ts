import { localClusterSettings } from '@troupe/cluster'
import { runSimulation, simulation, type SimulationBody } from '@troupe/testkit/simulation'
import { expect, it } from 'vitest'
import { budgetHolds, budgetHoldsThroughIsolation } from './ad-budget.ts'

// Nobody is downed here: members change by crashes and restarts only, so there is always a majority.
const STABLE = { nodes: 3, settings: { stableAfterMs: 3_600_000 } }
const DOWNING = { nodes: 3, settings: localClusterSettings() }

simulation('a budget is never overspent, whatever breaks', { ...STABLE, seeds: 100 }, (world) =>
  budgetHolds(world),
)

simulation(
  'a budget is never overspent while two owners believe in it',
  { ...DOWNING, seeds: 30 },
  (world) => budgetHoldsThroughIsolation(world),
)

it('finds a campaign that stores what it promises on its own node only', async () => {
  const story: SimulationBody = (world) =>
    budgetHoldsThroughIsolation(world, { storesLocally: true })
  let failures = 0
  for (let seed = 1; seed <= 10; seed++)
    if ((await runSimulation(seed, DOWNING, story)).error !== undefined) failures++

  expect(failures).toBeGreaterThan(0)
})
