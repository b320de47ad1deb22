import {
  type ActorContext,
  type ActorRef,
  type Behavior,
  Behaviors,
  SupervisorStrategy,
} from '@troupe/actor'
import { ActorTestKit } from '@troupe/testkit'
import { describe, expect, it } from 'vitest'

class Broken extends Error {}
class Tired extends Error {}

type Command =
  | { readonly type: 'Add' }
  | { readonly type: 'Read' }
  | { readonly type: 'Fail'; readonly error: Error }

const add: Command = { type: 'Add' }
const read: Command = { type: 'Read' }
const failWith = (error: Error): Command => ({ type: 'Fail', error })
const broken = failWith(new Broken('broken'))

/** Counts, reports, fails on demand, and tells of its signals. */
const counter = (report: ActorRef<number | string>, count = 0): Behavior<Command> =>
  Behaviors.receive<Command>(
    (message) => {
      switch (message.type) {
        case 'Add':
          return counter(report, count + 1)
        case 'Read':
          report.tell(count)
          return Behaviors.same
        case 'Fail':
          throw message.error
        default:
          return message satisfies never
      }
    },
    (signal) => {
      report.tell(signal.type)
      return Behaviors.same
    },
  )

function fixture(wrap: (behavior: Behavior<Command>) => Behavior<Command>) {
  const kit = ActorTestKit.create()
  const probe = kit.createProbe<number | string>()
  const ref = kit.spawn(wrap(counter(probe.ref)), 'counter')
  return { kit, probe, ref, [Symbol.asyncDispose]: () => kit.shutdown() }
}

const tell = (ref: ActorRef<Command>, ...messages: Command[]): void => {
  for (const message of messages) ref.tell(message)
}

describe('an actor that fails', () => {
  it('stops when nobody supervises it, and the failure is logged with its path', async () => {
    await using f = fixture((behavior) => behavior)

    tell(f.ref, add, broken, read)

    await f.probe.expectMessage('PostStop')
    await f.probe.expectTerminated(f.ref)
    await f.probe.expectNoMessage()
    expect(f.kit.deadLetters.map(({ message }) => message)).toEqual([read])
    expect(f.kit.logs.withPhrase('actor failed')).toEqual([
      {
        level: 'error',
        phrase: 'actor failed',
        fields: {
          actor: '/user/counter',
          err: expect.any(Broken),
          messageType: 'Fail',
          decision: 'Stop',
        },
      },
    ])
  })

  it('keeps its state under resume; only the failing message is lost', async () => {
    await using f = fixture((behavior) =>
      Behaviors.supervise(behavior).onFailure(SupervisorStrategy.resume),
    )

    tell(f.ref, add, broken, add, read)

    await f.probe.expectMessage(2)
    expect(f.kit.deadLetters).toEqual([])
  })

  it('starts anew under restart, hears PreRestart, and keeps ref and mailbox', async () => {
    await using f = fixture((behavior) =>
      Behaviors.supervise(behavior).onFailure(SupervisorStrategy.restart()),
    )

    tell(f.ref, add, add, broken, add, read)

    expect(await f.probe.receiveMessages(2)).toEqual(['PreRestart', 1])
    expect(f.kit.system.metrics.restarts).toBe(1)
  })

  it('goes on although its PreRestart throws', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<string>()
    const ref = kit.spawn(
      Behaviors.supervise(
        Behaviors.receive<'fail' | 'hello'>(
          (message) => {
            if (message === 'fail') throw new Broken('first')
            probe.ref.tell(message)
            return Behaviors.same
          },
          () => {
            throw new Broken('second')
          },
        ),
      ).onFailure(SupervisorStrategy.restart()),
    )

    ref.tell('fail')
    ref.tell('hello')

    await probe.expectMessage('hello')
    expect(kit.logs.withPhrase('signal handler failed')).toHaveLength(1)
  })

  it('stops when its restarts are used up', async () => {
    await using f = fixture((behavior) =>
      Behaviors.supervise(behavior).onFailure(
        SupervisorStrategy.restart({ limit: 2, withinMs: 1_000 }),
      ),
    )

    tell(f.ref, broken, broken, broken)

    expect(await f.probe.receiveMessages(3)).toEqual(['PreRestart', 'PreRestart', 'PostStop'])
    await f.probe.expectTerminated(f.ref)
  })

  it('has its restarts back after the window', async () => {
    await using f = fixture((behavior) =>
      Behaviors.supervise(behavior).onFailure(
        SupervisorStrategy.restart({ limit: 1, withinMs: 1_000 }),
      ),
    )

    tell(f.ref, broken)
    await f.kit.clock.advance('1s')
    tell(f.ref, broken, read)

    expect(await f.probe.receiveMessages(3)).toEqual(['PreRestart', 'PreRestart', 0])
  })

  it('is judged by the innermost strategy that knows the error', async () => {
    await using f = fixture((behavior) =>
      Behaviors.supervise(
        Behaviors.supervise(behavior).onFailure(SupervisorStrategy.resume, Tired),
      ).onFailure(SupervisorStrategy.restart(), Broken),
    )

    tell(f.ref, add, failWith(new Tired()), read, broken, read, failWith(new Error('other')))

    expect(await f.probe.receiveMessages(4)).toEqual([1, 'PreRestart', 0, 'PostStop'])
    await f.probe.expectTerminated(f.ref)
  })

  it('may wrap itself in the same strategy at every message without growing, or renewing its budget', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<number>()
    const strategy = SupervisorStrategy.restart({ limit: 2 })
    const counting = (count: number): Behavior<'add' | 'fail' | 'read'> =>
      Behaviors.supervise(
        Behaviors.receive<'add' | 'fail' | 'read'>((message) => {
          if (message === 'fail') throw new Broken()
          if (message === 'add') return counting(count + 1)
          probe.ref.tell(count)
          return Behaviors.same
        }),
      ).onFailure(strategy)
    const ref = kit.spawn(counting(0))

    for (let i = 0; i < 1_000; i++) ref.tell('add')
    ref.tell('read')
    await probe.expectMessage(1_000)
    for (let i = 0; i < 3; i++) {
      ref.tell('add')
      ref.tell('fail')
    }

    await probe.expectTerminated(ref)
    expect(kit.system.metrics.restarts).toBe(2)
  })

  it('runs its setup again, with a fresh state', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<number>()
    let starts = 0
    const ref = kit.spawn(
      Behaviors.supervise(
        Behaviors.setup<'fail' | 'read'>(() => {
          const incarnation = ++starts
          return Behaviors.receive((message) => {
            if (message === 'fail') throw new Broken()
            probe.ref.tell(incarnation)
            return Behaviors.same
          })
        }),
      ).onFailure(SupervisorStrategy.restart()),
    )

    ref.tell('read')
    ref.tell('fail')
    ref.tell('read')

    expect(await probe.receiveMessages(2)).toEqual([1, 2])
  })

  it('stops when it cannot start under an unlimited restart, instead of trying for ever', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<never>()
    let starts = 0
    const ref = kit.spawn(
      Behaviors.supervise(
        Behaviors.setup<never>(() => {
          starts++
          throw new Broken()
        }),
      ).onFailure(SupervisorStrategy.restart()),
    )

    await probe.expectTerminated(ref)
    expect(starts).toBe(1)
  })

  it('tries its start again as often as a limited restart allows', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<string>()
    let starts = 0
    const ref = kit.spawn(
      Behaviors.supervise(
        Behaviors.setup<string>(() => {
          if (++starts < 3) throw new Broken()
          return Behaviors.receive((message) => {
            probe.ref.tell(message)
            return Behaviors.same
          })
        }),
      ).onFailure(SupervisorStrategy.restart({ limit: 2 })),
    )

    ref.tell('kept')

    await probe.expectMessage('kept')
    expect(starts).toBe(3)
  })
})

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

