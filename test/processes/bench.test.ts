import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

function run(args: readonly string[]): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    timeout: 60_000,
  })
  return { code: status, out: stdout, err: stderr }
}

const bench = (...args: string[]) => run([join(root, 'scripts/bench.mjs'), ...args])

describe('npm run bench', () => {
  it('names its suites', () => {
    const { code, out } = bench('--list')

    expect(code).toBe(0)
    expect(out.trim().split('\n')).toEqual(expect.arrayContaining(['ask', 'spawn', 'tell']))
  })

  it.each([
    [['no-such-suite'], /^bench: there is no suite no-such-suite; there are .*tell.*\n$/],
    [['--fast'], /^bench: unknown option --fast; there are --json, .*\n$/],
    [
      ['--peers', '/no/such/folder'],
      /^bench: --peers needs a folder with a node_modules in it, .*\n$/,
    ],
  ])('refuses %j with one sentence and exit code 2', (args, sentence) => {
    const { code, out, err } = bench(...args)

    expect(err).toMatch(sentence)
    expect(out).toBe('')
    expect(code).toBe(2)
  })

  it('prints one object a line with --json', () => {
    const { code, out, err } = bench('spawn', '--json', '--quick')

    expect(err).toBe('')
    const lines = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(lines).toEqual([
      {
        suite: 'spawn',
        case: 'spawn+stop',
        value: expect.any(Number),
        unit: 'ns/actor',
        ratioToRaw: expect.any(Number),
      },
      {
        suite: 'spawn',
        case: 'idle-actor-bytes',
        value: expect.any(Number),
        unit: 'bytes/actor',
        ratioToRaw: expect.any(Number),
      },
    ])
    // What an idle actor may cost at most, whatever the machine.
    expect(lines[1]?.['value']).toBeLessThan(350)
    expect(code).toBe(0)
  })
})

describe('a suite', () => {
  let folder: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'troupe-bench-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  function runSuite(cases: string, ...flags: string[]) {
    const file = join(folder, 'planted.bench.mjs')
    writeFileSync(file, `export const suite = ({ quick, peersFolder }) => [${cases}]`)
    const hook = pathToFileURL(join(root, 'scripts/ts-hook.mjs')).href
    const main = join(root, 'test/bench/harness/main.ts')
    return run(['--import', hook, main, file, 'planted', '--quick', ...flags])
  }

  it('whose work did not happen fails, and the other cases are still measured', () => {
    const { code, out, err } = runSuite(
      `{ name: 'lazy', unit: 'ns/op', ours: () => { throw new Error('nothing was sent') } },
       { name: 'fine', unit: 'ns/op', ours: () => 4, raw: () => 2 }`,
      '--json',
    )

    expect(code).toBe(1)
    expect(err).toContain('planted, lazy: Error: nothing was sent')
    expect(out).toBe('{"suite":"planted","case":"fine","value":4,"unit":"ns/op","ratioToRaw":2}\n')
  })

  it('fails when a round measures nothing', () => {
    const { code, err } = runSuite(`{ name: 'empty', unit: 'ns/op', ours: () => 0 / 0 }`)

    expect(code).toBe(1)
    expect(err).toContain('a round measured NaN')
  })

  it('takes medians, pairs ours with raw and peers round by round, and says which peer is missing', () => {
    const { code, out } = runSuite(
      `(() => {
        let round = 0
        return {
          name: 'paired',
          unit: 'ns/op',
          raw: () => { round++; return round * 10 },
          ours: () => round * 30,
          peers: [
            { name: 'slow', load: () => () => round * 60 },
            { name: 'absent', load: () => undefined },
          ],
        }
      })()`,
    )

    expect(code).toBe(0)
    // One round to warm up and three that count: numbers 2, 3 and 4.
    expect(out).toMatch(/paired +90 +60 to 120 +30 +3 x +ns\/op/)
    expect(out).toMatch(/beside slow +180 +0\.5 x +ns\/op/)
    expect(out).toMatch(/absent is not installed: skipped/)
  })

  it('opens before the first round and closes after the last, also after a failure', () => {
    const { out } = runSuite(
      `{
        name: 'careful',
        unit: 'ns/op',
        open: () => console.log('open'),
        ours: () => { console.log('round'); throw new Error('broken') },
        close: () => console.log('close'),
      }`,
    )

    expect(out).toMatch(/^open\nround\nclose\n/)
  })
})
