// Runs one suite: main.ts SUITE_FILE SUITE [--json] [--quick] [--peers DIR]
// Started by scripts/bench.mjs, which checks the arguments. Each case runs in a process of its own,
// this file again with `--only NUMBER`: what the compiler learned from one does not slow down the next.
import { fork } from 'node:child_process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { BenchCase, Suite } from './bench-case.ts'
import { measure, type Measured } from './measure.ts'
import { jsonLines, table } from './report.ts'

const args = process.argv.slice(2)
const [file = '', name = '', ...flags] = args
const quick = flags.includes('--quick')
const json = flags.includes('--json')
const only = valueOf('--only')

const { suite } = (await import(pathToFileURL(file).href)) as { readonly suite: Suite }
const cases = suite({ quick, peersFolder: valueOf('--peers') })

// Whoever reads the lines may have enough of them (`| head`).
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  process.exit(error.code === 'EPIPE' ? 0 : 1)
})

if (only === undefined) await runAll()
else await runOne(cases[Number(only)] as BenchCase)

async function runAll(): Promise<void> {
  const all: Measured[] = []
  for (const i of cases.keys()) {
    const measured = await inProcess(i)
    if (measured === undefined) process.exitCode = 1
    else {
      if (json) console.log(jsonLines(name, measured))
      all.push(measured)
    }
  }
  if (!json) console.log(table(name, all))
}

function inProcess(index: number): Promise<Measured | undefined> {
  return new Promise((resolve) => {
    let measured: Measured | undefined
    fork(fileURLToPath(import.meta.url), [...args, '--only', String(index)])
      .on('message', (message) => (measured = message as Measured))
      .on('exit', () => resolve(measured))
  })
}

async function runOne(benchCase: BenchCase): Promise<void> {
  try {
    const rounds = quick ? { rounds: 3, warmUps: 1 } : { rounds: 9, warmUps: 3 }
    const measured = await measure(benchCase, rounds)
    process.send?.(measured, () => process.exit())
  } catch (error) {
    console.error(`${name}, ${benchCase.name}:`, error)
    process.exit(1)
  }
}

function valueOf(flag: string): string | undefined {
  const at = flags.indexOf(flag)
  return at < 0 ? undefined : flags[at + 1]
}
