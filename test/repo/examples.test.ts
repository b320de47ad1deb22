import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { examplesFolder, writeExamples } from './examples.ts'
import { root } from './repository.ts'

const examples = writeExamples()

describe('the examples of README and docs', () => {
  it('have the types they pretend to have', () => {
    const config = {
      extends: '../tsconfig.json',
      compilerOptions: { rootDir: '../..', incremental: false, tsBuildInfoFile: null },
      include: ['*.ts'],
      references: [],
    }
    writeFileSync(join(examplesFolder, 'tsconfig.json'), JSON.stringify(config))

    const { stdout } = spawnSync(
      process.execPath,
      [join(root, 'node_modules/typescript/bin/tsc'), '-p', examplesFolder],
      { encoding: 'utf8' },
    )

    expect(stdout).toBe('')
  }, 60_000)

  const programs = examples.filter(({ isTest }) => !isTest)
  const tests = examples.filter(({ isTest }) => isTest)

  it('are there', () => {
    expect(programs.length).toBeGreaterThanOrEqual(2)
    expect(tests.length).toBeGreaterThanOrEqual(1)
  })

  it.each(programs)(
    '$name prints what it says',
    ({ file, prints }) => {
      const { stdout, stderr, status } = spawnSync(
        process.execPath,
        ['--import', join(root, 'scripts/ts-hook.mjs'), '--conditions=@troupe/source', file],
        { encoding: 'utf8', timeout: 30_000 },
      )

      const printed = stdout
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('{"level"'))
      expect({ printed, stderr, status }).toEqual({ printed: prints, stderr: '', status: 0 })
      expect(prints.length, 'an example shows what it does').toBeGreaterThan(0)
    },
    30_000,
  )

  for (const { name, file } of tests) {
    describe(name, async () => {
      await import(file)
    })
  }
})
