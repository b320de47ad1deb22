import { writeLocal } from '@troupe/replicator'
import { runSimulation, simulation } from '@troupe/testkit/simulation'
import { expect, it } from 'vitest'
import { AddingCounter } from './planted-types.ts'
import { impressionsLast, type ImpressionOptions } from './replicator-impressions.ts'

// Nobody is downed here: members change by crashes and restarts only.
const WORLD = { nodes: 5, settings: { stableAfterMs: 3_600_000 } }

simulation(
  'no impression that a majority acknowledged is lost through crashes with restart, none is counted twice',
  { ...WORLD, seeds: 100 },
  (world) => impressionsLast(world),
)

it('finds a counter that adds what arrives, and adds it again when it comes again', async () => {
  expect(await failuresWith({ counterType: AddingCounter })).toBeGreaterThan(0)
})

it('finds impressions that only the writer acknowledged', async () => {
  expect(await failuresWith({ consistency: writeLocal })).toBeGreaterThan(0)
})

/** How many of a few seeds fail. */
async function failuresWith(options: ImpressionOptions): Promise<number> {
  let failures = 0
  for (let seed = 1; seed <= 5; seed++) {
    const { error } = await runSimulation(seed, WORLD, (world) => impressionsLast(world, options))
    if (error !== undefined) failures++
  }
  return failures
}
