import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { AdCounterReport } from '../../apps/ad-counter/src/report.ts'

const script = fileURLToPath(new URL('../../scripts/ad-counter.mjs', import.meta.url))

async function run(...args: string[]) {
  const child = spawn(process.execPath, [script, ...args])
  let [output, errors] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, output, errors }
}

describe('npm run ad-counter', () => {
  it('counts over real links, says what happened, and ends with one JSON object', async () => {
    const { code, output, errors } = await run('--json', '--pause', '1', '--seed', '4')
    const lines = output.trimEnd().split('\n')
    const report = JSON.parse(lines.at(-1) ?? '') as AdCounterReport

    expect(errors).toBe('')
    expect(code).toBe(0)
    expect(report).toMatchObject({ nodes: 3, clients: 5, limit: 5, lost: 0, replicasAgree: true })
    expect(report.rounds.map(({ requests, countedTwice }) => [requests, countedTwice])).toEqual([
      [50, 0],
      [50, 0],
    ])
    expect(report.linkMessages).toBeGreaterThan(50)
    expect(lines[0]).toContain('5 ads, 5 clients on 3 nodes')
    expect(output).toContain('All 3 replicas agree')
  })

  it('explains itself, and refuses what it does not know in one sentence', async () => {
    const [help, unknown] = await Promise.all([run('--help'), run('--colour')])

    expect([help.code, help.errors]).toEqual([0, ''])
    expect(help.output).toContain('--requests N')
    expect([unknown.code, unknown.output]).toEqual([2, ''])
    expect(unknown.errors).toBe('I do not know --colour; --help lists what I understand.\n')
  })
})
