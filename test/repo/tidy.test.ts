import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root, sourcesIn } from './repository.ts'
import { LINES_MAX, MAY_IMPORT, violations } from './tidy-rules.ts'

describe('the repository', () => {
  const files = sourcesIn(['packages', 'apps', 'test', 'scripts'])

  it('keeps the house rules', () => {
    expect(files.length).toBeGreaterThan(100)
    expect(violations(files)).toEqual([])
  }, 60_000)

  it('declares in each package.json no more than the table allows', () => {
    for (const [workspace, allowed] of Object.entries(MAY_IMPORT)) {
      const manifest = JSON.parse(readFileSync(join(root, workspace, 'package.json'), 'utf8')) as {
        dependencies?: Record<string, string>
      }
      const undeclared = Object.keys(manifest.dependencies ?? {}).filter(
        (name) => !allowed.includes(name),
      )
      expect(undeclared, workspace).toEqual([])
    }
  })

  it('has a row in the table for every package and application', () => {
    const workspaces = ['packages', 'apps'].flatMap((folder) =>
      readdirSync(join(root, folder)).map((name) => `${folder}/${name}`),
    )
    expect(workspaces.toSorted()).toEqual(Object.keys(MAY_IMPORT).toSorted())
  })

  it('says of every package what lives there', () => {
    for (const workspace of Object.keys(MAY_IMPORT)) {
      expect(existsSync(join(root, workspace, 'README.md')), `${workspace}/README.md`).toBe(true)
    }
  })
})

describe('the house rules', () => {
  const at = (path: string, text: string) => violations([{ path, text }])

  it.each([
    [
      'a package below importing one above',
      "import { Cluster } from '@troupe/cluster'",
      'may not import @troupe/cluster',
    ],
    ['an unlisted dependency', "import lodash from 'lodash'", 'may not import lodash'],
    [
      'a dynamic import of one',
      "export const load = () => import('lodash')",
      'may not import lodash',
    ],
    [
      'a re-export from one',
      "export { x } from '@troupe/testkit'",
      'may not import @troupe/testkit',
    ],
    [
      'a path into another package',
      "import { x } from '../../crdt/src/index.ts'",
      'leaves packages/actor',
    ],
    ['export *', "export * from './other.ts'", 'export *'],
    ['export * as', "export * as other from './other.ts'", 'export *'],
    ['a default export', 'export default 3', 'default export'],
    ['Date.now', 'export const now = () => Date.now()', 'Date.now'],
    ['new Date', 'export const now = () => new Date()', 'new Date()'],
    ['Math.random', 'export const draw = () => Math.random()', 'Math.random'],
    ['performance.now', 'export const now = () => performance.now()', 'performance.now'],
    ['setTimeout', 'setTimeout(() => {}, 1)', 'setTimeout'],
    ['setImmediate handed on', 'export const later = setImmediate', 'setImmediate'],
    ['setTimeout of globalThis', 'globalThis.setTimeout(() => {}, 1)', 'globalThis.setTimeout'],
    ['queueMicrotask', 'queueMicrotask(() => {})', 'queueMicrotask'],
    ['taking Math apart', 'export const { random } = Math', 'parts of Math'],
    ['random bytes', "import { randomBytes } from 'node:crypto'", 'randomBytes is chance'],
    ['the network', "import { connect } from 'node:net'", 'node:net is the outside world'],
    [
      'the disk',
      "import { readFile } from 'node:fs/promises'",
      'node:fs/promises is the outside world',
    ],
    ['the disk without its scheme', "import { readFile } from 'fs'", 'fs is the outside world'],
  ])('find %s', (_, text, sentence) => {
    const found = at('packages/actor/src/planted.ts', `${text}\n`)
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(sentence)
  })

  it('find a cycle', () => {
    const found = violations([
      {
        path: 'packages/actor/src/a.ts',
        text: "import { b } from './b.ts'\nexport const a = () => b\n",
      },
      {
        path: 'packages/actor/src/b.ts',
        text: "import { a } from './a.ts'\nexport const b = () => a\n",
      },
    ])
    expect(found).toHaveLength(1)
    expect(found[0]).toContain('import cycle')
  })

  it('find a file that is too long', () => {
    expect(at('packages/actor/src/planted.ts', 'export {}\n'.repeat(LINES_MAX))).toEqual([])
    expect(at('packages/actor/src/planted.ts', 'export {}\n'.repeat(LINES_MAX + 1))).toHaveLength(1)
  })

  it('find an application that reaches behind the public entry', () => {
    const found = at(
      'apps/ad-server/src/planted.ts',
      "import { internal } from '@troupe/actor/spi'\n",
    )
    expect(found[0]).toContain('applications use the main entry')
  })

  it('find a Node built-in in the package that runs in browsers', () => {
    expect(
      at('packages/crdt/src/planted.ts', "import { createHash } from 'node:crypto'\n"),
    ).toHaveLength(1)
  })

  it('leave alone what only looks like it', () => {
    const text = [
      '// setTimeout(() => Date.now())',
      "export const text = 'Math.random()'",
      'export const at = (ms: number) => new Date(ms)',
      'export const timers = { setTimeout: () => {} }',
      'export const later = () => timers.setTimeout()',
      "import type { Server } from './server.ts'",
      "import { createHmac } from 'node:crypto'",
    ]
    expect(at('packages/actor/src/planted.ts', text.join('\n'))).toEqual([])
  })

  it('let the named edge files touch the world', () => {
    expect(
      at('packages/actor/src/node-platform.ts', 'export const now = () => Date.now()\n'),
    ).toEqual([])
    expect(
      at('packages/actor/src/anode-platformer.ts', 'export const now = () => Date.now()\n'),
    ).toHaveLength(1)
  })
})
