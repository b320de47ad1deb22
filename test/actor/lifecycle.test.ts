import { type ActorRef, type Behavior, Behaviors } from '@troupe/actor'
import { ActorTestKit } from '@troupe/testkit'
import { describe, expect, it } from 'vitest'

type Do = (self: { readonly context: import('@troupe/actor').ActorContext<Do> }) => Behavior<Do>

/** Does what it is told, and notes its end. */
const willing = (note: (what: string) => void = () => {}): Behavior<Do> =>
  Behaviors.receive<Do>(
    (work, context) => work({ context }),
    (signal, context) => {
      note(`${context.self.path} ${signal.type}`)
      return Behaviors.same
    },
  )

describe('children', () => {
  it('live under the path of their parent, each incarnation with a ref of its own', async () => {
    await using kit = ActorTestKit.create()
    const children: ActorRef<never>[] = []
    const parent = kit.spawn(willing(), 'parent')

    parent.tell(({ context }) => {
      children.push(context.spawn(Behaviors.empty, 'child'), context.spawn(Behaviors.empty))
      expect(context.children).toEqual(children)
      expect(context.child('child')).toBe(children[0])
      expect(context.child('nobody')).toBeUndefined()
      return Behaviors.same
    })
    await kit.settle()

    expect(children.map(({ path }) => path)).toEqual(['/user/parent/child', '/user/parent/$a'])
    expect(children[0]?.equals(children[0])).toBe(true)
    expect(children[0]?.equals(children[1] as ActorRef<never>)).toBe(false)
  })

  it('have names of their own, also while one is still stopping', async () => {
    await using kit = ActorTestKit.create()
    const codes: unknown[] = []
    const parent = kit.spawn(willing(), 'parent')

    parent.tell(({ context }) => {
      const child = context.spawn<never>(Behaviors.empty, 'a')
      context.stop(child)
      try {
        context.spawn(Behaviors.empty, 'a')
      } catch (error) {
        codes.push((error as { code: unknown }).code)
      }
      try {
        context.spawn(Behaviors.empty, '$a')
      } catch (error) {
        codes.push((error as { code: unknown }).code)
      }
      return Behaviors.same
    })
    await kit.settle()
    expect(codes).toEqual(['NAME_TAKEN', 'INVALID_NAME'])

    parent.tell(({ context }) => {
      codes.push(context.spawn(Behaviors.empty, 'a').path)
      return Behaviors.same
    })
    await kit.settle()
    expect(codes.at(-1)).toBe('/user/parent/a')
  })

  it('are the only ones an actor can stop, and stopping one again does nothing', async () => {
    await using kit = ActorTestKit.create()
    const stranger = kit.spawn<never>(Behaviors.empty, 'stranger')
    const failures: string[] = []
    const parent = kit.spawn(willing(), 'parent')

    parent.tell(({ context }) => {
      const child = context.spawn<never>(Behaviors.empty, 'child')
      context.stop(child)
      context.stop(child)
      for (const other of [stranger, context.self]) {
        try {
          context.stop(other)
        } catch (error) {
          failures.push((error as { code: string }).code)
        }
      }
      return Behaviors.same
    })
    await kit.settle()

    expect(failures).toEqual(['NOT_A_CHILD', 'NOT_A_CHILD'])
  })

  it('that cannot start leave their name free', async () => {
    await using kit = ActorTestKit.create()
    const parent = kit.spawn(willing(), 'parent')
    parent.tell(({ context }) => {
      const broken = Behaviors.setup<never>(() => {
        throw new Error('cannot start')
      })
      context.spawn(broken, 'child')
      return Behaviors.same
    })
    await kit.settle()

    const left: number[] = []
    parent.tell(({ context }) => {
      left.push(context.children.length)
      context.spawn(Behaviors.empty, 'child')
      return Behaviors.same
    })
    await kit.settle()

    expect(left).toEqual([0])
    expect(kit.system.metrics.failures).toBe(1)
  })

  it('refuse options that cannot work', async () => {
    await using kit = ActorTestKit.create()
    const codes: string[] = []
    kit.spawn(willing()).tell(({ context }) => {
      for (const options of [{ mailboxCapacity: 0 }, { handlerTimeoutMs: 0 }]) {
        try {
          context.spawn(Behaviors.empty, 'x', options)
        } catch (error) {
          codes.push((error as { code: string }).code)
        }
      }
      return Behaviors.same
    })
    await kit.settle()

    expect(codes).toEqual(['INVALID_SETTING', 'INVALID_SETTING'])
  })
})

