import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root } from './repository.ts'

interface LockFile {
  readonly packages: Record<string, { version?: string; resolved?: string; optional?: boolean }>
}

describe('the lock file', () => {
  let folder = ''
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'troupe-lock-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const lock = (): LockFile =>
    JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as LockFile

  const fix = (args: readonly string[]) => {
    const { status, stdout } = spawnSync(
      process.execPath,
      [join(root, 'scripts/fix-lock.mjs'), ...args],
      { encoding: 'utf8' },
    )
    return { status, stdout }
  }

  const saved = (changed: LockFile): string => {
    const file = join(folder, 'package-lock.json')
    writeFileSync(file, JSON.stringify(changed))
    return file
  }

  it('has the binaries of every platform and names no registry', () => {
    expect(fix(['--check'])).toEqual({ status: 0, stdout: '' })
  })

  it('is refused without the binary of another platform, and mended', () => {
    const { packages } = lock()
    const foreign = Object.keys(packages).find((at) => at.includes('@turbo/darwin'))
    expect(foreign).toBeDefined()
    const version = packages[foreign ?? '']?.version
    const file = saved({
      packages: Object.fromEntries(Object.entries(packages).filter(([at]) => at !== foreign)),
    })

    const refused = fix(['--check', file])
    fix([file])

    expect(refused.status).toBe(1)
    expect(refused.stdout).toContain(`missing: ${foreign?.replace('node_modules/', '')}@${version}`)
    expect(fix(['--check', file]).status).toBe(0)
  })

  it('is refused when it names a registry, and mended', () => {
    const changed = lock()
    const ws = changed.packages['node_modules/ws']
    expect(ws).toBeDefined()
    if (ws !== undefined) ws.resolved = 'https://registry.example/ws.tgz'
    const file = saved(changed)

    const refused = fix(['--check', file])
    fix([file])

    expect(refused.stdout).toContain('names a registry: node_modules/ws')
    expect(refused.status).toBe(1)
    expect(fix(['--check', file]).status).toBe(0)
  })
})
