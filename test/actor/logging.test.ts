import { ActorSystem, Behaviors } from '@troupe/actor'
import { ActorTestKit, manualPlatform } from '@troupe/testkit'
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
})

function never(): never {
  throw new Error('a child of a child logger was asked for')
}
