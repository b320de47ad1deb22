import { type ActorRef, type Behavior, Behaviors, SupervisorStrategy } from '@troupe/actor'
import { internal } from '@troupe/actor/spi'
import { ActorTestKit } from '@troupe/testkit'
import { describe, expect, it } from 'vitest'

interface Numbered {
  readonly from: number
  readonly number: number
}

describe.each([1, 2, 3, 4, 5])(
  '100,000 messages to actors that stop, restart, stash and wait, seed %i',
  (seed) => {
    it('are each processed once or reported as lost once, and none is overtaken by its sender', async () => {
      const kit = ActorTestKit.create({ seed })
      const random = kit.system.platform.random.fork('load')
      const processed = new Map<string, number>()
      const failed: string[] = []
      const lastFrom = new Map<string, number>()
      const overtaken: string[] = []
      const refs: ActorRef<Numbered>[] = []
      let spawned = 0

      const keyOf = ({ from, number }: Numbered): string => `${from}/${number}`
      const note = (incarnation: string, message: Numbered): void => {
        const key = keyOf(message)
        processed.set(key, (processed.get(key) ?? 0) + 1)
        const lane = `${incarnation} ${message.from}`
        if ((lastFrom.get(lane) ?? -1) >= message.number)
          overtaken.push(`${lane} ${message.number}`)
        lastFrom.set(lane, message.number)
      }

      const restless = (name: string): Behavior<Numbered> =>
        Behaviors.supervise(
          Behaviors.setup<Numbered>((context) => {
            const stash = context.stash(50)
            const open: Behavior<Numbered> = Behaviors.receive((message) => {
              const dice = random.below(1_000)
              if (dice < 20) return closedAfter(message)
              if (dice < 25) {
                failed.push(keyOf(message))
                throw new Error('as planned')
              }
              note(name, message)
              if (dice < 27) return Behaviors.stopped
              if (dice < 60) return Promise.resolve(Behaviors.same)
              return Behaviors.same
            })
            const closed: Behavior<Numbered> = Behaviors.receive((message) => {
              if (stash.size < 40 && random.below(10) > 0) {
                stash.stash(message)
                return Behaviors.same
              }
              if (random.below(20) === 0) {
                failed.push(keyOf(message))
                throw new Error('as planned, with a full stash')
              }
              stash.stash(message)
              return stash.unstashAll(open)
            })
            const closedAfter = (message: Numbered): Behavior<Numbered> => {
              stash.stash(message)
              return closed
            }
            return open
          }),
        ).onFailure(SupervisorStrategy.restart({ limit: 20 }))

      const spawnOne = (index: number): void => {
        const options = index % 3 === 0 ? { mailboxCapacity: 200 } : undefined
        refs[index] = kit.spawn(restless(`actor ${++spawned}`), undefined, options)
      }
      for (let i = 0; i < 20; i++) spawnOne(i)

      const sent = 100_000
      const senders = 10
      const numbers = Array.from({ length: senders }, () => 0)
      for (let i = 0; i < sent; i++) {
        const from = random.below(senders)
        const index = random.below(20)
        ;(refs[index] as ActorRef<Numbered>).tell({ from, number: numbers[from]!++ })
        if (i % 5_000 === 0) await kit.settle()
        if (i % 1_000 === 0) {
          for (let j = 0; j < 20; j++)
            if (internal(refs[j] as ActorRef<Numbered>).isTerminated) spawnOne(j)
        }
      }
      await kit.settle()
      await kit.shutdown()

      const lost = kit.deadLetters.map(({ message }) => keyOf(message as Numbered))
      const twice = [...processed].filter(([, times]) => times !== 1).map(([key]) => key)
      const all = new Set([...processed.keys(), ...lost, ...failed])
      expect(twice).toEqual([])
      expect(overtaken).toEqual([])
      expect(processed.size + lost.length + failed.length).toBe(sent)
      expect(all.size).toBe(sent)
      // Every way out was used, or this shows less than it says.
      const reasons = new Set(kit.deadLetters.map(({ reason }) => reason))
      expect([...reasons].toSorted()).toEqual(['ActorStopped', 'MailboxFull'])
      expect(failed.length).toBeGreaterThan(100)
      expect(processed.size).toBeGreaterThan(10_000)
      expect(kit.system.metrics.restarts).toBeGreaterThan(50)
    }, 30_000)
  },
)
