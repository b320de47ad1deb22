import { type ChildProcess, fork } from 'node:child_process'
import { type ActorRef, Behaviors, type DeadLetter, DeadLetterEvents } from '@troupe/actor'
import { Cluster, localClusterSettings, type UniqueAddress } from '@troupe/cluster'
import { Packr, Unpackr } from 'msgpackr'
import { WebSocket } from 'ws'
import type { BenchCase, Suite } from './harness/bench-case.ts'
import { BenchSystem } from './harness/bench-system.ts'
import { nsPer, verify } from './harness/measure.ts'
import { RawBatch, readBatch, STREAM } from './raw-batch.ts'
import { IN_FLIGHT_MAX, type Progress, PROGRESS_EVERY, type Reading } from './remote-messages.ts'

/** Messages between two processes over one real WebSocket. */
export const suite: Suite = ({ quick }) => [
  telling(quick ? 10_000 : 100_000),
  pinging(quick ? 200 : 2_000),
]

/**
 * One actor tells another one in the other process; both ends encode and decode every message. The
 * floor packs the same messages with the same codec into frames of the same size on a plain
 * WebSocket: no refs, no queue, no bounds, no mailbox, no actor.
 */
function telling(messages: number): BenchCase {
  const pair = new Pair('/count')
  let told = 0
  let toldRaw = 0
  let onProgress: (progress: Progress) => void = nothing
  /** Sends from `from + 1` to `to`, never more than the window ahead of what has arrived. */
  const round = async (
    from: number,
    send: (n: number) => void,
    flush: () => void,
  ): Promise<number> => {
    const to = from + messages
    let arrived = from
    let sum = 0
    const ns = await nsPer(messages, () =>
      pair.until((done) => {
        let sent = from
        const sendMore = (): void => {
          const upTo = Math.min(to, arrived + IN_FLIGHT_MAX)
          while (sent < upTo) send(++sent)
          flush()
        }
        onProgress = (progress) => {
          arrived = progress.count
          sum = progress.sum
          if (arrived >= to) done()
          else sendMore()
        }
        sendMore()
      }),
    )
    verify('messages that arrived', arrived, to)
    verify('sum of what arrived', sum, (to * (to + 1)) / 2)
    return 1e9 / ns
  }
  const batch = new RawBatch()
  const packer = new Packr(STREAM())
  let progressRef: ActorRef<Progress>
  return {
    name: 'tell',
    unit: 'messages/s',
    open: async () => {
      await pair.open()
      progressRef = pair.bench.start(
        Behaviors.receive<Progress>((progress) => {
          onProgress(progress)
          return Behaviors.same
        }),
      )
      pair.socket.on('message', (text) =>
        onProgress(JSON.parse((text as Buffer).toString('utf8')) as Progress),
      )
    },
    ours: async () => {
      const counter = pair.counter
      const value = await round(
        told,
        (n) => {
          const reading = readingOf(n)
          counter.tell(n % PROGRESS_EVERY === 0 ? { ...reading, replyTo: progressRef } : reading)
        },
        nothing,
      )
      told += messages
      return value
    },
    raw: async () => {
      const flush = (): void => {
        if (batch.length > 0) pair.socket.send(batch.take())
      }
      const value = await round(
        toldRaw,
        (n) => {
          batch.add(packer.pack(readingOf(n)))
          if (batch.length >= 64 * 1_024) flush()
        },
        flush,
      )
      toldRaw += messages
      return value
    },
    close: () => pair.close(),
  }
}

