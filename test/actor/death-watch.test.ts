import { type ActorContext, type ActorRef, type Behavior, Behaviors } from '@troupe/actor'
import { ActorTestKit } from '@troupe/testkit'
import { describe, expect, it } from 'vitest'

type Work = (context: ActorContext<Work | string>) => unknown

/** Does what it is told, and reports texts and ends. */
const watcher = (report: ActorRef<string>): Behavior<Work | string> =>
  Behaviors.receive<Work | string>(
    (message, context) => {
      if (typeof message === 'string') report.tell(message)
      else message(context)
      return Behaviors.same
    },
    (signal) => {
      if (signal.type === 'Terminated') report.tell(`Terminated ${signal.ref.path}`)
      return Behaviors.same
    },
  )

const mortal: Behavior<'stop'> = Behaviors.receive(() => Behaviors.stopped)

function fixture() {
  const kit = ActorTestKit.create()
  const probe = kit.createProbe<string>()
  const ref = kit.spawn(watcher(probe.ref), 'watcher')
  const target = kit.spawn(mortal, 'target')
  return { kit, probe, ref, target, [Symbol.asyncDispose]: () => kit.shutdown() }
}

describe('who watches an actor', () => {
  it('hears of its end once, however often it asked', async () => {
    await using f = fixture()
    f.ref.tell((context) => {
      context.watch(f.target)
      context.watch(f.target)
    })
    await f.kit.settle()

    f.target.tell('stop')

    await f.probe.expectMessage('Terminated /user/target')
    await f.probe.expectNoMessage()
  })

  it('hears at once of one that has stopped before', async () => {
    await using f = fixture()
    f.target.tell('stop')
    await f.kit.settle()

    f.ref.tell((context) => context.watch(f.target))

    await f.probe.expectMessage('Terminated /user/target')
  })

  it('hears again when it watches again', async () => {
    await using f = fixture()
    f.target.tell('stop')
    const watch: Work = (context) => context.watch(f.target)

    f.ref.tell(watch)
    await f.probe.expectMessage('Terminated /user/target')
    f.ref.tell(watch)
    await f.probe.expectMessage('Terminated /user/target')
  })

  it('hears of it after every message the actor sent before', async () => {
    await using f = fixture()
    const talker = f.kit.spawn(
      Behaviors.receive<'stop'>(() => {
        for (let i = 0; i < 100; i++) f.ref.tell(`message ${i}`)
        return Behaviors.stopped
      }),
      'talker',
    )
    f.ref.tell((context) => context.watch(talker))
    await f.kit.settle()

    talker.tell('stop')

    const heard = await f.probe.receiveMessages(101)
    expect(heard.at(-1)).toBe('Terminated /user/talker')
    expect(heard.slice(0, -1)).toEqual(Array.from({ length: 100 }, (_, i) => `message ${i}`))
  })

  it('hears nothing after unwatch, even if the end is already in its mailbox', async () => {
    await using f = fixture()
    f.ref.tell((context) => context.watch(f.target))
    await f.kit.settle()

    f.target.tell('stop')
    f.ref.tell((context) => {
      // Whichever of the two comes first: the notice is on its way or waiting behind this message.
      context.unwatch(f.target)
    })

    await f.probe.expectNoMessage()
  })

  it('hears nothing of an end that waited behind the unwatch', async () => {
    await using f = fixture()
    let go: () => void = () => {}
    const gate = new Promise<void>((resolve) => (go = resolve))
    const slow = f.kit.spawn(
      Behaviors.receive<'hold' | 'unwatch'>(
        async (message, context) => {
          if (message === 'hold') {
            context.watch(f.target)
            await gate
          } else context.unwatch(f.target)
          return Behaviors.same
        },
        (signal) => {
          f.probe.ref.tell(signal.type)
          return Behaviors.same
        },
      ),
    )
    slow.tell('hold')
    slow.tell('unwatch')
    await f.kit.settle()
    f.target.tell('stop')
    await f.kit.settle()

    go()

    await f.probe.expectNoMessage()
  })

  it('gets a message of its own protocol instead, if it named one', async () => {
    await using f = fixture()
    f.ref.tell((context) => context.watchWith(f.target, 'my target is gone'))
    await f.kit.settle()

    f.target.tell('stop')

    await f.probe.expectMessage('my target is gone')
    await f.probe.expectNoMessage()
  })

  it('must unwatch before it watches with another message', async () => {
    await using f = fixture()
    const codes: unknown[] = []
    f.ref.tell((context) => {
      context.watch(f.target)
      try {
        context.watchWith(f.target, 'x')
      } catch (error) {
        codes.push((error as { code: unknown }).code)
      }
      context.unwatch(f.target)
      context.watchWith(f.target, 'y')
    })
    await f.kit.settle()

    f.target.tell('stop')

    await f.probe.expectMessage('y')
    expect(codes).toEqual(['WATCHED_OTHERWISE'])
  })

  it('may watch itself, which means nothing', async () => {
    await using f = fixture()
    const other = f.kit.createProbe<never>()
    f.ref.tell((context) => context.watch(context.self))

    await f.kit.stop(f.ref)

    await other.expectTerminated(f.ref)
  })

  it('stops when it does not handle the end of what it watches', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<never>()
    const target = kit.spawn(mortal, 'target')
    const ref = kit.spawn(
      Behaviors.setup<never>((context) => {
        context.watch(target)
        return Behaviors.empty
      }),
    )
    await kit.settle()

    target.tell('stop')

    await probe.expectTerminated(ref)
    expect(kit.logs.withPhrase('actor failed')[0]?.fields['err']).toMatchObject({
      code: 'DEATH_PACT',
      message: expect.stringContaining('/user/target'),
    })
  })

  it('can watch an adapter, which ends with its owner', async () => {
    await using f = fixture()
    const adapters: ActorRef<number>[] = []
    const owner = f.kit.spawn(
      Behaviors.setup<string>((context) => {
        adapters.push(context.messageAdapter<number>(String))
        return Behaviors.empty
      }),
    )
    await f.kit.settle()
    const adapter = adapters[0] as ActorRef<number>
    f.ref.tell((context) => context.watch(adapter))
    await f.kit.settle()

    await f.kit.stop(owner)

    await f.probe.expectMessage(`Terminated ${adapter.path}`)
    adapter.tell(1)
    expect(f.kit.deadLetters.map(({ message, reason }) => [message, reason])).toEqual([
      [1, 'ActorStopped'],
    ])
  })

  it('tells nobody after it has stopped itself', async () => {
    await using f = fixture()
    f.ref.tell((context) => context.watch(f.target))
    await f.kit.settle()
    await f.kit.stop(f.ref)

    f.target.tell('stop')
    await f.kit.settle()

    expect(f.kit.deadLetters).toEqual([])
    await f.probe.expectNoMessage()
  })
})
