import { faults, type Simulation, simulation } from '@troupe/testkit/simulation'
import { expect } from 'vitest'
import { MembershipHistory } from './membership-history.ts'

simulation(
  'after a minute of faults all nodes agree on one membership again',
  { nodes: 5, seeds: 100 },
  async (world: Simulation) => {
    const { cluster, clock, nodes, onStart, random } = world
    const history = new MembershipHistory()
    await onStart(history.start)

    await faults.play(world, faults.plan(random('faults'), { nodes, duration: '60s' }))
    await clock.until(() => cluster.isFormed(), '120s', 'one membership of all nodes')

    expect(history.contradictions).toEqual([])
  },
)
