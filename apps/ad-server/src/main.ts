import { runMain } from './launcher/main-process.ts'

// The ad server on a cluster of real processes: `npm start`.
await runMain()
