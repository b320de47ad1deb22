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

  it('is left to the outer strategies only by those inside that do not know the error', async () => {
    await using f = fixture((behavior) =>
      Behaviors.supervise(
        Behaviors.supervise(behavior).onFailure(SupervisorStrategy.resume, Broken),
      ).onFailure(SupervisorStrategy.restart()),
    )

    tell(f.ref, add, broken, read, failWith(new Tired()), read)

    expect(await f.probe.receiveMessages(3)).toEqual([1, 'PreRestart', 0])
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

describe('siblings', () => {
  it('have a budget of restarts each, also when they are supervised by one value', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<number | string>()
    const supervised = Behaviors.supervise(
      Behaviors.setup<Command>(() => counter(probe.ref)),
    ).onFailure(SupervisorStrategy.restart({ limit: 1 }))
    const refs = [kit.spawn(supervised), kit.spawn(supervised)]

    for (const ref of refs) ref.tell(broken)
    for (const ref of refs) ref.tell(read)

    expect(await probe.receiveMessages(4)).toEqual(['PreRestart', 'PreRestart', 0, 0])
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
