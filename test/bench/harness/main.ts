// Runs one suite in this process: main.ts SUITE_FILE SUITE [--json] [--quick] [--peers DIR]
// Started by scripts/bench.mjs, which checks the arguments.
import { pathToFileURL } from 'node:url'
import type { Suite } from './bench-case.ts'
import { measure, type Measured } from './measure.ts'
import { jsonLines, table } from './report.ts'

const [file = '', name = '', ...flags] = process.argv.slice(2)
const quick = flags.includes('--quick')
const json = flags.includes('--json')
const peersAt = flags.indexOf('--peers')
const rounds = quick ? { rounds: 3, warmUps: 1 } : { rounds: 9, warmUps: 3 }

const { suite } = (await import(pathToFileURL(file).href)) as { readonly suite: Suite }
const peersFolder = peersAt < 0 ? undefined : flags[peersAt + 1]
const all: Measured[] = []
for (const benchCase of await suite({ quick, peersFolder })) {
  try {
    const measured = await measure(benchCase, rounds)
    if (json) console.log(jsonLines(name, measured))
    all.push(measured)
  } catch (error) {
    console.error(`${name}, ${benchCase.name}:`, error)
    process.exitCode = 1
  }
}
if (!json) console.log(table(name, all))
