import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { setUp } from '../setup.mjs'
import { fromSources, root, runNode } from './run.mjs'

/** Runs an application of apps/ from its sources, with our own arguments, and ends as it ends. */
export async function runApp(name) {
  await setUp()
  const stopWithParent = pathToFileURL(join(root, 'scripts/lib/stop-with-parent.mjs')).href
  const main = join(root, 'apps', name, 'src/main.ts')
  const args = [...fromSources, '--import', stopWithParent, main, ...process.argv.slice(2)]
  const env = { ...process.env, TROUPE_PARENT_PID: String(process.pid) }
  const { code } = await runNode(args, { env })
  process.exit(code)
}
