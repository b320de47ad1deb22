import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Reporter, SerializedError, TestModule, Vitest } from 'vitest/node'

/**
 * Writes how many tests passed and failed, for the closing line of `npm test`. A file that cannot be
 * loaded and an error outside any test count as failures: vitest's own figures leave them out.
 */
export default class TallyReporter implements Reporter {
  #root = '.'

  onInit(vitest: Vitest): void {
    this.#root = vitest.config.root
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
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
    const folder = join(this.#root, '.test-results')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'vitest.json'), JSON.stringify({ passed, failed, skipped }))
  }
}
