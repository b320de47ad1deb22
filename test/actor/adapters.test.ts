import { type ActorRef, type Behavior, Behaviors, SupervisorStrategy } from '@troupe/actor'
import { ActorTestKit } from '@troupe/testkit'
import { describe, expect, it } from 'vitest'

type Message = { readonly type: 'Text'; readonly text: string } | { readonly type: 'Start' }
const text = (value: string): Message => ({ type: 'Text', text: value })

/** Hands what `prepare` makes of the context to the test, and reports texts. */
const reporting = (
  report: ActorRef<string>,
  prepare: (context: import('@troupe/actor').ActorContext<Message>) => void,
): Behavior<Message> =>
  Behaviors.setup((context) => {
    prepare(context)
    return Behaviors.receive(
      (message) => {
        if (message.type === 'Text') report.tell(message.text)
        return Behaviors.same
      },
      (signal) => {
        if (signal.type !== 'MessageAdaptionFailure') return Behaviors.unhandled
        report.tell(`cannot adapt: ${String(signal.cause)}`)
        return Behaviors.same
      },
    )
  })

describe('a message adapter', () => {
  it('turns foreign messages into ours, in our own turn and in order with our own messages', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<string>()
    let adapter: ActorRef<number> | undefined
    const ref = kit.spawn(
      reporting(probe.ref, (context) => {
        adapter = context.messageAdapter<number>((value) => text(`number ${value}`))
      }),
    )
    await kit.settle()

    ref.tell(text('first'))
    adapter?.tell(2)
    ref.tell(text('third'))

    expect(await probe.receiveMessages(3)).toEqual(['first', 'number 2', 'third'])
  })

  it('that throws is heard of, and the actor goes on', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<string>()
    let adapter: ActorRef<number> | undefined
    const ref = kit.spawn(
      reporting(probe.ref, (context) => {
        adapter = context.messageAdapter<number>(() => {
          throw new Error('no number')
        })
      }),
    )
    await kit.settle()

    adapter?.tell(1)
    ref.tell(text('still here'))

    expect(await probe.receiveMessages(2)).toEqual(['cannot adapt: Error: no number', 'still here'])
  })

  it('that throws is a failure, and supervised, when nobody handles the signal', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<string>()
    let starts = 0
    let adapter: ActorRef<number> | undefined
    kit.spawn(
      Behaviors.supervise(
        Behaviors.setup<Message>((context) => {
          probe.ref.tell(`start ${++starts}`)
          adapter ??= context.messageAdapter<number>(() => {
            throw new Error('no number')
          })
          return Behaviors.empty
        }),
      ).onFailure(SupervisorStrategy.restart()),
    )
    await kit.settle()

    adapter?.tell(1)

    expect(await probe.receiveMessages(2)).toEqual(['start 1', 'start 2'])
  })

  it('that makes nothing of a message leaves a dead letter', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<string>()
    let adapter: ActorRef<number> | undefined
    kit.spawn(
      reporting(probe.ref, (context) => {
        adapter = context.messageAdapter<number>(() => undefined as unknown as Message)
      }),
    )
    await kit.settle()

    adapter?.tell(5)
    await kit.settle()

    expect(kit.deadLetters.map(({ message, reason }) => [message, reason])).toEqual([
      [5, 'AdaptedToNothing'],
    ])
  })
})

describe('pipeToSelf', () => {
  it('brings the value, or the error, of a promise as a message', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<string>()

    kit.spawn(
      reporting(probe.ref, (context) => {
        context.pipeToSelf(
          Promise.resolve(7),
          (value) => text(`value ${value}`),
          () => text('no'),
        )
        context.pipeToSelf(
          Promise.reject(new Error('lost')),
          () => text('no'),
          (error) => text(String(error)),
        )
      }),
    )

    expect(await probe.receiveMessages(2)).toEqual(['value 7', 'Error: lost'])
  })

  it('becomes a dead letter when the actor has stopped meanwhile', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<string>()
    let resolve: (value: number) => void = () => {}
    const ref = kit.spawn(
      reporting(probe.ref, (context) =>
        context.pipeToSelf(
          new Promise<number>((done) => (resolve = done)),
          () => text('value'),
          () => text('error'),
        ),
      ),
    )
    await kit.stop(ref)

    resolve(7)
    await kit.settle()

    expect(kit.deadLetters.map(({ message, reason }) => [message, reason])).toEqual([
      [7, 'ActorStopped'],
    ])
  })

  it('waits its turn behind the messages that were there before', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<string>()
    const ref = kit.spawn(
      reporting(probe.ref, (context) =>
        context.pipeToSelf(
          Promise.resolve(),
          () => text('piped'),
          () => text('error'),
        ),
      ),
    )

    ref.tell(text('told'))

    expect(await probe.receiveMessages(2)).toEqual(['told', 'piped'])
  })
})
