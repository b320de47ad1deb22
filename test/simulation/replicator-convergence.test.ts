import { localClusterSettings } from '@troupe/cluster'
import { runSimulation, simulation } from '@troupe/testkit/simulation'
import { expect, it } from 'vitest'
import { ArrivalRegister } from './planted-types.ts'
import { replicasAgree, replicasConverge } from './replicator-convergence.ts'

// Nobody is downed here: what a partition costs is delay, not members.
const WORLD = { nodes: 5, settings: { stableAfterMs: 3_600_000 } }

simulation(
  'after a partition of five nodes with writes on all sides, replicas are byte for byte equal',
  { ...WORLD, seeds: 100 },
  (world) => replicasConverge(world),
)

simulation(
  'after crashes, restarts and downings all who are left have equal replicas',
  { nodes: 5, seeds: 30, settings: localClusterSettings() },
  replicasAgree,
)

it('finds a register that keeps what arrived last', async () => {
  let failed = 0
  for (let seed = 1; seed <= 5; seed++) {
    const { error } = await runSimulation(seed, WORLD, (world) =>
      replicasConverge(world, { registerType: ArrivalRegister }),
    )
    if (error !== undefined) failed++
  }

  expect(failed).toBeGreaterThan(0)
})
