import { ActorSystem, Behaviors } from '@troupe/actor'
import { ActorTestKit, manualPlatform } from '@troupe/testkit'
import { Writable } from 'node:stream'
import { pino } from 'pino'
import { describe, expect, it } from 'vitest'

describe('the log of an actor', () => {
  it('carries its path, and what was logged', async () => {
    await using kit = ActorTestKit.create()
    const ref = kit.spawn(
      Behaviors.receive<string>((message, context) => {
        context.log.info({ message }, 'heard')
        context.log.debug({}, 'a detail')
        return Behaviors.same
      }),
      'talker',
    )

    ref.tell('hello')
    await kit.settle()

    expect(kit.logs.records).toEqual([
      { level: 'info', phrase: 'heard', fields: { actor: '/user/talker', message: 'hello' } },
      { level: 'debug', phrase: 'a detail', fields: { actor: '/user/talker' } },
    ])
  })

  it('makes its child logger once, and none for actors that never log', async () => {
    let children = 0
    const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }
    const platform = manualPlatform()
    const system = ActorSystem.create(Behaviors.empty, 'sys', {
      platform,
      logger: { ...silent, child: () => (children++, { ...silent, child: () => never() }) },
    })
    const talker = system.systemActorOf(
      Behaviors.receive<string>((_, context) => {
        context.log.info({}, 'heard')
        return Behaviors.same
      }),
      'talker',
    )
    const quiet = system.systemActorOf(
      Behaviors.receive<string>(() => Behaviors.same),
      'quiet',
    )

    for (let i = 0; i < 10; i++) {
      talker.tell('x')
      quiet.tell('x')
    }
    await platform.clock.settle()

    expect(children).toBe(1)
    await system.terminate()
  })

  it('goes through pino as one JSON object a line', async () => {
    const lines: string[] = []
    const sink = new Writable({
      write(chunk: Buffer, _encoding, done) {
        lines.push(chunk.toString())
        done()
      },
    })
    const platform = manualPlatform()
    const system = ActorSystem.create(Behaviors.empty, 'sys', {
      platform,
      logger: pino({ base: null, timestamp: false }, sink),
    })
    const ref = system.systemActorOf(
      Behaviors.receive<'fail'>((_, context) => {
        context.log.warn({ self: context.self }, 'about to fail')
        throw new Error('as planned')
      }),
      'a',
    )

    ref.tell('fail')
    await platform.clock.settle()

    const [warning, failure] = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    expect(warning).toEqual({
      level: 40,
      actor: '/system/a',
      self: expect.stringMatching(/^\/system\/a#\d+$/),
      msg: 'about to fail',
    })
    expect(failure).toMatchObject({
      level: 50,
      actor: '/system/a',
      decision: 'Stop',
      err: { type: 'Error', message: 'as planned', stack: expect.stringContaining('as planned') },
      msg: 'actor failed',
    })
    await system.terminate()
  })
})

function never(): never {
  throw new Error('a child of a child logger was asked for')
}
