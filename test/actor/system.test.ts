import {
  ActorSystem,
  type ActorRef,
  Behaviors,
  type Extension,
  type Logger,
  nodePlatform,
} from '@troupe/actor'
import { CapturedLogs, ManualClock, manualPlatform } from '@troupe/testkit'
import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'

function systemOf(guardian = Behaviors.empty, options: { readonly logger?: Logger } = {}) {
  const platform = manualPlatform()
  const logs = new CapturedLogs()
  const system = ActorSystem.create(guardian, 'sys', {
    platform,
    logger: options.logger ?? logs.logger,
  })
  return { system, clock: platform.clock, logs }
}

describe('an actor system', () => {
  it('is the ref of its guardian', async () => {
    const clock = new ManualClock()
    const system = ActorSystem.create(
      Behaviors.receive<{ readonly replyTo: ActorRef<string> }>(({ replyTo }, context) => {
        replyTo.tell(context.self.path)
        return Behaviors.same
      }),
      'sys',
      { platform: manualPlatform({ clock }), logger: new CapturedLogs().logger },
    )

    expect(await system.ask<string>((replyTo) => ({ replyTo }), { timeoutMs: 100 })).toBe('/user')
    expect(system.path).toBe('/user')
    await system.terminate()
  })

  it('goes down when its guardian stops', async () => {
    const { system, clock } = systemOf(Behaviors.receive(() => Behaviors.stopped))

    ;(system as ActorRef<string>).tell('stop')
    await clock.settle()

    await system.whenTerminated
    expect(system.coordinatedShutdown.reason).toBe('guardian stopped')
  })

  it('goes down when its guardian fails, and says that it failed', async () => {
    const { system, clock } = systemOf(
      Behaviors.receive(() => {
        throw new Error('no')
      }),
    )

    ;(system as ActorRef<string>).tell('fail')
    await clock.settle()

    await system.whenTerminated
    expect(system.coordinatedShutdown.reason).toBe('guardian failed')
  })

  it('stops the actors of users before those of packages', async () => {
    const stopped: string[] = []
    const noting = Behaviors.receiveSignal<string>((signal, context) => {
      if (signal.type === 'PostStop') stopped.push(context.self.path)
      return Behaviors.same
    })
    const { system } = systemOf(
      Behaviors.setup((context) => {
        context.spawn(noting, 'a')
        return Behaviors.empty
      }),
    )
    system.systemActorOf(noting, 'replicator')

    await system.terminate()
    await system.whenTerminated

    expect(stopped).toEqual(['/user/a', '/system/replicator'])
  })

  it('starts nothing after it has terminated', async () => {
    const { system } = systemOf()
    await system.terminate()
    await system.whenTerminated

    expect(() => system.systemActorOf(Behaviors.empty, 'late')).toThrow(
      expect.objectContaining({ code: 'SYSTEM_TERMINATED' }),
    )
  })

  it.each(['', 'a b', '$x'])('refuses the name %j', (name) => {
    expect(() => ActorSystem.create(Behaviors.empty, name)).toThrow(
      expect.objectContaining({ code: 'INVALID_NAME' }),
    )
  })

  it('refuses settings that cannot work', () => {
    expect(() =>
      ActorSystem.create(Behaviors.empty, 'sys', { settings: { throughput: 0 } }),
    ).toThrow('throughput must be a number > 0, got 0')
  })

  it('has its own uid at every start', async () => {
    const logger = new CapturedLogs().logger
    const systems = [1, 2].map(() =>
      ActorSystem.create(Behaviors.empty, 'sys', { platform: nodePlatform(), logger }),
    )

    expect(systems[0]?.uid).toHaveLength(21)
    expect(systems[0]?.uid).not.toBe(systems[1]?.uid)
    await Promise.all(systems.map((system) => system.terminate()))
  })

  it('keeps one instance of each extension', async () => {
    const { system } = systemOf()
    let made = 0
    const extension: Extension<object> = { name: 'thing', create: () => ({ number: ++made }) }

    expect(system.extension(extension)).toBe(system.extension(extension))
    expect(made).toBe(1)
    const other = {}
    system.registerExtension({ ...extension, name: 'other' }, other)
    expect(system.extension({ ...extension, name: 'other' })).toBe(other)
    await system.terminate()
  })

  it('refuses an extension that asks for itself, and lets one that failed try again', async () => {
    const { system } = systemOf()
    const recursive: Extension<unknown> = {
      name: 'recursive',
      create: (each) => each.extension(recursive),
    }
    let tries = 0
    const flaky: Extension<number> = {
      name: 'flaky',
      create: () => {
        if (++tries === 1) throw new Error('not yet')
        return tries
      },
    }

    expect(() => system.extension(recursive)).toThrow(
      expect.objectContaining({ code: 'EXTENSION_RECURSION' }),
    )
    expect(() => system.extension(flaky)).toThrow('not yet')
    expect(system.extension(flaky)).toBe(2)
    await system.terminate()
  })

  it('counts what it does', async () => {
    const { system, clock } = systemOf()
    const before = system.metrics
    const ref = system.systemActorOf(
      Behaviors.receive<string>(() => Behaviors.same),
      'a',
    )

    for (let i = 0; i < 100; i++) ref.tell('x')
    await clock.settle()

    expect(system.metrics.actorsStarted - before.actorsStarted).toBe(1)
    expect(system.metrics.messagesProcessed - before.messagesProcessed).toBe(100)
    await system.terminate()
  })

  it('shows refs by their path, in logs, consoles and JSON', async () => {
    const { system } = systemOf()
    const ref = system.systemActorOf(Behaviors.empty, 'a')

    expect(inspect(ref)).toMatch(/^ActorRef\(\/system\/a#\d+\)$/)
    expect(JSON.stringify({ ref })).toMatch(/^\{"ref":"\/system\/a#\d+"\}$/)
    expect(inspect({ system })).toBe('{ system: ActorRef(ActorSystem(sys)) }')
    await system.terminate()
  })
})
