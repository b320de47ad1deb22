import { type ActorContext, type Behavior, Behaviors } from '@troupe/actor'
import { ActorTestKit } from '@troupe/testkit'
import { describe, expect, it } from 'vitest'

type Message = string | ((context: ActorContext<Message>) => unknown)

function fixture() {
  const kit = ActorTestKit.create()
  const heard: string[] = []
  const behavior: Behavior<Message> = Behaviors.receive((message, context) => {
    if (typeof message === 'function') message(context)
    else heard.push(`${kit.clock.monotonicMs()} ${message}`)
    return Behaviors.same
  })
  const ref = kit.spawn(behavior, 'timed')
  const act = async (work: (context: ActorContext<Message>) => unknown): Promise<void> => {
    ref.tell(work)
    await kit.settle()
  }
  return { kit, heard, ref, act, [Symbol.asyncDispose]: () => kit.shutdown() }
}

describe('a timer', () => {
  it('delivers once, at its time, and is active until then', async () => {
    await using f = fixture()
    const active: boolean[] = []
    await f.act(({ timers }) => {
      timers.startSingleTimer('k', 'ring', 100)
      active.push(timers.isTimerActive('k'))
    })

    await f.kit.clock.advance(99)
    expect(f.heard).toEqual([])
    await f.kit.clock.advance(1_000)
    await f.act(({ timers }) => active.push(timers.isTimerActive('k')))

    expect(f.heard).toEqual(['100 ring'])
    expect(active).toEqual([true, false])
  })

  it('replaces the one before it under the same key', async () => {
    await using f = fixture()
    await f.act(({ timers }) => timers.startSingleTimer('k', 'old', 100))
    await f.kit.clock.advance(50)
    await f.act(({ timers }) => timers.startSingleTimer('k', 'new', 100))

    await f.kit.clock.advance('1s')

    expect(f.heard).toEqual(['150 new'])
  })

  it('never delivers after it was cancelled or replaced, even when its message is already in the mailbox', async () => {
    await using kit = ActorTestKit.create()
    const heard: string[] = []
    let go: () => void = () => {}
    const gate = new Promise<void>((resolve) => (go = resolve))
    const ref = kit.spawn(
      Behaviors.setup<string>(({ timers }) => {
        timers.startSingleTimer('cancelled', 'cancelled', 10)
        timers.startSingleTimer('replaced', 'replaced', 10)
        timers.startSingleTimer('kept', 'kept', 10)
        return Behaviors.receive(async (message) => {
          if (message === 'hold') {
            await gate
            timers.cancel('cancelled')
            timers.startSingleTimer('replaced', 'replacement', 5)
          } else heard.push(message)
          return Behaviors.same
        })
      }),
    )
    ref.tell('hold')
    // All three fire while the handler waits: their messages lie in the mailbox.
    await kit.clock.advance(20)

    go()
    await kit.clock.advance(20)

    expect(heard).toEqual(['kept', 'replacement'])
  })

  it('with a fixed delay comes again and again, never twice at once', async () => {
    await using f = fixture()
    await f.act(({ timers }) => timers.startTimerWithFixedDelay('k', 'tick', 100, 10))

    await f.kit.clock.advance(350)
    await f.act(({ timers }) => timers.cancel('k'))
    await f.kit.clock.advance('1m')

    expect(f.heard).toEqual(['10 tick', '110 tick', '210 tick', '310 tick'])
  })

  it('with a fixed delay does not pile up while its actor is busy; at a fixed rate it does', async () => {
    await using kit = ActorTestKit.create()
    const heard: string[] = []
    let go: () => void = () => {}
    const gate = new Promise<void>((resolve) => (go = resolve))
    const ref = kit.spawn(
      Behaviors.setup<string>(({ timers }) => {
        timers.startTimerWithFixedDelay('delay', 'delay', 100)
        timers.startTimerAtFixedRate('rate', 'rate', 100)
        return Behaviors.receive(async (message) => {
          if (message === 'hold') await gate
          else heard.push(message)
          return Behaviors.same
        })
      }),
    )
    ref.tell('hold')
    await kit.clock.advance(550)

    go()
    await kit.settle()

    expect(heard.filter((each) => each === 'rate')).toHaveLength(5)
    expect(heard.filter((each) => each === 'delay')).toHaveLength(1)
    await kit.clock.advance(100)
    expect(heard.filter((each) => each === 'delay')).toHaveLength(2)
  })

  it('at a fixed rate comes at multiples of its interval', async () => {
    await using f = fixture()
    await f.act(({ timers }) => timers.startTimerAtFixedRate('k', 'tick', 30))

    await f.kit.clock.advance(100)

    expect(f.heard).toEqual(['30 tick', '60 tick', '90 tick'])
  })

  it('is gone after cancelAll', async () => {
    await using f = fixture()
    await f.act(({ timers }) => {
      timers.startSingleTimer('a', 'a', 10)
      timers.startTimerWithFixedDelay('b', 'b', 10)
      timers.cancelAll()
    })

    await f.kit.clock.advance('1h')

    expect(f.heard).toEqual([])
    expect(f.kit.clock.timers.size).toBe(0)
  })

  it('is gone with its actor', async () => {
    await using f = fixture()
    await f.act(({ timers }) => {
      timers.startSingleTimer('a', 'a', 10)
      timers.startTimerAtFixedRate('b', 'b', 10)
    })

    await f.kit.stop(f.ref)

    expect(f.kit.clock.timers.size).toBe(0)
    await f.kit.clock.advance('1h')
    expect(f.kit.deadLetters).toEqual([])
  })

  it.each([
    ['a negative delay', (c: ActorContext<Message>) => c.timers.startSingleTimer('k', 'x', -1)],
    ['no number', (c: ActorContext<Message>) => c.timers.startSingleTimer('k', 'x', Number.NaN)],
    ['no interval', (c: ActorContext<Message>) => c.timers.startTimerAtFixedRate('k', 'x', 0)],
    [
      'a negative initial delay',
      (c: ActorContext<Message>) => c.timers.startTimerWithFixedDelay('k', 'x', 10, -5),
    ],
  ])('refuses %s and starts nothing', async (_, start) => {
    await using f = fixture()
    const outcome: unknown[] = []
    await f.act((context) => {
      try {
        start(context)
      } catch (error) {
        outcome.push(error, context.timers.isTimerActive('k'))
      }
    })

    expect(outcome).toEqual([expect.any(RangeError), false])
    expect(f.kit.clock.timers.size).toBe(0)
  })

  it('agrees with a model over 20,000 random starts, cancels and pauses', async () => {
    await using kit = ActorTestKit.create()
    const random = kit.system.platform.random.fork('timers')
    const keys = ['a', 'b', 'c', 'd']
    /** What has to be heard yet: by key, the number of the timer and when it is due. */
    const expected = new Map<string, { readonly number: number; readonly at: number }>()
    const wrong: string[] = []
    let heard = 0
    let started = 0
    type Step = { readonly type: 'Step' } | { readonly type: 'Ring'; key: string; number: number }
    const ref = kit.spawn(
      Behaviors.receive<Step>((message, { timers }) => {
        const now = kit.clock.monotonicMs()
        if (message.type === 'Ring') {
          const due = expected.get(message.key)
          if (due?.number !== message.number || due.at > now) wrong.push(JSON.stringify(message))
          expected.delete(message.key)
          heard++
          return Behaviors.same
        }
        const key = keys[random.below(keys.length)] as string
        if (random.below(3) === 0) {
          timers.cancel(key)
          expected.delete(key)
        } else {
          const delayMs = random.below(10)
          const number = ++started
          timers.startSingleTimer(key, { type: 'Ring', key, number }, delayMs)
          expected.set(key, { number, at: now + delayMs })
        }
        return Behaviors.same
      }),
    )

    for (let i = 0; i < 2_000; i++) {
      for (let j = 0; j < 10; j++) ref.tell({ type: 'Step' })
      await kit.clock.advance(random.below(4))
    }
    await kit.clock.advance(20)

    expect(wrong).toEqual([])
    expect([...expected]).toEqual([])
    expect(heard).toBeGreaterThan(1_000)
  })
})

describe('scheduleOnce', () => {
  it('sends later, whatever becomes of the actor meanwhile', async () => {
    await using f = fixture()
    const probe = f.kit.createProbe<string>()
    await f.act((context) => context.scheduleOnce(100, probe.ref, 'later'))
    await f.kit.stop(f.ref)

    await f.kit.clock.advance(99)
    await probe.expectNoMessage()
    await f.kit.clock.advance(1)

    await probe.expectMessage('later')
  })
})
