import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root } from './repository.ts'

/** The heading of each section, and the folder whose codes it explains. */
const SECTIONS = [
  ...['actor', 'cluster', 'crdt', 'replicator', 'sharding', 'testkit'].map((name) => ({
    heading: `@troupe/${name}`,
    folder: `packages/${name}`,
  })),
  { heading: 'apps/ad-server', folder: 'apps/ad-server' },
]

describe('docs/errors.md', () => {
  const page = readFileSync(join(root, 'docs/errors.md'), 'utf8')

  it.each(SECTIONS)('explains every code of $heading, and no other', ({ heading, folder }) => {
    const section = page.split(/^## /m).find((each) => each.startsWith(`${heading}\n`)) ?? ''
    const explained = [...section.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, code = '']) => code)

    expect(explained.toSorted()).toEqual(codesOf(folder))
    expect(new Set(explained).size).toBe(explained.length)
  })

  it('says for every code what happened and what to do', () => {
    const rows = [...page.matchAll(/^\| `[A-Z_]+` \|(.*)\|(.*)\|$/gm)]

    expect(rows.length).toBeGreaterThan(20)
    for (const [row, what, todo] of rows) {
      expect(what?.trim().length, row).toBeGreaterThan(15)
      expect(todo?.trim().length, row).toBeGreaterThan(10)
    }
  })
})

/** The members of the union type `…ErrorCode` of a package or application. */
function codesOf(folder: string): string[] {
  const file = join(root, folder, 'src/errors.ts')
  if (!existsSync(file)) return []
  const union = /export type \w+ErrorCode =([^\n]*(?:\n\s+\|[^\n]*)*)/.exec(
    readFileSync(file, 'utf8'),
  )
  return [...(union?.[1] ?? '').matchAll(/'([A-Z_]+)'/g)].map(([, code]) => code ?? '').toSorted()
}
