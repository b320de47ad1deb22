import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from './repository.ts'

/** A row of the table: the promise, and the tests as `path` "words of the test's name". */
const rows = [
  ...readFileSync(join(root, 'docs/guarantees.md'), 'utf8').matchAll(
    /^\| ([A-Z]\d+) \| (.+) \| (.+) \|$/gm,
  ),
].map(([, id = '', promise = '', tests = '']) => ({ id, promise, tests }))

describe('docs/guarantees.md', () => {
  it('numbers every promise once', () => {
    const ids = rows.map(({ id }) => id)

    expect(ids.length).toBeGreaterThan(20)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it.each(rows)('$id names tests that exist', ({ tests }) => {
    const named = [...tests.matchAll(/`([^`]+\.test\.ts)`((?: ?"[^"]+",?)*)/g)]
    expect(named.length).toBeGreaterThan(0)

    for (const [, file = '', names = ''] of named) {
      const path = join(root, file)
      expect(existsSync(path), file).toBe(true)
      const text = readFileSync(path, 'utf8')
      for (const [, name = ''] of names.matchAll(/"([^"]+)"/g)) {
        expect(text.includes(name), `${file} has a test named like "${name}"`).toBe(true)
      }
    }
  })
})
