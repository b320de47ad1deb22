import { type ActorContext, type ActorRef, type Behavior, Behaviors } from '@troupe/actor'
import { ActorTestKit } from '@troupe/testkit'
import { describe, expect, it } from 'vitest'

type Command = { readonly type: 'Add'; readonly by: number } | Read
type Read = { readonly type: 'Read'; readonly replyTo: ActorRef<number> }

const counter = (value = 0): Behavior<Command> =>
  Behaviors.receive((message) => {
    switch (message.type) {
      case 'Add':
        return counter(value + message.by)
      case 'Read':
        message.replyTo.tell(value)
        return Behaviors.same
      default:
        return message satisfies never
    }
  })

describe('a behavior', () => {
  it('is followed by the behavior its handler returns', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<number>()
    const ref = kit.spawn(counter())

    ref.tell({ type: 'Add', by: 2 })
    ref.tell({ type: 'Add', by: 3 })
    ref.tell({ type: 'Read', replyTo: probe.ref })

    await probe.expectMessage(5)
  })

  it('receives messages in the order each sender sent them', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<string>()
    const sender = (name: string): Behavior<number> =>
      Behaviors.receive((count) => {
        for (let i = 0; i < count; i++) probe.ref.tell(`${name}${i}`)
        return Behaviors.same
      })

    kit.spawn(sender('a')).tell(100)
    kit.spawn(sender('b')).tell(100)

    const received = await probe.receiveMessages(200)
    for (const name of ['a', 'b']) {
      expect(received.filter((each) => each.startsWith(name))).toEqual(
        Array.from({ length: 100 }, (_, i) => `${name}${i}`),
      )
    }
  })

  it('that is made by setup begins when the actor starts, not when the value is built', async () => {
    await using kit = ActorTestKit.create()
    let starts = 0
    const behavior = Behaviors.setup<number>(() => {
      starts++
      return Behaviors.empty
    })
    await kit.settle()
    expect(starts).toBe(0)

    kit.spawn(behavior)
    kit.spawn(behavior)
    await kit.settle()

    expect(starts).toBe(2)
  })

  it('may be a setup inside a setup, and one returned by a handler begins at once', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<string>()
    const second = Behaviors.setup<string>((context) => {
      probe.ref.tell(`second in ${context.self.path}`)
      return Behaviors.setup(() => {
        probe.ref.tell('third')
        return Behaviors.receive((message) => {
          probe.ref.tell(message)
          return Behaviors.same
        })
      })
    })
    const ref = kit.spawn(
      Behaviors.setup<string>(() => Behaviors.receive(() => second)),
      'nested',
    )

    ref.tell('go')
    await kit.settle()
    ref.tell('hello')

    expect(await probe.receiveMessages(3)).toEqual(['second in /user/nested', 'third', 'hello'])
  })

  it('may decline a message, which is reported and changes nothing', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<string>()
    const ref = kit.spawn(
      Behaviors.receive<string>((message) => {
        if (message === 'strange') return Behaviors.unhandled
        probe.ref.tell(message)
        return Behaviors.same
      }),
    )

    ref.tell('strange')
    ref.tell('known')

    await probe.expectMessage('known')
    expect(kit.unhandled).toEqual([
      { type: 'UnhandledMessage', message: 'strange', recipient: ref },
    ])
    expect(kit.system.metrics.unhandled).toBe(1)
    expect(kit.deadLetters).toEqual([])
  })

  it('empty understands nothing, ignore swallows everything, and both stay alive', async () => {
    await using kit = ActorTestKit.create()
    const empty = kit.spawn<string>(Behaviors.empty)
    const ignore = kit.spawn<string>(Behaviors.ignore)

    empty.tell('x')
    ignore.tell('y')
    await kit.settle()

    expect(kit.unhandled.map(({ message }) => message)).toEqual(['x'])
    expect(kit.deadLetters).toEqual([])
  })

  it.each([
    ['same', Behaviors.same],
    ['unhandled', Behaviors.unhandled],
  ])('cannot begin as %s: there is nothing to keep', async (name, behavior) => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<never>()

    const ref = kit.spawn(behavior)

    await probe.expectTerminated(ref)
    expect(kit.logs.withPhrase('actor failed')[0]?.fields['err']).toMatchObject({
      code: 'INVALID_BEHAVIOR',
      message: expect.stringContaining(`Behaviors.${name}`),
    })
  })

  it('may begin as stopped', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<never>()

    await probe.expectTerminated(kit.spawn(Behaviors.stopped))

    expect(kit.logs.withPhrase('actor failed')).toEqual([])
  })

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['an object of another kind', {}],
    ['a function', () => {}],
  ])('that is %s fails the actor with a sentence that helps', async (_, returned) => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<never>()
    const ref = kit.spawn(Behaviors.receive<string>(() => returned as unknown as Behavior<string>))

    ref.tell('go')

    await probe.expectTerminated(ref)
    expect(kit.logs.withPhrase('actor failed')[0]?.fields['err']).toMatchObject({
      code: 'INVALID_BEHAVIOR',
      message: expect.stringContaining('a handler returns Behaviors.same to stay as it is'),
    })
  })

  it('refuses its context to callbacks that run outside of its turn', async () => {
    await using kit = ActorTestKit.create()
    let leaked: ActorContext<string> | undefined
    const ref = kit.spawn(
      Behaviors.setup<string>((context) => {
        leaked = context
        context.timers.startSingleTimer('far', 'x', 1_000_000)
        context.stash(3)
        return Behaviors.empty
      }),
      'leaky',
    )
    await kit.settle()
    const context = leaked as ActorContext<string>

    const calls: [string, () => unknown][] = [
      ['spawn', () => context.spawn(Behaviors.empty)],
      ['stop', () => context.stop(ref)],
      ['watch', () => context.watch(ref)],
      ['watchWith', () => context.watchWith(ref, 'x')],
      ['unwatch', () => context.unwatch(ref)],
      ['timers', () => context.timers],
      ['stash', () => context.stash(1)],
      ['messageAdapter', () => context.messageAdapter(() => 'x')],
      [
        'pipeToSelf',
        () =>
          context.pipeToSelf(
            Promise.resolve(),
            () => 'x',
            () => 'x',
          ),
      ],
    ]
    for (const [name, call] of calls) {
      expect(call, name).toThrow(
        expect.objectContaining({
          code: 'OUTSIDE_OF_TURN',
          message: expect.stringContaining(`context.${name} of /user/leaky`),
        }),
      )
    }
  })

  it('refuses timers and stash outside of its turn, also when they were fetched inside', async () => {
    await using kit = ActorTestKit.create()
    const leaked: (() => void)[] = []
    kit.spawn(
      Behaviors.setup<string>((context) => {
        const { timers } = context
        leaked.push(
          () => timers.startSingleTimer('k', 'x', 1),
          () => timers.cancel('k'),
        )
        return Behaviors.empty
      }),
    )
    kit.spawn(
      Behaviors.setup<string>((context) => {
        const stash = context.stash(3)
        leaked.push(
          () => stash.stash('x'),
          () => stash.clear(),
        )
        return Behaviors.empty
      }),
    )
    await kit.settle()

    expect(leaked).toHaveLength(4)
    for (const call of leaked) {
      expect(call).toThrow(expect.objectContaining({ code: 'OUTSIDE_OF_TURN' }))
    }
  })
})
