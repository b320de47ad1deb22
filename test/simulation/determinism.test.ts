import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
// @ts-expect-error: a script without types
import { fromSources } from '../../scripts/lib/run.mjs'
import { playStory } from './determinism-story.ts'

/** The trace hash of a seed in a process of its own, with `flags` of Node and `env`. */
async function hashElsewhere(
  seed: number,
  flags: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const program = fileURLToPath(new URL('determinism-run.ts', import.meta.url))
  const args = [...flags, ...(fromSources as string[]), program, String(seed)]
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: { ...process.env, ...env },
  })
  return stdout.trim()
}

describe('the trace of a simulated cluster', () => {
  it('is the same for the same seed in two processes that differ in all else', async () => {
    const [here, there] = await Promise.all([
      hashElsewhere(3, ['--hash-seed=1'], { TZ: 'UTC', LANG: 'C' }),
      hashElsewhere(3, ['--hash-seed=2', '--stack-size=900'], {
        TZ: 'Asia/Tokyo',
        LANG: 'tr_TR.UTF-8',
      }),
    ])

    expect(here).toMatch(/^[0-9a-f]{16}$/)
    expect(there).toBe(here)
  })

  it('is the same however much was played before in the same process', async () => {
    const elsewhere = hashElsewhere(4)
    await playStory(5)

    const { traceHash, error } = await playStory(4)

    expect(error).toBeUndefined()
    expect(traceHash).toBe(await elsewhere)
  })

  it.each([1, 2, 3, 4, 5])('is the same when seed %i is played twice', async (seed) => {
    const first = await playStory(seed)
    const second = await playStory(seed)

    expect(first.error).toBeUndefined()
    expect(second).toMatchObject({
      traceHash: first.traceHash,
      steps: first.steps,
      virtualMs: first.virtualMs,
    })
  })

  it('is another one when chance leaks in from outside, so that a leak is noticed', async () => {
    let draws = 0
    const leak = (): number => draws++

    const first = await playStory(1, leak)
    const second = await playStory(1, leak)

    expect(second.traceHash).not.toBe(first.traceHash)
  })

  it('is another one for another seed', async () => {
    const hashes = await Promise.all([1, 2, 3, 4, 5].map((seed) => playStory(seed)))

    expect(new Set(hashes.map(({ traceHash }) => traceHash)).size).toBe(5)
  })
})
