import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { onParentsGone } from './parents.mjs'

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** Node's arguments for running TypeScript, ours included, from its sources. */
export const fromSources = [
  '--import',
  pathToFileURL(join(root, 'scripts/ts-hook.mjs')).href,
  '--conditions=@troupe/source',
  '--enable-source-maps',
]

/** Where the executable file of an installed package is. */
export const tools = {
  knip: join(root, 'node_modules/knip/bin/knip.js'),
  oxfmt: join(root, 'node_modules/oxfmt/bin/oxfmt'),
  oxlint: join(root, 'node_modules/oxlint/bin/oxlint'),
  publint: join(root, 'node_modules/publint/src/cli.js'),
  tsc: join(root, 'node_modules/typescript/bin/tsc'),
  turbo: join(root, 'node_modules/turbo/bin/turbo'),
  vitest: join(root, 'node_modules/vitest/vitest.mjs'),
}

/**
 * Runs node with `args` and resolves with its exit code; 128 + n when signal n ended it. Signals that
 * reach us are passed on, and when npm or whoever started us is gone the child is told to stop.
 * `capture`: collects what the child writes and resolves with it, instead of showing it.
 */
export function runNode(args, { capture = false, ...options } = {}) {
  return new Promise((resolve) => {
    const stdio = capture ? ['ignore', 'pipe', 'pipe'] : 'inherit'
    const child = spawn(process.execPath, args, { stdio, ...options })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text) => (output += text))
    }
    const release = relaySignals(child)
    onParentsGone(() => child.kill('SIGTERM'))
    child.on('error', (error) => {
      release()
      resolve({ code: 127, output: error.message })
    })
    child.on('close', (code, signal) => {
      release()
      resolve({ code: code ?? 128 + (constants.signals[signal] ?? 0), output })
    })
  })
}

/** Keeps us alive until the child has ended in its own way, and hands over what it cannot know of. */
function relaySignals(child) {
  const stop = () => child.kill('SIGTERM')
  // Ctrl-C reaches everything that runs in the terminal, the child too; a second one means "at once".
  const interrupt = () => {
    if (!process.stdin.isTTY && !process.stdout.isTTY && !process.stderr.isTTY) stop()
  }
  process.on('SIGTERM', stop).on('SIGHUP', stop).on('SIGINT', interrupt)
  return () => process.off('SIGTERM', stop).off('SIGHUP', stop).off('SIGINT', interrupt)
}
