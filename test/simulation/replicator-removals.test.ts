import { writeLocal } from '@troupe/replicator'
import { runSimulation, simulation } from '@troupe/testkit/simulation'
import { expect, it } from 'vitest'
import { ForgetfulMap } from './planted-types.ts'
import { type RemovalOptions, removalsLast } from './replicator-removals.ts'

// Nobody is downed here: members change by crashes and restarts only.
const WORLD = { nodes: 5, settings: { stableAfterMs: 3_600_000 } }

simulation(
  'a removal that a majority acknowledged is never undone by older puts',
  { ...WORLD, seeds: 100 },
  (world) => removalsLast(world),
)

it('finds a map that keeps no tombstones', async () => {
  expect(await failuresWith({ mapType: ForgetfulMap })).toBeGreaterThan(0)
})

it('finds removals that only the writer acknowledged', async () => {
  expect(await failuresWith({ removal: writeLocal })).toBeGreaterThan(0)
})

/** How many of a few seeds fail. */
async function failuresWith(options: RemovalOptions): Promise<number> {
  let failures = 0
  for (let seed = 1; seed <= 10; seed++) {
    const { error } = await runSimulation(seed, WORLD, (world) => removalsLast(world, options))
    if (error !== undefined) failures++
  }
  return failures
}
