export {
  type Fault,
  type FaultKind,
  type FaultOptions,
  type FaultPlan,
  faults,
  type Stage,
} from './faults.ts'
export {
  runSimulation,
  type RunResult,
  type Simulation,
  type SimulationBody,
  type SimulationOptions,
} from './run-simulation.ts'
export { simulation, simulationFailure } from './simulation.ts'
