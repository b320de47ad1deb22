import { expect, it } from 'vitest'
import { runSimulation, type SimulationBody, type SimulationOptions } from './run-simulation.ts'

export { runSimulation } from './run-simulation.ts'
export type { RunResult, Simulation, SimulationBody, SimulationOptions } from './run-simulation.ts'
export {
  SimulatedCluster,
  type SimulatedClusterOptions,
  SimulatedNode,
} from './simulated-cluster.ts'
export { type LatencySettings, type NodeName, SimulatedNetwork } from './simulated-network.ts'
export { World } from './world.ts'

/**
 * A test that plays `body` in many small worlds, one per seed. A failing seed is reported with its
 * number and the command that replays it; the same seed gives the same run, byte for byte.
 *
 * The environment chooses seeds: TROUPE_SEED=17 runs that one, TROUPE_SEEDS=1000 that many,
 * TROUPE_TRACE=1 prints what happened.
 */
export function simulation(name: string, options: SimulationOptions, body: SimulationBody): void {
  const { env } = globalThis.process
  const only = env['TROUPE_SEED']
  const count = Number(env['TROUPE_SEEDS'] ?? options.seeds ?? 20)
  const seeds = only === undefined ? Array.from({ length: count }, (_, i) => i + 1) : [Number(only)]
  it(name, { timeout: 600_000 }, async () => {
    for (const seed of seeds) {
      const isTraced = env['TROUPE_TRACE'] === '1'
      const result = await runSimulation(seed, options, body, isTraced)
      if (isTraced) globalThis.console.log(result.lines.join('\n'))
      if (result.error !== undefined) throw await failureOf(name, seed, options, body, result.error)
    }
    expect(seeds.length).toBeGreaterThan(0)
  })
}

/** Plays the failing seed once more with its trace kept, so that the report shows how it came to that. */
async function failureOf(
  name: string,
  seed: number,
  options: SimulationOptions,
  body: SimulationBody,
  cause: unknown,
): Promise<Error> {
  const { lines, traceHash } = await runSimulation(seed, options, body, true)
  const what = cause instanceof Error ? cause.message : String(cause)
  const error = new Error(
    `seed ${seed} fails: ${what}\n` +
      `replay: npm run simulate -- --seed ${seed} --test ${JSON.stringify(name)}   (trace ${traceHash})\n` +
      `the last of ${lines.length} events:\n${lines.slice(-40).join('\n')}`,
    { cause },
  )
  if (cause instanceof Error && cause.stack !== undefined) error.stack = `${error.message}\n${cause.stack}`
  return error
}
