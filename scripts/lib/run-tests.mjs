import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root, runNode, tools } from './run.mjs'

/**
 * One run of vitest with `args`, counted by our own reporter. A run that executed no test, or that
 * ended badly although every test passed, counts as one failure.
 */
export async function runTests(args, options = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-tally-'))
  const file = join(folder, 'tally.json')
  try {
    const env = { ...process.env, ...options.env, TROUPE_TALLY_FILE: file }
    const { code, output } = await runNode([tools.vitest, 'run', ...args], {
      cwd: root,
      ...options,
      env,
    })
    const { passed, failed, skipped } = tallyIn(file)
    const badEnd = failed === 0 && (code !== 0 || passed === 0)
    return { passed, failed: badEnd ? 1 : failed, skipped, ran: passed + failed, output }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export function closingLine({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

function tallyIn(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return { passed: 0, failed: 0, skipped: 0 }
  }
}
