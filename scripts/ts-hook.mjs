// node --import ./scripts/ts-hook.mjs --conditions=@troupe/source file.ts
// Node 22.18 and later strip types themselves; Node 20 gets the transform that vitest brings along.
import { register } from 'node:module'

if (!process.features.typescript) register('./ts-hook-loader.mjs', import.meta.url)
