export type { Duration } from '../duration.ts'
export { type Delay, type NodeName, SimulatedNetwork, type Undo } from './simulated-network.ts'
export { SimulatedNode, type SimulatedNodeOptions } from './simulated-node.ts'
export {
  type Nodes,
  TestCluster,
  type TestClusterOptions,
  type VirtualClock,
} from './test-cluster.ts'
export { World } from './world.ts'
