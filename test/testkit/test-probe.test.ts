import { type ActorRef, Behaviors, nodePlatform } from '@troupe/actor'
import { ActorTestKit, TestKitError } from '@troupe/testkit'
import { describe, expect, it } from 'vitest'

type Message =
  | { readonly type: 'Number'; readonly value: number }
  | { readonly type: 'Ref'; readonly ref: ActorRef<never> }
const number = (value: number): Message => ({ type: 'Number', value })

function fixture() {
  const kit = ActorTestKit.create({ waitMs: 20 })
  return { kit, probe: kit.createProbe<Message>(), [Symbol.asyncDispose]: () => kit.shutdown() }
}

const failureOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
  } catch (error) {
    expect(error).toBeInstanceOf(TestKitError)
    expect(error).toMatchObject({ code: 'EXPECTATION_FAILED' })
    return (error as Error).message
  }
  throw new Error('the expectation was met')
}

describe('a probe', () => {
  it('hands out messages in the order in which they came', async () => {
    await using f = fixture()
    for (let i = 0; i < 5; i++) f.probe.ref.tell(number(i))

    expect(await f.probe.expectMessage()).toEqual(number(0))
    await f.probe.expectMessage(number(1))
    expect((await f.probe.expectMessageType('Number')).value).toBe(2)
    expect(await f.probe.receiveMessages(2)).toEqual([number(3), number(4)])
    await f.probe.expectNoMessage()
  })

  it('says what it expected, what came, and what came before', async () => {
    await using f = fixture()
    f.probe.ref.tell(number(1))
    f.probe.ref.tell(number(2))
    f.probe.ref.tell(number(3))
    await f.probe.expectMessage(number(1))

    expect(await failureOf(f.probe.expectMessage(number(7)))).toBe(
      [
        "/system/probe-1 expected { type: 'Number', value: 7 }, but came { type: 'Number', value: 2 }; before it came, oldest first:",
        "  { type: 'Number', value: 1 }",
        'still waiting:',
        "  { type: 'Number', value: 3 }",
      ].join('\n'),
    )
  })

  it('uses up a message that was not the expected one', async () => {
    await using f = fixture()
    f.probe.ref.tell(number(1))
    f.probe.ref.tell(number(2))

    await failureOf(f.probe.expectMessage(number(2)))

    await f.probe.expectMessage(number(2))
  })

  it('fails when nothing comes while the clock stands still', async () => {
    await using f = fixture()

    expect(await failureOf(f.probe.expectMessage())).toBe(
      '/system/probe-1 expected a message, but none came within 20 ms while the clock stood still; nothing came before',
    )
  })

  it('fails when a message of another type comes', async () => {
    await using f = fixture()
    f.probe.ref.tell(number(1))

    expect(await failureOf(f.probe.expectMessageType('Ref'))).toContain(
      "expected a message of type 'Ref', but came { type: 'Number', value: 1 }",
    )
  })

  it('fails when it expects silence and a message comes, or has come', async () => {
    await using f = fixture()
    f.probe.ref.tell(number(1))

    expect(await failureOf(f.probe.expectNoMessage())).toContain(
      "expected no message, but came { type: 'Number', value: 1 }",
    )
  })

  it('lets manual time pass while it expects silence, if told how long', async () => {
    await using f = fixture()
    f.kit.spawn(
      Behaviors.setup<never>((context) => {
        context.scheduleOnce(100, f.probe.ref, number(1))
        return Behaviors.empty
      }),
    )

    await f.probe.expectNoMessage(99)
    expect(await failureOf(f.probe.expectNoMessage(1))).toContain('expected no message')
    expect(f.kit.clock.monotonicMs()).toBe(100)
  })

  it('takes refs for equal when they name the same incarnation, and shows them by path', async () => {
    await using f = fixture()
    const a = f.kit.spawn<never>(Behaviors.empty, 'a')
    const b = f.kit.spawn<never>(Behaviors.empty, 'b')
    f.probe.ref.tell({ type: 'Ref', ref: a })
    f.probe.ref.tell({ type: 'Ref', ref: a })

    await f.probe.expectMessage({ type: 'Ref', ref: a })
    expect(await failureOf(f.probe.expectMessage({ type: 'Ref', ref: b }))).toMatch(
      /expected \{ type: 'Ref', ref: ActorRef\(\/user\/b#\d+\) \}, but came \{ type: 'Ref', ref: ActorRef\(\/user\/a#\d+\) \}/,
    )
  })

  it('fishes until it has what it wants, and leaves out what it was told to ignore', async () => {
    await using f = fixture()
    for (let i = 0; i < 6; i++) f.probe.ref.tell(number(i))

    const caught = await f.probe.fishForMessage((message) => {
      if (message.type !== 'Number' || message.value % 2 === 0) return 'Ignore'
      return message.value === 5 ? 'Complete' : 'Continue'
    })

    expect(caught).toEqual([number(1), number(3), number(5)])
  })

  it('stops fishing when the test throws', async () => {
    await using f = fixture()
    f.probe.ref.tell(number(1))

    await expect(
      f.probe.fishForMessage(() => {
        throw new Error('a boot')
      }),
    ).rejects.toThrow('a boot')
  })

  it('counts what it got when it expects several', async () => {
    await using f = fixture()
    f.probe.ref.tell(number(1))

    expect(await failureOf(f.probe.receiveMessages(3))).toContain(
      'expected 3 messages, number 2 of them, but none came',
    )
  })

  it('waits for the end of an actor, and fails when it goes on', async () => {
    await using f = fixture()
    const mortal = f.kit.spawn(
      Behaviors.receive<'stop'>(() => Behaviors.stopped),
      'mortal',
    )

    expect(await failureOf(f.probe.expectTerminated(mortal))).toContain(
      'expected the end of /user/mortal, but it is still running',
    )
    mortal.tell('stop')
    await f.probe.expectTerminated(mortal)
    await f.probe.expectTerminated(mortal)
  })

  it('waits for real I/O, but not longer than for the message', async () => {
    await using kit = ActorTestKit.create({ platform: nodePlatform() })
    const probe = kit.createProbe<string>()
    const startedAt = performance.now()

    setTimeout(() => probe.ref.tell('late'), 5)

    await probe.expectMessage('late')
    expect(performance.now() - startedAt).toBeLessThan(1_000)
    await probe.expectNoMessage(1)
  })
})
