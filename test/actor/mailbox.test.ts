import { type ActorRef, type Behavior, Behaviors, nodePlatform } from '@troupe/actor'
import { internal, SystemMessage } from '@troupe/actor/spi'
import { ActorTestKit } from '@troupe/testkit'
import { describe, expect, it } from 'vitest'

/** Goes to and fro between two actors: the one who has it sends it to the other. */
interface Ball {
  readonly other: ActorRef<Ball>
}

const noting = (heard: unknown[]): Behavior<unknown> =>
  Behaviors.receive((message) => {
    heard.push(message)
    return Behaviors.same
  })

describe('a mailbox', () => {
  it('keeps 100,000 messages in order', async () => {
    await using kit = ActorTestKit.create()
    const heard: unknown[] = []
    const ref = kit.spawn(noting(heard))

    for (let i = 0; i < 100_000; i++) ref.tell(i)
    await kit.settle()

    expect(heard).toHaveLength(100_000)
    expect(heard.every((each, i) => each === i)).toBe(true)
  })

  it('carries every value but undefined, which becomes a dead letter', async () => {
    await using kit = ActorTestKit.create()
    const heard: unknown[] = []
    const ref = kit.spawn(noting(heard))

    for (const message of [null, 0, '', false, undefined, Number.NaN, undefined]) ref.tell(message)
    await kit.settle()

    expect(heard).toEqual([null, 0, '', false, Number.NaN])
    expect(kit.deadLetters.map(({ reason }) => reason)).toEqual([
      'UndefinedMessage',
      'UndefinedMessage',
    ])
  })

  it('with a capacity drops the new message when it is full, and says so', async () => {
    await using kit = ActorTestKit.create()
    const heard: unknown[] = []
    const ref = kit.spawn(noting(heard), 'small', { mailboxCapacity: 3 })

    for (let i = 0; i < 5; i++) ref.tell(i)
    await kit.settle()

    expect(heard).toEqual([0, 1, 2])
    expect(kit.deadLetters.map(({ message, reason }) => [message, reason])).toEqual([
      [3, 'MailboxFull'],
      [4, 'MailboxFull'],
    ])
  })

  it('with a capacity still takes timers and ends of others when it is full', async () => {
    await using kit = ActorTestKit.create()
    const heard: string[] = []
    let go: () => void = () => {}
    const gate = new Promise<void>((resolve) => (go = resolve))
    const target = kit.spawn<never>(Behaviors.empty, 'target')
    const ref = kit.spawn(
      Behaviors.setup<string>((context) => {
        context.watch(target)
        context.timers.startSingleTimer('k', 'timer', 10)
        return Behaviors.receive(
          async (message) => {
            if (message === 'hold') await gate
            heard.push(message)
            return Behaviors.same
          },
          (signal) => {
            heard.push(signal.type)
            return Behaviors.same
          },
        )
      }),
      'small',
      { mailboxCapacity: 1 },
    )
    ref.tell('hold')
    await kit.settle()
    ref.tell('a')
    ref.tell('dropped')
    await kit.clock.advance(10)
    await kit.stop(target)

    go()
    await kit.settle()

    expect(heard).toEqual(['hold', 'a', 'timer', 'Terminated'])
    expect(kit.deadLetters.map(({ message }) => message)).toEqual(['dropped'])
  })

  it('with a capacity takes back all that was stashed', async () => {
    await using kit = ActorTestKit.create()
    const heard: string[] = []
    const ref = kit.spawn(
      Behaviors.setup<string>((context) => {
        const stash = context.stash(10)
        const open = Behaviors.receive<string>((message) => {
          heard.push(message)
          return Behaviors.same
        })
        return Behaviors.receive((message) => {
          if (message === 'open') return stash.unstashAll(open)
          stash.stash(message)
          return Behaviors.same
        })
      }),
      'small',
      { mailboxCapacity: 1 },
    )
    for (const message of ['a', 'b', 'c', 'open']) {
      ref.tell(message)
      await kit.settle()
    }

    expect(heard).toEqual(['a', 'b', 'c'])
  })

  it('lets messages of the runtime overtake those of users, also in the middle of a turn', async () => {
    await using kit = ActorTestKit.create()
    const heard: number[] = []
    const ref = kit.spawn(
      Behaviors.receive<number>((message, context) => {
        heard.push(message)
        if (message === 2) internal(context.self).tellSystem(new SystemMessage('Stop'))
        return Behaviors.same
      }),
    )

    for (let i = 0; i < 10; i++) ref.tell(i)
    await kit.settle()

    expect(heard).toEqual([0, 1, 2])
    expect(kit.deadLetters.map(({ message }) => message)).toEqual([3, 4, 5, 6, 7, 8, 9])
  })

  it('of one actor does not keep another from its turn', async () => {
    await using kit = ActorTestKit.create()
    const heard: string[] = []
    const named = (name: string): Behavior<unknown> =>
      Behaviors.receive(() => {
        heard.push(name)
        return Behaviors.same
      })
    const busy = kit.spawn(named('busy'))
    const quick = kit.spawn(named('quick'))

    for (let i = 0; i < 10_000; i++) busy.tell(i)
    quick.tell(1)
    await kit.settle()

    expect(heard.indexOf('quick')).toBe(kit.system.settings.throughput)
    expect(heard).toHaveLength(10_001)
  })
})

describe('actors that never rest', () => {
  it('leave sockets and timers of the host their chance', async () => {
    await using kit = ActorTestKit.create({ platform: nodePlatform() })
    let hops = 0
    let isOver = false
    const player = (): Behavior<Ball> =>
      Behaviors.receive(({ other }, context) => {
        hops++
        if (!isOver) other.tell({ other: context.self })
        return Behaviors.same
      })
    const a = kit.spawn(player())
    const b = kit.spawn(player())
    a.tell({ other: b })

    let passes = 0
    while (passes < 50) {
      await new Promise<void>((resolve) => void setImmediate(resolve))
      passes++
    }
    isOver = true

    expect(passes).toBe(50)
    expect(hops).toBeGreaterThan(1_000)
  })

  it('do so also when every message is a promise of its own', async () => {
    await using kit = ActorTestKit.create({ platform: nodePlatform() })
    let hops = 0
    let isOver = false
    const player = (): Behavior<Ball> =>
      Behaviors.receive(async ({ other }, context) => {
        hops++
        await Promise.resolve()
        if (!isOver) other.tell({ other: context.self })
        return Behaviors.same
      })
    const a = kit.spawn(player())
    a.tell({ other: kit.spawn(player()) })

    for (let passes = 0; passes < 20; passes++) {
      await new Promise<void>((resolve) => void setImmediate(resolve))
    }
    isOver = true

    expect(hops).toBeGreaterThan(20)
  })
})