describe('an actor that stops', () => {
  it('stops its children first, then hears PostStop', async () => {
    await using kit = ActorTestKit.create()
    const notes: string[] = []
    const note = (what: string): void => void notes.push(what)
    const top = kit.spawn(willing(note), 'top')
    top.tell(({ context }) => {
      context.spawn(willing(note), 'a').tell(({ context: inner }) => {
        inner.spawn(willing(note), 'b')
        return Behaviors.same
      })
      return Behaviors.same
    })
    await kit.settle()

    top.tell(() => Behaviors.stopped)
    await kit.settle()

    expect(notes).toEqual(['/user/top/a/b PostStop', '/user/top/a PostStop', '/user/top PostStop'])
  })

  it('never heard of a start hears nothing of an end', async () => {
    await using kit = ActorTestKit.create()
    const notes: string[] = []

    kit.spawn(
      Behaviors.setup<never>(() => {
        throw new Error('cannot start')
      }),
    )
    kit.spawn(Behaviors.stopped)
    await kit.settle()

    expect(notes).toEqual([])
    expect(kit.system.metrics.failures).toBe(1)
  })

  it('turns what waits in its mailbox and its stash into dead letters, each once', async () => {
    await using kit = ActorTestKit.create()
    const ref = kit.spawn(
      Behaviors.setup<string>((context) => {
        const stash = context.stash(10)
        return Behaviors.receive((message) => {
          if (message === 'stop') return Behaviors.stopped
          stash.stash(message)
          return Behaviors.same
        })
      }),
    )

    for (const message of ['stashed', 'stop', 'waiting 1', 'waiting 2']) ref.tell(message)
    await kit.settle()
    ref.tell('too late')

    expect(kit.deadLetters.map(({ message, reason }) => [message, reason])).toEqual([
      ['stashed', 'ActorStopped'],
      ['waiting 1', 'ActorStopped'],
      ['waiting 2', 'ActorStopped'],
      ['too late', 'ActorStopped'],
    ])
    expect(kit.deadLetters.every(({ recipient }) => recipient.equals(ref))).toBe(true)
    expect(kit.system.deadLetters.counts.get('ActorStopped')).toBe(4)
  })

  it('is told to stop before its backlog, not after it', async () => {
    await using kit = ActorTestKit.create()
    const heard: number[] = []
    const parent = kit.spawn(willing(), 'parent')
    parent.tell(({ context }) => {
      const child = context.spawn(
        Behaviors.receive<number>((message) => {
          heard.push(message)
          return Behaviors.same
        }),
      )
      for (let i = 0; i < 1_000; i++) child.tell(i)
      context.stop(child)
      return Behaviors.same
    })

    await kit.settle()

    expect(heard).toEqual([])
    expect(kit.deadLetters).toHaveLength(1_000)
  })

  it('cannot start children any more, and leaves no timer behind', async () => {
    await using kit = ActorTestKit.create()
    const codes: string[] = []
    const ref = kit.spawn(
      Behaviors.receive<'stop'>(
        () => Behaviors.stopped,
        (_, context) => {
          context.timers.startTimerWithFixedDelay('again', 'stop', 10)
          try {
            context.spawn(Behaviors.empty, 'late')
          } catch (error) {
            codes.push((error as { code: string }).code)
          }
          return Behaviors.same
        },
      ),
    )

    ref.tell('stop')
    await kit.settle()

    expect(codes).toEqual(['ACTOR_STOPPING'])
    expect(kit.clock.timers.size).toBe(0)
  })

  it('stops all the same when its PostStop throws, and the failure is logged', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<never>()
    const ref = kit.spawn(
      Behaviors.receive<'stop'>(
        () => Behaviors.stopped,
        () => {
          throw new Error('no good end')
        },
      ),
    )

    ref.tell('stop')

    await probe.expectTerminated(ref)
    expect(kit.logs.withPhrase('signal handler failed')).toHaveLength(1)
  })

  it('is not reached by refs of its successor’s name, nor the successor by old refs', async () => {
    await using kit = ActorTestKit.create()
    const heard: string[] = []
    const refs: ActorRef<string>[] = []
    const parent = kit.spawn(willing(), 'parent')
    const spawnChild: Do = ({ context }) => {
      const incarnation = refs.length
      refs.push(
        context.spawn(
          Behaviors.receive((message) => {
            heard.push(`${incarnation} ${message}`)
            return Behaviors.same
          }),
          'child',
        ),
      )
      return Behaviors.same
    }
    parent.tell(spawnChild)
    await kit.settle()
    const [first] = refs as [ActorRef<string>]
    await kit.stop(first)
    parent.tell(spawnChild)
    await kit.settle()
    const second = refs[1] as ActorRef<string>

    first.tell('old')
    second.tell('new')
    await kit.settle()

    expect(heard).toEqual(['1 new'])
    expect(first.path).toBe(second.path)
    expect(first.equals(second)).toBe(false)
    expect(kit.deadLetters.map(({ message }) => message)).toEqual(['old'])
  })
})
