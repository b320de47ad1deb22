// npm run simulate -- [--seed N] [--seeds N] [--test "name"] [--trace] [--twice]
// Plays simulations with seeds of your choice: the one that failed, or many more than `npm test` does.
import './lib/node-version.mjs'
import { parseArgs } from 'node:util'
import { closingLine, runTests } from './lib/run-tests.mjs'
import { setUp } from './setup.mjs'

const USAGE = `npm run simulate -- [--seed N] [--seeds N] [--test NAME] [--trace] [--twice]
  --seed N      play seed N; with --seeds, begin with it
  --seeds N     play so many seeds, from 1 on or from --seed on
  --test NAME   only simulations whose name contains NAME
  --trace       print what happens, event by event
  --twice       play each seed twice, and fail when the second run takes other steps`

const options = optionsOf(process.argv.slice(2))
if (options.help) {
  console.log(USAGE)
} else {
  await setUp()
  const env = {
    ...(options.seed === undefined ? {} : { TROUPE_SEED: String(options.seed) }),
    ...(options.seeds === undefined ? {} : { TROUPE_SEEDS: String(options.seeds) }),
    ...(options.trace ? { TROUPE_TRACE: '1' } : {}),
    ...(options.twice ? { TROUPE_TWICE: '1' } : {}),
  }
  const named = options.test === undefined ? [] : ['-t', literally(options.test)]
  const tally = await runTests(['--project', 'simulation', ...named], { env })
  if (tally.ran === 0 && options.test !== undefined) {
    console.error(`There is no simulation whose name contains ${JSON.stringify(options.test)}.`)
  }
  console.log(closingLine({ passed: tally.passed, failed: tally.failed }))
  process.exitCode = tally.failed > 0 ? 1 : 0
}

/** What the command line says; one sentence and exit code 2 when it says something else. */
function optionsOf(args) {
  let values
  try {
    values = parseArgs({
      args,
      options: {
        seed: { type: 'string' },
        seeds: { type: 'string' },
        test: { type: 'string' },
        trace: { type: 'boolean', default: false },
        twice: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
  } catch (error) {
    misused(error.message.split('. ')[0])
  }
  return {
    ...values,
    seed: wholeNumber('--seed', values.seed),
    seeds: wholeNumber('--seeds', values.seeds),
  }
}

function wholeNumber(name, text) {
  if (text === undefined) return undefined
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text)
  return misused(`${name} needs a whole number from 1 on, not ${JSON.stringify(text)}`)
}

function misused(what) {
  console.error(`${what}; npm run simulate -- --help shows what there is.`)
  process.exit(2)
}

/** A pattern that matches exactly this text. */
function literally(text) {
  return text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`)
}
