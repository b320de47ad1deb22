// npm start -- ...   the ad server on three nodes; everything after `--` is for it.
import './lib/node-version.mjs'
import { runApp } from './lib/run-app.mjs'

await runApp('ad-server')
