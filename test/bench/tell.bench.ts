import { type ActorRef, ActorSystem, type Behavior, Behaviors } from '@troupe/actor'
import type { BenchCase, Suite } from './harness/bench-case.ts'
import { nsPer, verify } from './harness/measure.ts'
import { silence } from './harness/silence.ts'
import { Trampoline } from './harness/trampoline.ts'

/** How messages travel: shapes that stress different parts of the way. */
export const suite: Suite = ({ quick }) => {
  const scale = quick ? 0.05 : 1
  const count = (full: number): number => Math.round(full * scale)
  return [
    oneToOne(count(2_000_000)),
    pingPong(count(1_000_000)),
    ring(1_000, 1, count(1_000_000)),
    ring(1_000, 1_000, count(2_000_000)),
    fanIn(1_000, count(2_000)),
  ]
}

type Tick = { readonly type: 'Tick'; readonly value: number }
const tick: Tick = { type: 'Tick', value: 1 }

/** One actor tells another in batches of a thousand; the next batch when this one is done. */
function oneToOne(messages: number): BenchCase {
  const batch = 1_000
  const batches = messages / batch
  return {
    name: '1to1',
    unit: 'ns/message',
    ours: () =>
      inSystem(async (start) => {
        let received = 0
        const done = await rounds(batches, (next) => {
          const sink = start<Tick>(
            Behaviors.receive((message) => {
              received += message.value
              if (received % batch === 0) next()
              return Behaviors.same
            }),
          )
          return () => {
            for (let i = 0; i < batch; i++) sink.tell(tick)
          }
        })(messages)
        verify('messages received', received, messages)
        return done
      }),
    raw: async () => {
      let received = 0
      const trampoline = new Trampoline()
      const ns = await rounds(batches, (next) => {
        const sink = (message: Tick): void => {
          received += message.value
          if (received % batch === 0) next()
        }
        return () => {
          for (let i = 0; i < batch; i++) trampoline.send(sink, tick)
        }
      })(messages)
      verify('messages received', received, messages)
      return ns
    },
  }
}

type Ball = { readonly type: 'Ball'; readonly left: number }

/** Two actors hand one ball to and fro, a fresh object each time. */
function pingPong(hops: number): BenchCase {
  return {
    name: 'ping-pong',
    unit: 'ns/message',
    ours: () =>
      inSystem((start) =>
        nsPer(hops, () => {
          let seen = 0
          return new Promise<void>((resolve) => {
            const player = (): Behavior<
              Ball | { readonly type: 'Meet'; other: ActorRef<Ball> }
            > => {
              let other: ActorRef<Ball> | undefined
              return Behaviors.receive((message) => {
                if (message.type === 'Meet') other = message.other
                else {
                  seen++
                  if (message.left > 1) other?.tell({ type: 'Ball', left: message.left - 1 })
                  else resolve()
                }
                return Behaviors.same
              })
            }
            const a = start(player())
            const b = start(player())
            a.tell({ type: 'Meet', other: b })
            b.tell({ type: 'Meet', other: a })
            a.tell({ type: 'Ball', left: hops })
          }).then(() => verify('hops', seen, hops))
        }),
      ),
    raw: () =>
      nsPer(hops, () => {
        let seen = 0
        const trampoline = new Trampoline()
        return new Promise<void>((resolve) => {
          const a = (ball: Ball): void => hit(ball, b)
          const b = (ball: Ball): void => hit(ball, a)
          const hit = (ball: Ball, other: (ball: Ball) => void): void => {
            seen++
            if (ball.left > 1) trampoline.send(other, { type: 'Ball', left: ball.left - 1 })
            else resolve()
          }
          trampoline.send(a, { type: 'Ball', left: hops })
        }).then(() => verify('hops', seen, hops))
      }),
  }
}

