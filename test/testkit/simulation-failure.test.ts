import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { runSimulation, simulationFailure } from '@troupe/testkit/simulation'
import { describe, expect, it } from 'vitest'

const NAME = 'nobody is ever "wrong"'

describe('a simulation that fails', () => {
  it('names the seed, what went wrong, and the command that plays it again', async () => {
    const failed = await runSimulation(
      17,
      { nodes: 1 },
      () => Promise.reject(new Error('somebody was')),
      true,
    )

    const { message } = simulationFailure(NAME, failed)

    expect(message).toContain('seed 17 fails: somebody was')
    expect(message).toContain(
      `npm run simulate -- --seed 17 --test "nobody is ever \\"wrong\\"" --trace`,
    )
    expect(message).toContain(failed.traceHash)
  })

  it('shows what happened before', async () => {
    const failed = await runSimulation(
      17,
      { nodes: 2 },
      async ({ nodes: [a], network, clock }) => {
        network.cutOneWay('a', 'b')
        a.crash()
        await clock.advance('1s')
        throw new Error('enough')
      },
      true,
    )

    const { message } = simulationFailure(NAME, failed)

    expect(message).toMatch(/cut a → b\n.*crash a\n/)
    expect(message).toContain('b sees a:2551 Up, b:2551 Up')
  })

  it('keeps the failure of the body as its cause', async () => {
    const cause = new Error('somebody was')
    const failed = await runSimulation(1, { nodes: 1 }, () => Promise.reject(cause))

    expect(simulationFailure(NAME, failed).cause).toBe(cause)
  })

  it('says so when the same seed took other steps the second time', async () => {
    let isSecond = false
    const body = async ({ clock }: { readonly clock: { advance(by: number): Promise<void> } }) => {
      await clock.advance(isSecond ? 5_000 : 1_000)
      isSecond = true
      throw new Error('somebody was')
    }
    const first = await runSimulation(1, { nodes: 2 }, body)
    const second = await runSimulation(1, { nodes: 2 }, body)

    expect(simulationFailure(NAME, second, first).message).toContain('NOT DETERMINISTIC')
  })

  it('is one that never comes to its end', async () => {
    const stuck = await runSimulation(
      1,
      { nodes: 1, virtualTimeMax: '10s' },
      () => new Promise(() => {}),
    )

    expect(stuck.error).toMatchObject({ code: 'NEVER_SETTLES' })
  })

  it('is one whose actor keeps itself busy for ever', async () => {
    const busy = await runSimulation(1, { nodes: 1 }, async ({ nodes: [a] }) => {
      const again = {
        deadlineMs: 0,
        previous: null,
        next: null,
        slot: -1,
        fire: () => a.system.platform.timers.start(again, 0),
      }
      again.fire()
      await new Promise(() => {})
    })

    expect(busy.error).toMatchObject({ code: 'NEVER_SETTLES' })
  })
})

describe('npm run simulate', () => {
  const script = fileURLToPath(new URL('../../scripts/simulate.mjs', import.meta.url))

  it.each([
    [['--sed', '17'], "Unknown option '--sed'"],
    [['--seed', '0'], '--seed needs a whole number from 1 on, not "0"'],
    [['--seeds', 'many'], '--seeds needs a whole number from 1 on, not "many"'],
    [['17'], "Unexpected argument '17'"],
  ])('%j ends with one sentence and exit code 2', (args, sentence) => {
    const { status, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' })

    expect(status).toBe(2)
    expect(stderr.trim()).toBe(`${sentence}; npm run simulate -- --help shows what there is.`)
  })
})
