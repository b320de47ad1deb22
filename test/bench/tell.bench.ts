import { type ActorRef, type Behavior, Behaviors } from '@troupe/actor'
import type { BenchCase, Suite } from './harness/bench-case.ts'
import { BenchSystem } from './harness/bench-system.ts'
import { nsPer, verify } from './harness/measure.ts'
import { type Nact, peer, type XState } from './harness/peers.ts'
import { Trampoline } from './harness/trampoline.ts'

/** How messages travel: shapes that stress different parts of the way. */
export const suite: Suite = ({ quick, peersFolder }) => {
  const count = (full: number): number => (quick ? full / 20 : full)
  return [
    oneToOne(count(2_000_000), peersFolder),
    pingPong(count(1_000_000), peersFolder),
    ring(1_000, 1, count(1_000_000)),
    ring(1_000, 1_000, count(2_000_000)),
    fanIn(1_000, count(1_000)),
  ]
}

type Tick = { readonly type: 'Tick'; readonly value: number }
type Ball = { readonly type: 'Ball'; readonly left: number }
const tick: Tick = { type: 'Tick', value: 1 }

/** One actor is told in batches of a thousand; the next batch when this one is done. */
function oneToOne(messages: number, peersFolder: string | undefined): BenchCase {
  const batch = 1_000
  const bench = new BenchSystem()
  const trampoline = new Trampoline()
  let sink: ActorRef<Tick>
  let received = 0
  let nextBatch: () => void = nothing
  const receive = (message: Tick): void => {
    received += message.value
    if (received % batch === 0) nextBatch()
  }
  const round = async (sendBatch: () => void): Promise<number> => {
    received = 0
    const ns = await nsPer(messages, () =>
      until((done) => {
        nextBatch = () => (received < messages ? sendBatch() : done())
        sendBatch()
      }),
    )
    verify('messages received', received, messages)
    return ns
  }
  return {
    name: '1to1',
    unit: 'ns/message',
    open: () => {
      bench.open()
      sink = bench.start<Tick>(
        Behaviors.receive((message) => {
          receive(message)
          return Behaviors.same
        }),
      )
    },
    ours: () =>
      round(() => {
        for (let i = 0; i < batch; i++) sink.tell(tick)
      }),
    raw: () =>
      round(() => {
        for (let i = 0; i < batch; i++) trampoline.send(receive, tick)
      }),
    peers: [
      {
        name: 'nact',
        load: () => {
          const nact = peer<Nact>('nact', peersFolder)
          if (nact === undefined) return undefined
          const actor = nact.spawnStateless(nact.start(), receive, 'sink')
          return () =>
            round(() => {
              for (let i = 0; i < batch; i++) nact.dispatch(actor, tick)
            })
        },
      },
      {
        name: 'xstate',
        load: () => {
          const xstate = peer<XState>('xstate', peersFolder)
          if (xstate === undefined) return undefined
          const logic = xstate.fromTransition((state: { readonly sum: number }, event: Tick) => {
            receive(event)
            return { sum: state.sum + event.value }
          }, START)
          const actor = xstate.createActor(logic).start()
          return () =>
            round(() => {
              // Its actors handle an event while it is sent: the next batch must not begin inside of the last.
              void Promise.resolve().then(() => {
                for (let i = 0; i < batch; i++) actor.send(tick)
              })
            })
        },
      },
    ],
    close: () => bench.close(),
  }
}

/** Two actors hand one ball to and fro, a fresh object each time. */
function pingPong(hops: number, peersFolder: string | undefined): BenchCase {
  return {
    ...ballGame('ping-pong', 2, 1, hops),
    peers: [
      {
        name: 'nact',
        load: () => {
          const nact = peer<Nact>('nact', peersFolder)
          if (nact === undefined) return undefined
          const system = nact.start()
          let seen = 0
          let done: () => void = nothing
          const players: object[] = []
          const player = (other: number) => (ball: Ball) => {
            seen++
            const to = players[other]
            if (ball.left > 1 && to) nact.dispatch(to, { type: 'Ball', left: ball.left - 1 })
            else done()
          }
          players.push(nact.spawnStateless(system, player(1), 'ping'))
          players.push(nact.spawnStateless(system, player(0), 'pong'))
          // A tenth: it takes ten times as long.
          const fewer = Math.ceil(hops / 10)
          return async () => {
            seen = 0
            const ns = await nsPer(fewer, () =>
              until((resolve) => {
                done = resolve
                nact.dispatch(players[0] as object, { type: 'Ball', left: fewer })
              }),
            )
            verify('hops', seen, fewer)
            return ns
          }
        },
      },
    ],
  }
}