/** `tokens` go round a ring of `size` actors. */
function ring(size: number, tokens: number, hops: number): BenchCase {
  const hopsEach = Math.round(hops / tokens)
  return {
    name: `ring-${size}${tokens === 1 ? '' : `, ${tokens} tokens`}`,
    unit: 'ns/message',
    ours: () =>
      inSystem((start) => {
        let seen = 0
        let finished = 0
        let finish: () => void = () => {}
        const refs: ActorRef<Ball>[] = []
        for (let i = 0; i < size; i++) {
          refs.push(
            start(
              Behaviors.receive((ball: Ball) => {
                seen++
                if (ball.left > 1) refs[(i + 1) % size]?.tell({ type: 'Ball', left: ball.left - 1 })
                else if (++finished === tokens) finish()
                return Behaviors.same
              }),
            ),
          )
        }
        return nsPer(hopsEach * tokens, () =>
          new Promise<void>((resolve) => {
            finish = resolve
            for (let i = 0; i < tokens; i++) refs[i % size]?.tell({ type: 'Ball', left: hopsEach })
          }).then(() => verify('hops', seen, hopsEach * tokens)),
        )
      }),
    raw: () => {
      let seen = 0
      let finished = 0
      let finish: () => void = () => {}
      const trampoline = new Trampoline()
      const nodes: ((ball: Ball) => void)[] = []
      for (let i = 0; i < size; i++) {
        nodes.push((ball) => {
          seen++
          const next = nodes[(i + 1) % size]
          if (ball.left > 1 && next) trampoline.send(next, { type: 'Ball', left: ball.left - 1 })
          else if (++finished === tokens) finish()
        })
      }
      return nsPer(hopsEach * tokens, () =>
        new Promise<void>((resolve) => {
          finish = resolve
          for (let i = 0; i < tokens; i++) {
            trampoline.send(nodes[i % size] as (ball: Ball) => void, {
              type: 'Ball',
              left: hopsEach,
            })
          }
        }).then(() => verify('hops', seen, hopsEach * tokens)),
      )
    },
  }
}

/** `senders` actors, each told `each` times to tell one and the same. */
function fanIn(senders: number, each: number): BenchCase {
  const total = senders * each
  return {
    name: `fan-in, ${senders} to 1`,
    unit: 'ns/message',
    ours: () =>
      inSystem((start) => {
        let received = 0
        let finish: () => void = () => {}
        const sink = start<Tick>(
          Behaviors.receive((message) => {
            received += message.value
            if (received === total) finish()
            return Behaviors.same
          }),
        )
        // A sender goes on by telling itself, as actors with more to do than fits in a turn do.
        const refs = Array.from({ length: senders }, () => {
          const self: ActorRef<Ball> = start(
            Behaviors.receive((ball: Ball) => {
              sink.tell({ type: 'Tick', value: 1 })
              if (ball.left > 1) self.tell({ type: 'Ball', left: ball.left - 1 })
              return Behaviors.same
            }),
          )
          return self
        })
        return nsPer(total * 2, () =>
          new Promise<void>((resolve) => {
            finish = resolve
            for (const ref of refs) ref.tell({ type: 'Ball', left: each })
          }).then(() => verify('messages received', received, total)),
        )
      }),
    raw: () => {
      let received = 0
      let finish: () => void = () => {}
      const trampoline = new Trampoline()
      const sink = (message: Tick): void => {
        received += message.value
        if (received === total) finish()
      }
      const nodes = Array.from({ length: senders }, () => {
        const self = (ball: Ball): void => {
          trampoline.send(sink, { type: 'Tick', value: 1 })
          if (ball.left > 1) trampoline.send(self, { type: 'Ball', left: ball.left - 1 })
        }
        return self
      })
      return nsPer(total * 2, () =>
        new Promise<void>((resolve) => {
          finish = resolve
          for (const node of nodes) trampoline.send(node, { type: 'Ball', left: each })
        }).then(() => verify('messages received', received, total)),
      )
    },
  }
}

/** Runs `work` with a way to start actors, in a system of its own that is gone afterwards. */
async function inSystem(
  work: (start: <M>(behavior: Behavior<M>) => ActorRef<M>) => Promise<number>,
): Promise<number> {
  const system = ActorSystem.create<never>(Behaviors.empty, 'bench', { logger: silence })
  let started = 0
  try {
    return await work((behavior) => system.systemActorOf(behavior, `a${++started}`))
  } finally {
    await system.terminate()
  }
}

/** Times `count` batches, each begun when the one before it is done. */
function rounds(
  count: number,
  prepare: (next: () => void) => () => void,
): (operations: number) => Promise<number> {
  return (operations) => {
    let left = count
    let finish: () => void = () => {}
    const send = prepare(() => {
      if (--left > 0) send()
      else finish()
    })
    return nsPer(
      operations,
      () =>
        new Promise<void>((resolve) => {
          finish = resolve
          send()
        }),
    )
  }
}
