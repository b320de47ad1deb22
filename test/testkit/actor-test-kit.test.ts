import { type ActorRef, Behaviors } from '@troupe/actor'
import { ActorTestKit } from '@troupe/testkit'
import { describe, it } from 'vitest'

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
})
