import { type ActorRef, Behaviors, nodePlatform } from '@troupe/actor'
import { ActorTestKit, ManualClock, MemoryDisk } from '@troupe/testkit'
import { describe, expect, it } from 'vitest'

type Ask = { readonly type: 'Ask'; readonly replyTo: ActorRef<Answer> }
type Answer = { readonly type: 'Answer'; readonly value: number } | { readonly type: 'Refused' }

const answering = Behaviors.receive<Ask>((message) => {
  message.replyTo.tell({ type: 'Answer', value: 42 })
  return Behaviors.same
})

describe('ActorTestKit', () => {
  it('runs real actors and hands their messages to a probe', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<Answer>()

    kit.spawn(answering, 'oracle').tell({ type: 'Ask', replyTo: probe.ref })

    await probe.expectMessage({ type: 'Answer', value: 42 })
    await probe.expectNoMessage()
  })

  it('passes spawn options on, and refuses a name that is taken', async () => {
    await using kit = ActorTestKit.create()
    const ref = kit.spawn<string>(Behaviors.ignore, 'small', { mailboxCapacity: 1 })
    ref.tell('a')
    ref.tell('b')

    expect(kit.deadLetters.map(({ reason }) => reason)).toEqual(['MailboxFull'])
    expect(() => kit.spawn(Behaviors.empty, 'small')).toThrow(
      expect.objectContaining({ code: 'NAME_TAKEN' }),
    )
  })

  it('moves time only when it is told to, for everything in its system', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<string>()
    kit.spawn(
      Behaviors.setup<string>((context) => {
        context.timers.startSingleTimer('k', 'ring', 60_000)
        return Behaviors.receive((message) => {
          probe.ref.tell(message)
          return Behaviors.same
        })
      }),
    )
    await probe.expectNoMessage()

    await kit.clock.advance('1m')

    await probe.expectMessage('ring')
    expect(kit.clock.wallMs()).toBe(Date.UTC(2026, 0, 1, 0, 1))
  })

  it('can share a clock and a disk with other kits', async () => {
    const clock = new ManualClock()
    const disk = new MemoryDisk()
    await using first = ActorTestKit.create({ clock, disk })
    await using second = ActorTestKit.create({ clock, disk })

    await first.system.platform.disk.replace('f', Uint8Array.of(1))
    await first.clock.advance(10)

    expect(second.clock.monotonicMs()).toBe(10)
    expect(await second.system.platform.disk.read('f')).toEqual(Uint8Array.of(1))
  })

  it('repeats chance for the same seed', async () => {
    const draws: number[] = []
    for (const seed of [1, 1, 2]) {
      await using kit = ActorTestKit.create({ seed })
      draws.push(kit.system.platform.random.next())
    }

    expect(draws[0]).toBe(draws[1])
    expect(draws[0]).not.toBe(draws[2])
  })

  it('has no clock to move when it was given a world of its own', async () => {
    await using kit = ActorTestKit.create({ platform: nodePlatform() })

    expect(() => kit.clock).toThrow(expect.objectContaining({ code: 'NOT_OF_THIS_KIT' }))
  })

  it('stops an actor anywhere in its tree, and only there', async () => {
    await using kit = ActorTestKit.create()
    await using other = ActorTestKit.create()
    const notes: string[] = []
    const children: ActorRef<never>[] = []
    kit.spawn(
      Behaviors.setup<never>((context) => {
        children.push(
          context.spawn(
            Behaviors.receiveSignal((signal) => {
              notes.push(signal.type)
              return Behaviors.same
            }),
          ),
        )
        return Behaviors.empty
      }),
    )
    await kit.settle()

    await kit.stop(children[0] as ActorRef<never>)

    expect(notes).toEqual(['PostStop'])
    await expect(kit.stop(other.spawn<never>(Behaviors.empty))).rejects.toMatchObject({
      code: 'NOT_OF_THIS_KIT',
    })
  })

  it('keeps what is logged, at every level', async () => {
    await using kit = ActorTestKit.create()
    const child = kit.logs.logger.child({ node: 'a' })

    child.trace({ n: 1 }, 'first')
    child.child({ actor: '/user/x' }).error({ n: 2 }, 'second')

    expect(kit.logs.records).toEqual([
      { level: 'trace', phrase: 'first', fields: { node: 'a', n: 1 } },
      { level: 'error', phrase: 'second', fields: { node: 'a', actor: '/user/x', n: 2 } },
    ])
    expect(kit.logs.withPhrase('second')).toHaveLength(1)
    kit.logs.clear()
    expect(kit.logs.records).toEqual([])
  })

  it('says so when its system cannot terminate', async () => {
    const kit = ActorTestKit.create({
      settings: { shutdownPhaseTimeoutMs: 1e12 },
      shutdownMs: 10,
    })
    kit.system.coordinatedShutdown.addTask('service-stop', 'hangs', () => new Promise(() => {}))

    await expect(kit.shutdown()).rejects.toMatchObject({ code: 'SHUTDOWN_TIMED_OUT' })
  })
})