describe('a parent', () => {
  type Parent = { readonly type: 'Tell'; readonly message: Command }
  const parent = (
    report: ActorRef<string>,
    handles: (type: string) => boolean,
    prepare: (context: ActorContext<Parent>, child: ActorRef<Command>) => void,
  ): Behavior<Parent> =>
    Behaviors.setup((context) => {
      const child = context.spawn(counter(context.messageAdapter(() => never())), 'child')
      prepare(context, child)
      return Behaviors.receive(
        ({ message }) => {
          child.tell(message)
          return Behaviors.same
        },
        (signal) => {
          if (!handles(signal.type)) return Behaviors.unhandled
          const cause = signal.type === 'ChildFailed' ? ` ${String(signal.cause)}` : ''
          report.tell(`${signal.type}${cause}`)
          return Behaviors.same
        },
      )
    })
  const never = (): Parent => ({ type: 'Tell', message: add })
  const tellBroken: Parent = { type: 'Tell', message: broken }

  it('hears the cause when a child it watches fails', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<string>()
    const ref = kit.spawn(
      parent(
        probe.ref,
        () => true,
        (context, child) => context.watch(child),
      ),
    )

    ref.tell(tellBroken)

    await probe.expectMessage('ChildFailed Error: broken')
  })

  it('hears Terminated when it does not know ChildFailed', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<string>()
    const ref = kit.spawn(
      parent(
        probe.ref,
        (type) => type === 'Terminated',
        (context, child) => context.watch(child),
      ),
    )

    ref.tell(tellBroken)

    await probe.expectMessage('Terminated')
  })

  it('hears nothing when it does not watch', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<string>()
    const ref = kit.spawn(
      parent(
        probe.ref,
        () => true,
        () => {},
      ),
    )

    ref.tell(tellBroken)

    await probe.expectNoMessage()
  })
})
