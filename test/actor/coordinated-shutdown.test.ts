import { SHUTDOWN_PHASES } from '@troupe/actor'
import { ActorTestKit } from '@troupe/testkit'
import { describe, expect, it } from 'vitest'

describe('a coordinated shutdown', () => {
  it('runs the phases in order, whatever the order in which their tasks were added', async () => {
    const kit = ActorTestKit.create()
    const done: string[] = []
    for (const phase of SHUTDOWN_PHASES.toReversed()) {
      kit.system.coordinatedShutdown.addTask(phase, 'note', () => void done.push(phase))
    }

    await kit.shutdown()

    expect(done).toEqual([...SHUTDOWN_PHASES])
  })

  it('runs the tasks of a phase side by side, and waits for all of them', async () => {
    const kit = ActorTestKit.create()
    const { coordinatedShutdown } = kit.system
    const done: string[] = []
    let open: () => void = () => {}
    coordinatedShutdown.addTask('service-stop', 'slow', async () => {
      await new Promise<void>((resolve) => (open = resolve))
      done.push('slow')
    })
    coordinatedShutdown.addTask('service-stop', 'quick', () => {
      done.push('quick')
      open()
    })
    coordinatedShutdown.addTask('cluster-leave', 'next', () => void done.push('next'))

    await kit.shutdown()

    expect(done).toEqual(['quick', 'slow', 'next'])
  })

  it('goes on after a task that fails, and says which', async () => {
    const kit = ActorTestKit.create()
    const done: string[] = []
    kit.system.coordinatedShutdown.addTask('service-unbind', 'bad', () => {
      throw new Error('port is gone')
    })
    kit.system.coordinatedShutdown.addTask('service-stop', 'next', () => void done.push('next'))

    await kit.shutdown()

    expect(done).toEqual(['next'])
    expect(kit.logs.withPhrase('shutdown task failed')[0]?.fields).toMatchObject({
      phase: 'service-unbind',
      task: 'bad',
      reason: 'port is gone',
    })
  })

  it('goes on when the time of a phase is up', async () => {
    const kit = ActorTestKit.create()
    const done: string[] = []
    const { coordinatedShutdown } = kit.system
    coordinatedShutdown.addTask('service-unbind', 'hangs', () => new Promise(() => {}))
    coordinatedShutdown.addTask('service-stop', 'next', () => {
      done.push(`next at ${kit.clock.monotonicMs()}`)
    })

    await kit.shutdown()

    expect(done).toEqual(['next at 5000'])
    expect(kit.logs.withPhrase('shutdown phase timed out')[0]?.fields).toMatchObject({
      phase: 'service-unbind',
      timeoutMs: 5_000,
    })
  })

  it('gives a phase the time it was given', async () => {
    const kit = ActorTestKit.create()
    const { coordinatedShutdown } = kit.system
    coordinatedShutdown.phaseTimeout('service-unbind', 200)
    coordinatedShutdown.addTask('service-unbind', 'hangs', () => new Promise(() => {}))
    let endedAt = -1
    coordinatedShutdown.addTask('service-stop', 'note', () => {
      endedAt = kit.clock.monotonicMs()
    })

    await kit.shutdown()

    expect(endedAt).toBe(200)
  })

  it('runs once: later calls join the first, whose reason stays', async () => {
    const kit = ActorTestKit.create()
    let runs = 0
    kit.system.coordinatedShutdown.addTask('service-stop', 'count', () => void runs++)

    const first = kit.system.terminate('first')
    const second = kit.system.terminate('second')
    await kit.shutdown()

    await Promise.all([first, second])
    expect(runs).toBe(1)
    expect(kit.system.coordinatedShutdown.reason).toBe('first')
  })

  it('leaves out a task that was taken back', async () => {
    const kit = ActorTestKit.create()
    let ran = false
    const cancel = kit.system.coordinatedShutdown.addTask('service-stop', 'x', () => {
      ran = true
    })

    cancel()
    await kit.shutdown()

    expect(ran).toBe(false)
  })
})
