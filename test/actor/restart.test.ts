import { type ActorRef, type Behavior, Behaviors, SupervisorStrategy } from '@troupe/actor'
import { ActorTestKit } from '@troupe/testkit'
import { describe, expect, it } from 'vitest'

class Broken extends Error {}

describe('a restart', () => {
  it('stops the children, waits for all of them, and starts with their names free', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<string>()
    const child: Behavior<never> = Behaviors.receiveSignal((signal, context) => {
      probe.ref.tell(`${context.self.path} ${signal.type}`)
      return Behaviors.same
    })
    const ref = kit.spawn(
      Behaviors.supervise(
        Behaviors.setup<'fail'>((context) => {
          probe.ref.tell(`start with ${context.children.length}`)
          context.spawn(child, 'a')
          context.spawn(child, 'b')
          return Behaviors.receive(() => {
            throw new Broken()
          })
        }),
      ).onFailure(SupervisorStrategy.restart()),
      'p',
    )

    ref.tell('fail')

    expect(await probe.receiveMessages(4)).toEqual([
      'start with 0',
      '/user/p/a PostStop',
      '/user/p/b PostStop',
      'start with 0',
    ])
  })

  it('says nothing of the children it stopped, even to a behavior that watched them', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<string>()
    const ref = kit.spawn(
      Behaviors.supervise(
        Behaviors.setup<'fail' | 'hello'>((context) => {
          context.watch(context.spawn(Behaviors.empty, 'a'))
          return Behaviors.receive(
            (message) => {
              if (message === 'fail') throw new Broken()
              probe.ref.tell(message)
              return Behaviors.same
            },
            (signal) => {
              probe.ref.tell(signal.type)
              return Behaviors.same
            },
          )
        }),
      ).onFailure(SupervisorStrategy.restart()),
    )

    ref.tell('fail')
    ref.tell('hello')

    expect(await probe.receiveMessages(2)).toEqual(['PreRestart', 'hello'])
    await probe.expectNoMessage()
  })

  it('leaves the children to the fresh behavior when it should', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<boolean>()
    const ref = kit.spawn(
      Behaviors.supervise(
        Behaviors.setup<'fail'>((context) => {
          const known = context.child('a')
          probe.ref.tell(known !== undefined)
          if (known === undefined) context.spawn(Behaviors.empty, 'a')
          return Behaviors.receive(() => {
            throw new Broken()
          })
        }),
      ).onFailure(SupervisorStrategy.restart({ stopChildren: false })),
    )

    ref.tell('fail')

    expect(await probe.receiveMessages(2)).toEqual([false, true])
  })

  it('keeps adapters and watches of others', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<string>()
    const friend = kit.spawn<never>(Behaviors.empty, 'friend')
    let adapter: ActorRef<number> | undefined
    const ref = kit.spawn(
      Behaviors.supervise(
        Behaviors.setup<string>((context) => {
          adapter ??= context.messageAdapter<number>((value) => `adapted ${value}`)
          context.watch(friend)
          return Behaviors.receive(
            (message) => {
              if (message === 'fail') throw new Broken()
              probe.ref.tell(message)
              return Behaviors.same
            },
            (signal) => {
              if (signal.type === 'Terminated') probe.ref.tell(`gone ${signal.ref.path}`)
              return Behaviors.same
            },
          )
        }),
      ).onFailure(SupervisorStrategy.restart()),
    )
    ref.tell('fail')
    await kit.settle()

    adapter?.tell(7)
    await kit.stop(friend)

    expect(await probe.receiveMessages(2)).toEqual(['adapted 7', 'gone /user/friend'])
    await probe.expectNoMessage()
  })

  it('cancels all timers, also those whose message is already in the mailbox', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<string>()
    let starts = 0
    const ref = kit.spawn(
      Behaviors.supervise(
        Behaviors.setup<string>((context) => {
          if (++starts === 1) {
            context.timers.startSingleTimer('old', 'old timer', 10)
            context.timers.startTimerWithFixedDelay('often', 'old ticks', 10)
          }
          return Behaviors.receive((message) => {
            if (message === 'fail') throw new Broken()
            probe.ref.tell(message)
            return Behaviors.same
          })
        }),
      ).onFailure(SupervisorStrategy.restart()),
    )
    await kit.settle()

    // Both at the same moment: the failure is in the mailbox before the timers fire.
    ref.tell('fail')
    await kit.clock.advance(100)

    await probe.expectNoMessage()
    expect(kit.clock.timers.size).toBe(0)
  })

  it('hands the fresh behavior what was stashed, before everything else', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<string>()
    let starts = 0
    const ref = kit.spawn(
      Behaviors.supervise(
        Behaviors.setup<string>((context) => {
          const isFirst = ++starts === 1
          const stash = context.stash(10)
          return Behaviors.receive((message) => {
            if (message === 'fail') throw new Broken()
            if (isFirst) stash.stash(message)
            else probe.ref.tell(message)
            return Behaviors.same
          })
        }),
      ).onFailure(SupervisorStrategy.restart()),
    )

    for (const message of ['a', 'b', 'fail', 'c']) ref.tell(message)

    expect(await probe.receiveMessages(3)).toEqual(['a', 'b', 'c'])
    expect(kit.deadLetters).toEqual([])
  })

  it('reports a failure while the fresh behavior starts as a failure like any other', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<never>()
    let starts = 0
    const ref = kit.spawn(
      Behaviors.supervise(
        Behaviors.setup<'fail'>(() => {
          if (++starts > 1) throw new Broken('cannot start again')
          return Behaviors.receive(() => {
            throw new Broken()
          })
        }),
      ).onFailure(SupervisorStrategy.restart({ limit: 3 })),
    )

    ref.tell('fail')

    await probe.expectTerminated(ref)
    expect(starts).toBe(4)
  })
})

