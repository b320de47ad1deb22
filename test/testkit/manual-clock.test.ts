import { type ActorRef, type Behavior, Behaviors } from '@troupe/actor'
import { ActorTestKit, ManualClock } from '@troupe/testkit'
import { describe, expect, it } from 'vitest'

describe('a manual clock', () => {
  it('moves from timer to timer, and what one sets off is over before the next fires', async () => {
    await using kit = ActorTestKit.create()
    const seen: string[] = []
    kit.spawn(
      Behaviors.setup<string>((context) => {
        context.timers.startSingleTimer('a', 'a', 10)
        context.timers.startSingleTimer('b', 'b', 20)
        return Behaviors.receive(async (message) => {
          for (let i = 0; i < 20; i++) await Promise.resolve()
          seen.push(`${message} at ${kit.clock.monotonicMs()}`)
          if (message === 'a') context.timers.startSingleTimer('c', 'c', 5)
          return Behaviors.same
        })
      }),
    )

    await kit.clock.advance(100)

    expect(seen).toEqual(['a at 10', 'c at 15', 'b at 20'])
    expect(kit.clock.monotonicMs()).toBe(100)
  })

  it('takes calls one after the other', async () => {
    const clock = new ManualClock()

    const both = Promise.all([clock.advance('1s'), clock.advance(500)])
    await both

    expect(clock.monotonicMs()).toBe(1_500)
  })

  it('shows whole milliseconds on the wall, which may jump either way', async () => {
    const clock = new ManualClock(1_000)
    await clock.advance(0.5)
    expect(clock.wallMs()).toBe(1_000)

    clock.jumpWall(-400)

    expect(clock.wallMs()).toBe(600)
    expect(clock.monotonicMs()).toBe(0.5)
  })

  it.each(['', '5 s', 'soon', -1, Number.NaN])('refuses to advance by %j', async (by) => {
    const clock = new ManualClock()

    expect(() => clock.advance(by as number)).toThrow('expected a duration')
  })

  it('passes hours in milliseconds', async () => {
    await using kit = ActorTestKit.create()
    let ticks = 0
    kit.spawn(
      Behaviors.setup<'tick'>((context) => {
        context.timers.startTimerWithFixedDelay('k', 'tick', 60_000)
        return Behaviors.receive(() => {
          ticks++
          return Behaviors.same
        })
      }),
    )

    await kit.clock.advance('24h')

    expect(ticks).toBe(1_440)
  })

  it('gives up on actors that answer each other for ever', { timeout: 20_000 }, async () => {
    const kit = ActorTestKit.create()
    const player: Behavior<{ readonly other: ActorRef<never> }> = Behaviors.receive(
      ({ other }, context) => {
        ;(other as ActorRef<unknown>).tell({ other: context.self })
        return Behaviors.same
      },
    )
    const a = kit.spawn(player)
    a.tell({ other: kit.spawn(player) })

    await expect(kit.settle()).rejects.toMatchObject({ code: 'NEVER_SETTLES' })
  })

  it(
    'gives up on a timer without a delay that starts itself again',
    { timeout: 20_000 },
    async () => {
      const kit = ActorTestKit.create()
      kit.spawn(
        Behaviors.setup<'again'>((context) => {
          context.timers.startSingleTimer('k', 'again', 0)
          return Behaviors.receive(() => {
            context.timers.startSingleTimer('k', 'again', 0)
            return Behaviors.same
          })
        }),
      )

      await expect(kit.clock.advance(1)).rejects.toMatchObject({ code: 'NEVER_SETTLES' })
    },
  )
})