/** `tokens` go round a ring of `size` actors. */
function ring(size: number, tokens: number, hops: number): BenchCase {
  return ballGame(`ring-${size}${tokens === 1 ? '' : `, ${tokens} tokens`}`, size, tokens, hops)
}

function ballGame(name: string, size: number, tokens: number, hops: number): BenchCase {
  const hopsEach = Math.round(hops / tokens)
  const bench = new BenchSystem()
  const trampoline = new Trampoline()
  const refs: ActorRef<Ball>[] = []
  const functions: ((ball: Ball) => void)[] = []
  let seen = 0
  let landed = 0
  let done: () => void = nothing
  const land = (): void => {
    if (++landed === tokens) done()
  }
  const player = (next: number): Behavior<Ball> =>
    Behaviors.receive((ball) => {
      seen++
      if (ball.left > 1) refs[next]?.tell({ type: 'Ball', left: ball.left - 1 })
      else land()
      return Behaviors.same
    })
  const rawPlayer = (next: number) => (ball: Ball) => {
    seen++
    const to = functions[next]
    if (ball.left > 1 && to) trampoline.send(to, { type: 'Ball', left: ball.left - 1 })
    else land()
  }
  const round = async (serve: (index: number) => void): Promise<number> => {
    seen = landed = 0
    const ns = await nsPer(hopsEach * tokens, () =>
      until((resolve) => {
        done = resolve
        for (let i = 0; i < tokens; i++) serve(i % size)
      }),
    )
    verify('hops', seen, hopsEach * tokens)
    return ns
  }
  return {
    name,
    unit: 'ns/message',
    open: () => {
      bench.open()
      for (let i = 0; i < size; i++) {
        refs.push(bench.start(player((i + 1) % size)))
        functions.push(rawPlayer((i + 1) % size))
      }
    },
    ours: () => round((i) => refs[i]?.tell({ type: 'Ball', left: hopsEach })),
    raw: () =>
      round((i) => {
        const to = functions[i]
        if (to) trampoline.send(to, { type: 'Ball', left: hopsEach })
      }),
    close: () => bench.close(),
  }
}

/** `senders` actors are told ten times each to tell one and the same, again and again. */
function fanIn(senders: number, perSender: number): BenchCase {
  const total = senders * perSender
  const bench = new BenchSystem()
  const trampoline = new Trampoline()
  let sink: ActorRef<Tick>
  let refs: ActorRef<Tick>[] = []
  let received = 0
  let waveEnds = 0
  let nextWave: () => void = nothing
  const receive = (message: Tick): void => {
    received += message.value
    if (received === waveEnds) nextWave()
  }
  const rawSenders = Array.from(
    { length: senders },
    () =>
      (message: Tick): void =>
        trampoline.send(receive, message),
  )
  const round = async (sendWave: () => void): Promise<number> => {
    received = waveEnds = 0
    const ns = await nsPer(total * 2, () =>
      until((done) => {
        nextWave = () => {
          if (received >= total) return done()
          waveEnds += senders * PER_WAVE
          sendWave()
        }
        nextWave()
      }),
    )
    verify('messages received', received, total)
    return ns
  }
  return {
    name: `fan-in, ${senders} to 1`,
    unit: 'ns/message',
    open: () => {
      bench.open()
      sink = bench.start<Tick>(
        Behaviors.receive((message) => {
          receive(message)
          return Behaviors.same
        }),
      )
      refs = Array.from({ length: senders }, () =>
        bench.start<Tick>(
          Behaviors.receive((message) => {
            sink.tell(message)
            return Behaviors.same
          }),
        ),
      )
    },
    ours: () =>
      round(() => {
        for (const ref of refs) for (let j = 0; j < PER_WAVE; j++) ref.tell(tick)
      }),
    raw: () =>
      round(() => {
        for (const to of rawSenders) for (let j = 0; j < PER_WAVE; j++) trampoline.send(to, tick)
      }),
    close: () => bench.close(),
  }
}

const PER_WAVE = 10
const START = { sum: 0 }

function until(begin: (done: () => void) => void): Promise<void> {
  return new Promise(begin)
}

function nothing(): void {}
