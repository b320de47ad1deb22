import { writeFileSync } from 'node:fs'
import type { Reporter, SerializedError, TestModule } from 'vitest/node'

/**
 * Writes how many tests passed and failed to the file named in TROUPE_TALLY_FILE, for the closing
 * line of `npm test`. A file that cannot be loaded and an error outside any test count as failures:
 * vitest's own figures leave them out.
 */
export default class TallyReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const file = process.env['TROUPE_TALLY_FILE']
    if (file === undefined) return
    let passed = 0
    let failed = errors.length
    let skipped = 0
    for (const module of modules) {
      let failedHere = 0
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'passed') passed++
        else if (state === 'failed') failedHere++
        else skipped++
      }
      failed += module.state() === 'failed' && failedHere === 0 ? 1 : failedHere
    }
    writeFileSync(file, JSON.stringify({ passed, failed, skipped }))
  }
}
