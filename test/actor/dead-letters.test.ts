import {
  type ActorRef,
  Behaviors,
  DeadLetterEvents,
  type DeadLetter,
  eventKind,
} from '@troupe/actor'
import { ActorTestKit } from '@troupe/testkit'
import { describe, expect, it } from 'vitest'

describe('dead letters', () => {
  it('are published, and counted by their reason', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<DeadLetter>()
    kit.system.eventStream.subscribe(DeadLetterEvents, probe.ref)
    const ref = kit.spawn<string>(Behaviors.stopped)
    await kit.settle()

    ref.tell('a')
    ref.tell('b')
    kit.system.deadLetters.drop('c', ref, 'NoSuchActor')

    await probe.expectMessage({
      type: 'DeadLetter',
      message: 'a',
      recipient: ref,
      reason: 'ActorStopped',
    })
    expect(await probe.receiveMessages(2)).toMatchObject([{ message: 'b' }, { message: 'c' }])
    expect(Object.fromEntries(kit.system.deadLetters.counts)).toEqual({
      ActorStopped: 2,
      NoSuchActor: 1,
    })
    expect(kit.system.deadLetters.total).toBe(3)
    expect(kit.system.metrics.deadLetters).toBe(kit.system.deadLetters.counts)
  })

  it('are logged ten at a time, then not for five minutes, without what they say', async () => {
    await using kit = ActorTestKit.create()
    const ref = kit.spawn<{ type: 'Secret'; password: string }>(Behaviors.stopped, 'gone')
    await kit.settle()
    const burst = (count: number): void => {
      for (let i = 0; i < count; i++) ref.tell({ type: 'Secret', password: 'x' })
    }

    burst(25)
    const logged = kit.logs.withPhrase('dead letter')
    expect(logged).toHaveLength(10)
    expect(logged[0]?.fields).toEqual({
      recipient: '/user/gone',
      messageType: 'Secret',
      reason: 'ActorStopped',
    })
    expect(logged.at(-1)?.fields['quietMs']).toBe(300_000)

    await kit.clock.advance('299s')
    burst(1)
    expect(kit.logs.withPhrase('dead letter')).toHaveLength(10)
    await kit.clock.advance('1s')
    burst(1)
    expect(kit.logs.withPhrase('dead letter')).toHaveLength(11)
    expect(kit.system.deadLetters.total).toBe(27)
  })
})

describe('the event stream', () => {
  const Door = eventKind<string>('door')

  it('sends every event to each subscriber once, until it unsubscribes', async () => {
    await using kit = ActorTestKit.create()
    const probe = kit.createProbe<string>()
    const { eventStream } = kit.system
    eventStream.subscribe(Door, probe.ref)
    eventStream.subscribe(Door, probe.ref)

    eventStream.publish(Door, 'opened')
    await probe.expectMessage('opened')
    eventStream.unsubscribe(Door, probe.ref)
    eventStream.publish(Door, 'closed')

    await probe.expectNoMessage()
  })

  it('forgets subscribers that have stopped, without dead letters', async () => {
    await using kit = ActorTestKit.create()
    const ref: ActorRef<string> = kit.spawn(Behaviors.ignore)
    kit.system.eventStream.subscribe(Door, ref)
    await kit.stop(ref)

    kit.system.eventStream.publish(Door, 'opened')

    expect(kit.deadLetters).toEqual([])
  })
})