describe('a restart with backoff', () => {
  const failing = (note: (what: string) => void): Behavior<string> =>
    Behaviors.supervise(
      Behaviors.setup<string>(() => {
        note('start')
        return Behaviors.receive((message) => {
          if (message === 'fail') throw new Broken()
          note(message)
          return Behaviors.same
        })
      }),
    ).onFailure(
      SupervisorStrategy.restartWithBackoff({
        minMs: 100,
        maxMs: 1_000,
        randomFactor: 0,
        resetAfterMs: 10_000,
      }),
    )

  it('waits, keeps messages meanwhile, and waits longer each time', async () => {
    await using kit = ActorTestKit.create()
    const notes: string[] = []
    const ref = kit.spawn(failing((what) => notes.push(`${kit.clock.monotonicMs()} ${what}`)))

    ref.tell('fail')
    ref.tell('kept')
    await kit.clock.advance(99)
    expect(notes).toEqual(['0 start'])
    await kit.clock.advance(1)
    ref.tell('fail')
    await kit.clock.advance(200)

    expect(notes).toEqual(['0 start', '100 start', '100 kept', '300 start'])
  })

  it('waits the shortest time again after a quiet period', async () => {
    await using kit = ActorTestKit.create()
    const notes: string[] = []
    const ref = kit.spawn(failing((what) => notes.push(`${kit.clock.monotonicMs()} ${what}`)))
    ref.tell('fail')
    await kit.clock.advance(100 + 10_000)

    ref.tell('fail')
    await kit.clock.advance(100)

    expect(notes).toEqual(['0 start', '100 start', '10200 start'])
  })

  it('can be stopped during the pause; what waited becomes dead letters', async () => {
    await using kit = ActorTestKit.create()
    const notes: string[] = []
    const ref = kit.spawn(failing((what) => notes.push(what)))
    ref.tell('fail')
    ref.tell('waiting')
    await kit.settle()

    await kit.stop(ref)
    await kit.clock.advance('1h')

    expect(notes).toEqual(['start'])
    expect(kit.deadLetters.map(({ message }) => message)).toEqual(['waiting'])
    expect(kit.clock.timers.size).toBe(0)
  })
})
