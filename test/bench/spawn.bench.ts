import { type ActorRef, type Behavior, Behaviors } from '@troupe/actor'
import type { BenchCase, Suite } from './harness/bench-case.ts'
import { BenchSystem } from './harness/bench-system.ts'
import { nsPer, verify } from './harness/measure.ts'

/** What it costs to have an actor: to start and stop it, and to keep it while it has nothing to do. */
export const suite: Suite = ({ quick }) => [
  spawnAndStop(quick ? 5_000 : 50_000),
  idleBytes(quick ? 10_000 : 200_000),
]

type Command =
  | { readonly type: 'Begin'; readonly count: number; readonly done: () => void }
  | { readonly type: 'Finish' }

/**
 * A parent starts its children by name, each answers one message, and is then stopped; over when the
 * last of them has gone. The floor keeps a function per name in a Map and takes it out again: nothing
 * has a mailbox, nothing tells anyone that it is gone.
 */
function spawnAndStop(count: number): BenchCase {
  const bench = new BenchSystem()
  let heard = 0
  let parent: ActorRef<Command>
  return {
    name: 'spawn+stop',
    unit: 'ns/actor',
    open: () => {
      bench.open()
      parent = bench.start(spawning(() => heard++))
    },
    ours: async () => {
      heard = 0
      const before = bench.system.metrics.actorsStarted
      const ns = await nsPer(
        count,
        () => new Promise<void>((done) => parent.tell({ type: 'Begin', count, done })),
      )
      verify('messages heard', heard, count)
      verify('actors started', bench.system.metrics.actorsStarted - before, count)
      return ns
    },
    raw: async () => {
      heard = 0
      const functions = new Map<string, (value: number) => void>()
      const ns = await nsPer(count, () => {
        for (let i = 0; i < count; i++) {
          functions.set(`child-${i}`, (value) => {
            heard += value
          })
        }
        for (let i = 0; i < count; i++) functions.get(`child-${i}`)?.(1)
        for (let i = 0; i < count; i++) functions.delete(`child-${i}`)
      })
      verify('messages heard', heard, count)
      return ns
    },
    close: () => bench.close(),
  }
}

/** Starts `count` children at once and is done when all have stopped. */
function spawning(hear: () => void): Behavior<Command> {
  let left = 0
  let finish: () => void = () => {}
  return Behaviors.setup((context) =>
    Behaviors.receive((message) => {
      if (message.type === 'Begin') {
        left = message.count
        finish = message.done
        for (let i = 0; i < message.count; i++) {
          const child = context.spawn(
            Behaviors.receive<'Hear'>(() => {
              hear()
              return Behaviors.stopped
            }),
            `child-${i}`,
          )
          context.watchWith(child, { type: 'Finish' })
          child.tell('Hear')
        }
      } else if (--left === 0) finish()
      return Behaviors.same
    }),
  )
}

/**
 * Heap bytes for each idle actor with a name and a closure of its own, its entry at its parent
 * included. The floor is the name and the closure in a Map.
 */
function idleBytes(count: number): BenchCase {
  const bench = new BenchSystem()
  return {
    name: 'idle-actor-bytes',
    unit: 'bytes/actor',
    open: () => bench.open(),
    ours: async () => {
      let heard = 0
      const before = heapAfterCollection()
      const refs: ActorRef<number>[] = []
      const parent = bench.start(
        Behaviors.setup<() => void>((context) => {
          for (let i = 0; i < count; i++) {
            const own = i
            refs.push(
              context.spawn(
                Behaviors.receive<number>((value) => {
                  heard += value + own
                  return Behaviors.same
                }),
                `idle-${i}`,
              ),
            )
          }
          return Behaviors.receive((next) => {
            next()
            return Behaviors.stopped
          })
        }),
      )
      await new Promise<void>((resolve) => void setImmediate(resolve))
      // An array of our own would be counted as theirs.
      const last = refs[count - 1] as ActorRef<number>
      const started = refs.length
      refs.length = 0
      const bytes = (heapAfterCollection() - before) / count
      last.tell(1)
      await new Promise<void>((resolve) => void setImmediate(resolve))
      verify('actors started', started, count)
      verify('heard by the last', heard, count)
      await new Promise<void>((resolve) => parent.tell(resolve))
      while ((last as unknown as { isTerminated: boolean }).isTerminated === false) {
        await new Promise<void>((resolve) => void setImmediate(resolve))
      }
      return bytes
    },
    raw: () => {
      let heard = 0
      const before = heapAfterCollection()
      const functions = new Map<string, (value: number) => void>()
      for (let i = 0; i < count; i++) {
        const own = i
        functions.set(`idle-${i}`, (value) => {
          heard += value + own
        })
      }
      const bytes = (heapAfterCollection() - before) / count
      functions.get(`idle-${count - 1}`)?.(1)
      verify('heard by the last', heard, count)
      return bytes
    },
    close: () => bench.close(),
  }
}

function heapAfterCollection(): number {
  if (globalThis.gc === undefined) throw new Error('needs --expose-gc; run it with npm run bench')
  globalThis.gc()
  globalThis.gc()
  return process.memoryUsage().heapUsed
}
