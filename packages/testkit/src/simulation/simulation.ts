import { it } from 'vitest'
import {
  runSimulation,
  type RunResult,
  type SimulationBody,
  type SimulationOptions,
} from './run-simulation.ts'
import { seedsOf } from './seeds.ts'

/**
 * A test that plays `body` in many small worlds, one per seed. A failing seed is reported with its
 * number and the command that replays it; the same seed gives the same run, byte for byte.
 *
 * `npm run simulate` chooses the seeds from outside: see `seedsOf`.
 */
export function simulation(
  name: string,
  options: SimulationOptions & { readonly seeds?: number },
  body: SimulationBody,
): void {
  const { seeds: count = SEEDS, ...world } = options
  const { seeds, isTraced, isTwice } = seedsOf(globalThis.process.env, count)
  it(name, { timeout: SECOND_MS * 600 }, async () => {
    for (const seed of seeds) {
      const result = await runSimulation(seed, world, body, isTraced)
      if (isTraced) globalThis.console.log(result.lines.join('\n'))
      if (result.error !== undefined) {
        // Once more, with the trace kept, so that the report shows how it came to that.
        throw simulationFailure(name, await runSimulation(seed, world, body, true), result)
      }
      if (isTwice) {
        const { traceHash } = await runSimulation(seed, world, body)
        if (traceHash !== result.traceHash)
          throw differentFailure(name, seed, result.traceHash, traceHash)
      }
    }
  })
}

/** What a failing seed looks like in the report of the tests. */
export function simulationFailure(name: string, again: RunResult, first: RunResult = again): Error {
  const { seed, error: cause, traceHash, events } = again
  const what = cause instanceof Error ? cause.message : String(cause)
  const isSame = traceHash === first.traceHash
  const error = new Error(
    [
      `seed ${seed} fails: ${what}`,
      `replay: npm run simulate -- --seed ${seed} --test ${JSON.stringify(name)} --trace`,
      isSame
        ? `trace ${traceHash}, the last of ${events.length} events:`
        : `NOT DETERMINISTIC: trace ${first.traceHash}, then ${traceHash} with the same seed; the last of ${events.length} events:`,
      ...events.slice(-LINES_SHOWN),
    ].join('\n'),
    { cause },
  )
  const at =
    cause instanceof Error
      ? cause.stack?.split('\n').filter((line) => /^\s+at /.test(line))
      : undefined
  if (at !== undefined) error.stack = `${error.name}: ${error.message}\n${at.join('\n')}`
  return error
}

function differentFailure(name: string, seed: number, first: string, second: string): Error {
  return new Error(
    `seed ${seed} is NOT DETERMINISTIC: trace ${first}, then ${second}; something depends on more than the seed\n` +
      `replay: npm run simulate -- --seed ${seed} --test ${JSON.stringify(name)} --twice`,
  )
}

const SEEDS = 20
const SECOND_MS = 1_000
const LINES_SHOWN = 40
