import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { descendantsOf, gone, root, startReal } from './start-command.ts'

// The command a newcomer types, with real nodes: what it promises to print and to leave behind.

const scratch = mkdtempSync(join(tmpdir(), 'troupe-start-real-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const sumOf = (counts: unknown) =>
  Object.values(counts as Record<string, number>).reduce((sum, count) => sum + count, 0)

describe('npm start', () => {
  it('serves ads from three nodes that end up with the same data', async () => {
    const args = '--for 5s --json --rate 100 --page-port 0'.split(' ')
    const report = await startReal(args, { TMPDIR: scratch }).report()

    expect(report.ended.code).toBe(0)
    expect(report).toMatchObject({ nodes: 3, nodesUp: 3, httpErrors: 0, replicasAgree: true })
    const figures = report as unknown as Readonly<Record<string, number>>
    expect(figures['served']).toBeGreaterThan(0)
    expect(figures['indexEntries']).toBeGreaterThan(0)
    expect(figures['gossipBytes']).toBeGreaterThan(0)
    expect(figures['spendMicros']).toBeGreaterThan(0)
    expect(figures['spendMicros']).toBeLessThanOrEqual(figures['budgetMicros'] ?? 0)
    expect(figures['requests']).toBe((figures['served'] ?? 0) + sumOf(report['noContent']))
    expect(figures['impressions']).toBe(figures['ads'])
    for (const name of ['decisionMs', 'httpMs']) {
      const { p50, p99, p999 } = report[name] as Readonly<Record<string, number>>
      expect(p50).toBeGreaterThan(0)
      expect(p99).toBeGreaterThanOrEqual(p50 ?? Infinity)
      expect(p999).toBeGreaterThanOrEqual(p99 ?? Infinity)
    }
    expect(readdirSync(scratch)).toEqual([])
  })

  it('answers 200 or 204 throughout while nodes are killed and come back', async () => {
    const args = '--for 14s --json --rate 50 --page-port 0 --kill'.split(' ')
    const report = await startReal(args).report()

    expect(report.ended.code).toBe(0)
    expect(report).toMatchObject({ nodesUp: 3, httpErrors: 0, unanswered: 0, replicasAgree: true })
    expect(report['kills']).toBeGreaterThanOrEqual(1)
    expect(report['restarts']).toBe(report['kills'])
  })
})

describe('whoever started the nodes', () => {
  it.each(['SIGTERM', 'SIGKILL'] as const)('leaves none behind: npm gets %s', async (signal) => {
    // npm runs a shell, the shell runs node, and none of them passes a signal on.
    const npm = spawn('npm', ['start', '--silent', '--', '--page-port', '0', '--rate', '10'], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    await new Promise<void>((resolve) => {
      npm.stdout.setEncoding('utf8').on('data', (text: string) => {
        if (text.includes('3/3 nodes up')) resolve()
      })
    })
    const below = descendantsOf(npm.pid ?? 0)
    expect(below.length).toBeGreaterThanOrEqual(5)
    npm.kill(signal)

    await gone(below, 30_000)
  })

  it('leaves none behind: the launcher itself gets SIGKILL', async () => {
    const command = startReal(['--page-port', '0', '--rate', '10', '--data', join(scratch, 'data')])
    await command.says(/3\/3 nodes up/)
    const [launcher, ...nodes] = descendantsOf(command.process.pid ?? 0).sort((a, b) => a - b)
    expect(nodes).toHaveLength(3)
    process.kill(launcher ?? 0, 'SIGKILL')

    await gone(nodes, 10_000)
    expect((await command.ended).code).toBe(137)
  })
})
