// The launcher as `npm start` runs it, with the stand-in of a node instead of the real one.
import { fileURLToPath } from 'node:url'
import { runMain } from '../../apps/ad-server/src/launcher/main-process.ts'

await runMain(fileURLToPath(new URL('start-fake-node-process.ts', import.meta.url)))
