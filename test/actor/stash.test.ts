import { type Behavior, Behaviors, type StashBuffer } from '@troupe/actor'
import { ActorTestKit } from '@troupe/testkit'
import { describe, expect, it } from 'vitest'

/** Puts everything aside until it is told to open; then reports what comes. */
const closed = (stash: StashBuffer<string>, report: (what: string) => void): Behavior<string> =>
  Behaviors.receive((message) => {
    if (message === 'open') return stash.unstashAll(open(stash, report))
    if (message === 'clear') stash.clear()
    else stash.stash(message)
    return Behaviors.same
  })

const open = (stash: StashBuffer<string>, report: (what: string) => void): Behavior<string> =>
  Behaviors.receive((message) => {
    if (message === 'close') return closed(stash, report)
    if (message === 'fail') throw new Error('failed')
    report(message)
    return Behaviors.same
  })

function fixture(capacity = 3) {
  const kit = ActorTestKit.create()
  const heard: string[] = []
  const ref = kit.spawn(
    Behaviors.setup<string>((context) =>
      closed(context.stash(capacity), (what) => void heard.push(what)),
    ),
  )
  const tell = async (...messages: string[]): Promise<void> => {
    for (const message of messages) ref.tell(message)
    await kit.settle()
  }
  return { kit, heard, ref, tell, [Symbol.asyncDispose]: () => kit.shutdown() }
}

describe('a stash', () => {
  it('gives back what was put aside, in order, before everything that came later', async () => {
    await using f = fixture()

    await f.tell('1', '2', 'open', '3')

    expect(f.heard).toEqual(['1', '2', '3'])
  })

  it('may be filled and emptied again and again', async () => {
    await using f = fixture()

    await f.tell('1', 'open', 'close', '2', '3', 'open', '4')

    expect(f.heard).toEqual(['1', '2', '3', '4'])
  })

  it('leaves the rest for the behaviors that follow when one of them closes again', async () => {
    await using f = fixture(5)

    await f.tell('1', 'close', '2', 'open')
    expect(f.heard).toEqual(['1'])
    await f.tell('open')

    expect(f.heard).toEqual(['1', '2'])
  })

  it('fails its actor when it is full; nothing of it is lost silently', async () => {
    await using f = fixture(2)

    await f.tell('1', '2', '3')

    expect(f.kit.logs.withPhrase('actor failed')[0]?.fields['err']).toMatchObject({
      code: 'STASH_OVERFLOW',
      message: expect.stringContaining('holds 2 messages'),
    })
    expect(f.kit.deadLetters.map(({ message }) => message)).toEqual(['1', '2'])
  })

  it('loses nothing but the failing message when a handler throws', async () => {
    await using f = fixture()

    await f.tell('1', 'fail', '2', 'open')

    expect(f.heard).toEqual(['1'])
    expect(f.kit.deadLetters.map(({ message }) => message)).toEqual(['2'])
  })

  it('turns what is cleared into dead letters', async () => {
    await using f = fixture()

    await f.tell('1', '2', 'clear', 'open')

    expect(f.heard).toEqual([])
    expect(f.kit.deadLetters.map(({ message, reason }) => [message, reason])).toEqual([
      ['1', 'StashCleared'],
      ['2', 'StashCleared'],
    ])
  })

  it('tells its size, and refuses a capacity that holds nothing', async () => {
    await using kit = ActorTestKit.create()
    const seen: unknown[] = []
    kit.spawn(
      Behaviors.setup<string>((context) => {
        try {
          context.stash(0)
        } catch (error) {
          seen.push((error as Error).message)
        }
        const stash = context.stash(1)
        seen.push(stash.size, stash.isEmpty, stash.isFull)
        stash.stash('x')
        seen.push(stash.size, stash.isEmpty, stash.isFull, stash.capacity)
        return Behaviors.empty
      }),
    )
    await kit.settle()

    expect(seen).toEqual([
      "a stash's capacity must be a whole number >= 1, got 0",
      0,
      true,
      false,
      1,
      false,
      true,
      1,
    ])
  })
})
