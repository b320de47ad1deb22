// npm test [-- VITEST ARGUMENTS]   all tests, or those that the arguments select.
// The last line says `N passed, N failed`; the exit code is 1 when anything failed or nothing ran.
import './lib/node-version.mjs'
import { closingLine, runTests } from './lib/run-tests.mjs'
import { setUp } from './setup.mjs'

process.on('exit', (code) => {
  // Set-up ends the process by itself when it cannot do its work.
  if (code !== 0 && tally === undefined) console.log(closingLine({ passed: 0, failed: 1 }))
})
let tally
await setUp()
tally = await runTests(process.argv.slice(2))
console.log(closingLine(tally))
process.exitCode = tally.failed > 0 ? 1 : 0
