import { type ActorRef, ActorError, type Behavior, Behaviors } from '@troupe/actor'
import { ActorTestKit } from '@troupe/testkit'
import { describe, expect, it } from 'vitest'

interface Question {
  readonly type: 'Question'
  readonly value: number
  readonly replyTo: ActorRef<number>
}

const question =
  (value: number) =>
  (replyTo: ActorRef<number>): Question => ({ type: 'Question', value, replyTo })

const doubling: Behavior<Question> = Behaviors.receive(({ value, replyTo }) => {
  replyTo.tell(value * 2)
  return Behaviors.same
})

describe('an ask', () => {
  it('resolves with the reply', async () => {
    await using kit = ActorTestKit.create()
    const ref = kit.spawn(doubling)

    expect(await ref.ask(question(21), { timeoutMs: 1_000 })).toBe(42)
    expect(kit.clock.timers.size).toBe(0)
  })

  it('gives each of many at once its own reply', async () => {
    await using kit = ActorTestKit.create()
    const ref = kit.spawn(doubling)

    const replies = await Promise.all(
      Array.from({ length: 1_000 }, (_, i) => ref.ask(question(i), { timeoutMs: 1_000 })),
    )

    expect(replies).toEqual(Array.from({ length: 1_000 }, (_, i) => i * 2))
  })

  it('fails at its timeout and not before, naming target, message and time', async () => {
    await using kit = ActorTestKit.create()
    const silent = kit.spawn<Question>(Behaviors.ignore, 'silent')
    let outcome: unknown = 'open'
    silent.ask(question(1), { timeoutMs: 500 }).catch((error: unknown) => (outcome = error))

    await kit.clock.advance(499)
    expect(outcome).toBe('open')
    await kit.clock.advance(1)

    expect(outcome).toBeInstanceOf(ActorError)
    expect(outcome).toMatchObject({
      code: 'ASK_TIMED_OUT',
      message: '/user/silent did not answer Question within 500 ms',
    })
    expect(kit.system.metrics.asksTimedOut).toBe(1)
  })

  it('says so when the target stopped meanwhile', async () => {
    await using kit = ActorTestKit.create()
    const quitter = kit.spawn(
      Behaviors.receive<Question>(() => Behaviors.stopped),
      'quitter',
    )
    const outcome = quitter
      .ask(question(1), { timeoutMs: 500 })
      .catch((error: Error) => error.message)

    await kit.clock.advance(500)

    expect(await outcome).toContain('it has stopped meanwhile')
  })

  it('takes the first reply; later ones, and those after the timeout, are dead letters', async () => {
    await using kit = ActorTestKit.create()
    const late: ActorRef<number>[] = []
    const ref = kit.spawn(
      Behaviors.receive<Question>(({ value, replyTo }) => {
        if (value === 0) late.push(replyTo)
        else {
          replyTo.tell(1)
          replyTo.tell(2)
        }
        return Behaviors.same
      }),
    )

    expect(await ref.ask(question(1), { timeoutMs: 100 })).toBe(1)
    const timedOut = ref
      .ask(question(0), { timeoutMs: 100 })
      .catch((error: ActorError) => error.code)
    await kit.clock.advance(100)
    late[0]?.tell(3)

    expect(await timedOut).toBe('ASK_TIMED_OUT')
    expect(kit.deadLetters.map(({ message, reason }) => [message, reason])).toEqual([
      [2, 'LateReply'],
      [3, 'LateReply'],
    ])
  })

  it('fails at once when the target is known to have stopped', async () => {
    await using kit = ActorTestKit.create()
    const ref = kit.spawn(doubling)
    await kit.stop(ref)

    await expect(ref.ask(question(1), { timeoutMs: 1_000 })).rejects.toMatchObject({
      code: 'TARGET_TERMINATED',
    })
    expect(kit.clock.timers.size).toBe(0)
  })

  it.each([0, -1, Number.NaN])('refuses a timeout of %s', async (timeoutMs) => {
    await using kit = ActorTestKit.create()
    const ref = kit.spawn(doubling)

    await expect(ref.ask(question(1), { timeoutMs })).rejects.toThrow('timeoutMs must be > 0')
  })

  it('settles exactly once when reply and timeout race, 10,000 times', async () => {
    await using kit = ActorTestKit.create()
    const random = kit.system.platform.random.fork('race')
    const ref = kit.spawn(
      Behaviors.receive<Question>(({ replyTo }, context) => {
        context.scheduleOnce(random.below(20), replyTo, 1)
        return Behaviors.same
      }),
    )
    let settled = 0
    let replies = 0
    const asks = 10_000
    for (let i = 0; i < asks; i++) {
      void ref.ask(question(i), { timeoutMs: 10 }).then(
        () => void (settled++, replies++),
        () => void settled++,
      )
    }

    await kit.clock.advance(100)

    expect(settled).toBe(asks)
    expect(replies).toBeGreaterThan(1_000)
    expect(replies).toBeLessThan(asks - 1_000)
    expect(replies + kit.system.metrics.asksTimedOut).toBe(asks)
    expect(kit.deadLetters).toHaveLength(kit.system.metrics.asksTimedOut)
  })
})

describe('context.ask', () => {
  type Message = Question['type'] | { readonly type: 'Reply'; readonly value: number } | Failed
  interface Failed {
    readonly type: 'Failed'
    readonly error: unknown
  }

  const asker = (target: ActorRef<Question>, report: ActorRef<unknown>): Behavior<Message> =>
    Behaviors.receive<Message>((message, context) => {
      if (message === 'Question') {
        context.ask(
          target,
          question(4),
          { timeoutMs: 100 },
          (value: number) => ({ type: 'Reply', value }) as const,
          (error) => ({ type: 'Failed', error }) as const,
        )
      } else report.tell(message)
      return Behaviors.same
    })

  it('turns the reply into a message of ours', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<unknown>()

    kit.spawn(asker(kit.spawn(doubling), probe.ref)).tell('Question')

    await probe.expectMessage({ type: 'Reply', value: 8 })
  })

  it('turns the timeout into a message of ours', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<unknown>()
    kit.spawn(asker(kit.spawn<Question>(Behaviors.ignore), probe.ref)).tell('Question')

    await kit.clock.advance(100)

    expect(await probe.expectMessage()).toMatchObject({
      type: 'Failed',
      error: { code: 'ASK_TIMED_OUT' },
    })
  })

  it('may be used many times at once', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<unknown>()
    const ref = kit.spawn(asker(kit.spawn(doubling), probe.ref))

    for (let i = 0; i < 100; i++) ref.tell('Question')

    expect(await probe.receiveMessages(100)).toEqual(
      Array.from({ length: 100 }, () => ({ type: 'Reply', value: 8 })),
    )
  })
})
