import { type ActorContext, type ActorRef, type Behavior, Behaviors } from '@troupe/actor'
import { type TestProbe } from '@troupe/testkit'
import { describe, expectTypeOf, it } from 'vitest'

type Public = {
  readonly type: 'Deposit'
  readonly amount: number
  readonly replyTo: ActorRef<Balance>
}
type Private = { readonly type: 'Timeout' }
type Balance = { readonly type: 'Balance'; readonly value: number }

// Nothing runs here: the compiler is the test.
describe('the types', () => {
  it('let a behavior that understands more stand in for one that understands fewer, not the reverse', () => {
    expectTypeOf<Behavior<Public | Private>>().toExtend<Behavior<Public>>()
    expectTypeOf<Behavior<Public>>().not.toExtend<Behavior<Public | Private>>()
  })

  it('let a ref that accepts more be used where less is sent, not the reverse', () => {
    expectTypeOf<ActorRef<Public | Private>>().toExtend<ActorRef<Public>>()
    expectTypeOf<ActorRef<Public>>().not.toExtend<ActorRef<Public | Private>>()
    expectTypeOf<ActorRef<Public>>().toExtend<ActorRef<never>>()
  })

  it('let a setup with private messages fit its public protocol without a cast', () => {
    const account = (): Behavior<Public> =>
      Behaviors.setup<Public | Private>((context) => {
        context.timers.startSingleTimer('t', { type: 'Timeout' }, 1_000)
        return Behaviors.receive((message) => {
          switch (message.type) {
            case 'Deposit':
              message.replyTo.tell({ type: 'Balance', value: message.amount })
              return Behaviors.same
            case 'Timeout':
              return Behaviors.stopped
            default:
              return message satisfies never
          }
        })
      })
    expectTypeOf(account).returns.toEqualTypeOf<Behavior<Public>>()
  })

  it('fit same, unhandled, stopped, empty and ignore to every protocol', () => {
    for (const each of ['same', 'unhandled', 'stopped', 'empty', 'ignore'] as const) {
      expectTypeOf(Behaviors[each]).toExtend<Behavior<Public>>()
      expectTypeOf(Behaviors[each]).toExtend<Behavior<never>>()
    }
  })

  it('infer what an ask resolves with', () => {
    const ask = (ref: ActorRef<Public>) =>
      ref.ask((replyTo: ActorRef<Balance>) => ({ type: 'Deposit', amount: 1, replyTo }), {
        timeoutMs: 1,
      })
    expectTypeOf(ask).returns.toEqualTypeOf<Promise<Balance>>()

    const explicit = (ref: ActorRef<Public>) =>
      ref.ask<Balance>((replyTo) => ({ type: 'Deposit', amount: 1, replyTo }), { timeoutMs: 1 })
    expectTypeOf(explicit).returns.toEqualTypeOf<Promise<Balance>>()
  })

  it('refuse what the receiver would not understand', () => {
    const misuse = (ref: ActorRef<Public>, context: ActorContext<Private>) => {
      // @ts-expect-error: a private message
      ref.tell({ type: 'Timeout' })
      // @ts-expect-error: a misspelt field
      ref.tell({ type: 'Deposit', amout: 1, replyTo: context.self })
      // @ts-expect-error: timers send messages of our own protocol
      context.timers.startSingleTimer('k', { type: 'Balance', value: 1 }, 1)
      // @ts-expect-error: an ask has no default timeout
      void ref.ask<Balance>((replyTo) => ({ type: 'Deposit', amount: 1, replyTo }))
    }
    expectTypeOf(misuse).toBeFunction()
  })

  it('refuse a handler that forgets a message, or to return', () => {
    const forgets = (message: Public | Private): Behavior<Public | Private> => {
      if (message.type === 'Deposit') return Behaviors.same
      // @ts-expect-error: Timeout is not handled
      message satisfies never
      return Behaviors.same
    }
    // @ts-expect-error: returns nothing
    const silent = () => Behaviors.receive<Private>(() => {})
    expectTypeOf(forgets).toBeFunction()
    expectTypeOf(silent).toBeFunction()
  })

  it('narrow what a probe expects by its type', () => {
    const narrowed = (probe: TestProbe<Balance | { readonly type: 'Refused' }>) =>
      probe.expectMessageType('Balance')
    expectTypeOf(narrowed).returns.toEqualTypeOf<Promise<Balance>>()
  })
})
