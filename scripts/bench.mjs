// npm run bench [-- SUITE... [--json] [--list] [--quick] [--peers DIR]]
// Without names: all suites, each in a process of its own. See test/bench/README.md.
import './lib/node-version.mjs'
import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fromSources, root, runNode } from './lib/run.mjs'
import { setUp } from './setup.mjs'

const folder = join(root, 'test/bench')
const ENDING = '.bench.ts'
const known = readdirSync(folder)
  .filter((file) => file.endsWith(ENDING))
  .map((file) => file.slice(0, -ENDING.length))
  .sort()

const { names, flags, problem } = parse(process.argv.slice(2))
if (problem !== undefined) {
  console.error(`bench: ${problem}`)
  process.exitCode = 2
} else if (flags.list) {
  console.log(known.join('\n'))
} else {
  await setUp()
  const passedOn = []
  if (flags.json) passedOn.push('--json')
  if (flags.quick) passedOn.push('--quick')
  if (flags.peers !== undefined) passedOn.push('--peers', flags.peers)
  for (const name of names.length > 0 ? names : known) {
    const main = [join(folder, 'harness/main.ts'), join(folder, name + ENDING), name]
    const { code } = await runNode([...fromSources, '--expose-gc', ...main, ...passedOn])
    if (code !== 0) process.exitCode = 1
    if (code > 128) break
  }
}

function parse(args) {
  const names = []
  const flags = { json: false, list: false, quick: false, peers: undefined }
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]
    if (arg === '--json' || arg === '--list' || arg === '--quick') flags[arg.slice(2)] = true
    else if (arg === '--peers') {
      const given = args[++i]
      if (given === undefined || !existsSync(join(given, 'node_modules'))) {
        return { problem: `--peers needs a folder with a node_modules in it, got ${given}` }
      }
      flags.peers = resolve(given)
    } else if (arg.startsWith('-')) {
      return {
        problem: `unknown option ${arg}; there are --json, --list, --quick and --peers DIR`,
      }
    } else if (known.includes(arg)) names.push(arg)
    else return { problem: `there is no suite ${arg}; there are ${known.join(', ')}` }
  }
  return { names, flags }
}
