// npm run check [-- --without STEP[,STEP]]   everything that has to be right before a change lands:
// format, lint, types, unused code, lock file, tests, builds, packages. Runs all steps, then says which failed.
import './lib/node-version.mjs'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root, runNode, tools } from './lib/run.mjs'
import { closingLine, runTests } from './lib/run-tests.mjs'
import { runTurbo } from './lib/run-turbo.mjs'
import { setUp } from './setup.mjs'

const node = (args) => async () => (await runNode(args, { cwd: root })).code === 0
const steps = {
  format: node([tools.oxfmt, '--check']),
  lint: node([tools.oxlint, '--deny-warnings']),
  types: node([tools.tsc, '-b']),
  unused: node([tools.knip, '--no-progress']),
  lock: node([join(root, 'scripts/fix-lock.mjs'), '--check']),
  tests: async () => {
    const tally = await runTests([])
    console.log(closingLine(tally))
    return tally.failed === 0
  },
  builds: async () => (await runTurbo(['build'])).code === 0,
  packages: async () => {
    const folders = readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name))
    for (const folder of folders) {
      const { code } = await runNode([tools.publint, folder, '--strict'], { cwd: root })
      if (code !== 0) return false
    }
    return true
  },
}

const left = without(process.argv.slice(2))
await setUp()
const failed = []
for (const [name, step] of Object.entries(steps)) {
  if (left.has(name)) continue
  const startedAt = performance.now()
  const isGood = await step()
  if (!isGood) failed.push(name)
  console.log(
    `check: ${name} ${isGood ? 'ok' : 'FAILED'} (${seconds(performance.now() - startedAt)})`,
  )
}
console.log(failed.length === 0 ? 'check: all good' : `check: ${failed.join(', ')} failed`)
process.exitCode = failed.length === 0 ? 0 : 1

function without(args) {
  if (args.length === 0) return new Set()
  const names = args[0] === '--without' && args.length === 2 ? args[1].split(',') : [args.join(' ')]
  const unknown = names.find((name) => steps[name] === undefined)
  if (unknown === undefined) return new Set(names)
  console.error(
    `check: '${unknown}' is not a step; use --without with one or more of ${Object.keys(steps).join(', ')}`,
  )
  process.exit(2)
}

function seconds(ms) {
  return `${(ms / 1000).toFixed(1)} s`
}
