// node scripts/turbo.mjs TASK... [OPTIONS]   `turbo run`, the only way turbo is started here: it must not
// report to anyone, nor write into the home folder.
import './lib/node-version.mjs'
import { runTurbo } from './lib/run-turbo.mjs'
import { setUp } from './setup.mjs'

await setUp()
const { code } = await runTurbo(process.argv.slice(2))
process.exitCode = code