/** There and back, one at a time: the echo of an actor against the echo of a plain WebSocket. */
function pinging(pings: number): BenchCase {
  const pair = new Pair('/echo')
  const batch = new RawBatch()
  const packer = new Packr(STREAM())
  const unpacker = new Unpackr(STREAM())
  let onPong: (sum: number) => void = nothing
  let pongRef: ActorRef<Progress>
  const round = async (ping: (n: number) => void): Promise<number> => {
    let sum = 0
    const ns = await nsPer(pings, () =>
      pair.until((done) => {
        let n = 0
        onPong = (value) => {
          sum += value
          if (n === pings) done()
          else ping(++n)
        }
        ping(++n)
      }),
    )
    verify('sum of what came back', sum, (pings * (pings + 1)) / 2)
    return ns / 1_000
  }
  return {
    name: 'ping',
    unit: 'µs/round trip',
    open: async () => {
      await pair.open()
      pongRef = pair.bench.start(
        Behaviors.receive<Progress>((pong) => {
          onPong(pong.sum)
          return Behaviors.same
        }),
      )
      pair.socket.on('message', (frame) =>
        readBatch(frame as Buffer, (message) => onPong((unpacker.unpack(message) as Progress).sum)),
      )
    },
    ours: () => round((n) => pair.echo.tell({ ...readingOf(n), replyTo: pongRef })),
    raw: () =>
      round((n) => {
        batch.add(packer.pack(readingOf(n)))
        pair.socket.send(batch.take())
      }),
    close: () => pair.close(),
  }
}

function readingOf(value: number): Reading {
  return { type: 'Reading', sensor: 'roof-7', at: 1_767_225_600_000, value, isFinal: false }
}

/** This process, another one, and two ways between them: a cluster, and a plain WebSocket. */
class Pair {
  readonly bench: BenchSystem = new BenchSystem()
  readonly #path: string
  #child: ChildProcess | undefined
  #ends: Ends | undefined
  #onLoss: (error: Error) => void = nothing

  constructor(path: string) {
    this.#path = path
  }

  get counter(): ActorRef<Reading> {
    return this.#opened().counter
  }

  get echo(): ActorRef<Reading> {
    return this.#opened().echo
  }

  get socket(): WebSocket {
    return this.#opened().socket
  }

  #opened(): Ends {
    if (this.#ends === undefined) throw new Error('the pair is opened in open')
    return this.#ends
  }

  async open(): Promise<void> {
    this.bench.open()
    const cluster = await Cluster.start(this.bench.system, localClusterSettings())
    const child = fork('test/bench/remote-peer.ts', [cluster.self.address], {
      execArgv: ['--import', './scripts/ts-hook.mjs', '--conditions=@troupe/source'],
    })
    this.#child = child
    const { self, counter, echo, rawPort } = await new Promise<Greeting>((resolve, reject) => {
      child.once('message', (greeting) => resolve(greeting as Greeting))
      child.once('exit', (code) => reject(new Error(`the other process ended with ${code}`)))
    })
    const refTo = ({ path, uid }: Place): ActorRef<Reading> =>
      cluster.remoting.remoteRef(self, path, uid)
    const socket = new WebSocket(`ws://127.0.0.1:${rawPort}${this.#path}`, {
      perMessageDeflate: false,
    })
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    this.#ends = { counter: refTo(counter), echo: refTo(echo), socket }
    const listener = this.bench.start<DeadLetter>(
      Behaviors.receive(({ reason }) => {
        this.#onLoss(new Error(`a message was lost: ${reason}`))
        return Behaviors.same
      }),
    )
    this.bench.system.eventStream.subscribe(DeadLetterEvents, listener)
    // Links open with the first message; the rounds begin with links that are open.
    await this.echo.ask<Progress>((replyTo) => ({ ...readingOf(1), replyTo }), {
      timeoutMs: 10_000,
    })
  }

  /** Resolves when `work` is done; rejects when a message is lost, for then it never would be. */
  until(work: (done: () => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#onLoss = reject
      work(resolve)
    })
  }

  async close(): Promise<void> {
    this.#ends?.socket.terminate()
    this.#child?.disconnect()
    await this.bench.close()
  }
}

interface Ends {
  readonly counter: ActorRef<Reading>
  readonly echo: ActorRef<Reading>
  readonly socket: WebSocket
}
interface Place {
  readonly path: string
  readonly uid: number
}
interface Greeting {
  readonly self: UniqueAddress
  readonly counter: Place
  readonly echo: Place
  readonly rawPort: number
}

function nothing(): void {}
