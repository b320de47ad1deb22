import { type ActorRef, Behaviors } from '@troupe/actor'
import type { BenchCase, Suite } from './harness/bench-case.ts'
import { BenchSystem } from './harness/bench-system.ts'
import { nsPer, verify } from './harness/measure.ts'
import { type Nact, peer } from './harness/peers.ts'
import { Trampoline } from './harness/trampoline.ts'

/** Questions and answers: each ask brings its own address and its own timeout. */
export const suite: Suite = ({ quick, peersFolder }) => {
  const asks = quick ? 10_000 : 200_000
  return [asking('sequential', asks, 1, peersFolder), asking('concurrent', asks, 500, peersFolder)]
}

interface Question {
  readonly type: 'Question'
  readonly value: number
  readonly replyTo: ActorRef<number>
}

/**
 * `inFlight` questions at a time. The floor is a promise whose function travels over a trampoline: it
 * has no address anyone else could answer to, no timeout, and no actor behind it.
 */
function asking(
  name: string,
  asks: number,
  inFlight: number,
  peersFolder: string | undefined,
): BenchCase {
  const bench = new BenchSystem()
  const trampoline = new Trampoline()
  let oracle: ActorRef<Question>
  const answer = (question: {
    readonly value: number
    readonly reply: (n: number) => void
  }): void => question.reply(question.value + 1)
  const round = async (ask: (value: number) => Promise<number>): Promise<number> => {
    let sum = 0
    const ns = await nsPer(asks, async () => {
      if (inFlight === 1) {
        for (let i = 0; i < asks; i++) sum += await ask(i)
        return
      }
      for (let i = 0; i < asks; i += inFlight) {
        const batch: Promise<number>[] = []
        for (let j = i; j < i + inFlight; j++) batch.push(ask(j))
        for (const reply of await Promise.all(batch)) sum += reply
      }
    })
    verify('sum of the replies', sum, (asks * (asks + 1)) / 2)
    return ns
  }
  return {
    name,
    unit: 'ns/ask',
    open: () => {
      bench.open()
      oracle = bench.start<Question>(
        Behaviors.receive(({ value, replyTo }) => {
          replyTo.tell(value + 1)
          return Behaviors.same
        }),
      )
    },
    ours: () =>
      round((value) =>
        oracle.ask<number>((replyTo) => ({ type: 'Question', value, replyTo }), TIMEOUT),
      ),
    raw: () => round((value) => new Promise((reply) => trampoline.send(answer, { value, reply }))),
    peers: [
      {
        name: 'nact',
        load: () => {
          const nact = peer<Nact>('nact', peersFolder)
          if (nact === undefined) return undefined
          const actor = nact.spawnStateless<{ readonly value: number; readonly replyTo: object }>(
            nact.start(),
            ({ value, replyTo }) => nact.dispatch(replyTo, value + 1),
            'oracle',
          )
          return () =>
            round((value) =>
              nact.query<number>(actor, (replyTo) => ({ value, replyTo }), TIMEOUT.timeoutMs),
            )
        },
      },
    ],
    close: () => bench.close(),
  }
}

const TIMEOUT = { timeoutMs: 5_000 }
