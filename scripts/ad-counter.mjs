// npm run ad-counter -- ...   the ad counter; everything after `--` is for it.
import './lib/node-version.mjs'
import { runApp } from './lib/run-app.mjs'

await runApp('ad-counter')
