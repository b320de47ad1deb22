import { simulation } from '@troupe/testkit/simulation'
import {
  cleanSplit,
  joiningInSplit,
  leaving,
  longStandstill,
  reunion,
  shortSplit,
  shortStandstill,
} from './membership-stories.ts'

simulation(
  'after a minute of faults all nodes agree on one membership again',
  { nodes: 5, seeds: 100 },
  reunion,
)

simulation(
  'of two parts of a split cluster exactly one stays, and the other ends by itself',
  { nodes: 5, seeds: 100 },
  cleanSplit,
)

simulation(
  'of two halves of a split cluster the one with the lowest address stays',
  { nodes: 4, seeds: 50 },
  cleanSplit,
)

simulation('nobody is removed for a short split', { nodes: 5, seeds: 100 }, shortSplit)

simulation('nobody is let in while the net is split', { nodes: 5, seeds: 100 }, joiningInSplit)

simulation(
  'nodes that leave are let go in order, and never taken for dead',
  { nodes: 5, seeds: 100 },
  leaving,
)

simulation(
  'a node that stands still for less than the tolerated pause is not called unreachable',
  { nodes: 5, seeds: 100 },
  shortStandstill,
)

simulation(
  'a node that stood still until it was removed ends when it goes on',
  { nodes: 5, seeds: 100 },
  longStandstill,
)
