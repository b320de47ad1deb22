export type { SimulatedClusterOptions, SimulatedNode } from '../simulation/simulated-cluster.ts'
export type { LatencySettings, SimulatedNetwork } from '../simulation/simulated-network.ts'
export { TestCluster } from './test-cluster.ts'
