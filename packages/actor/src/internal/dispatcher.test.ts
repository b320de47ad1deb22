import { describe, expect, it } from 'vitest'
import type { Executor } from '../platform.ts'
import { Dispatcher, type Runnable } from './dispatcher.ts'
import type { SystemCore } from './system-core.ts'

describe('the dispatcher', () => {
  it('gives each actor its share and sends it to the back', () => {
    const { dispatcher, turns, log } = world()
    new Busy(dispatcher, log, 'a', 70)
    new Busy(dispatcher, log, 'b', 40)

    turns.runAll()

    expect(log).toEqual(['a 32', 'b 32', 'a 32', 'b 8', 'a 6'])
  })

  it('lets I/O in when the budget is used up', () => {
    const { dispatcher, turns, log } = world({ messageMs: 0.05 })
    for (const name of ['a', 'b', 'c', 'd']) new Busy(dispatcher, log, name, 100)

    turns.runAll()

    expect(turns.ioPasses).toBeGreaterThan(10)
    expect(turns.longestMs).toBeLessThan(4)
  })

  it('learns from slow handlers to look at the clock more often', () => {
    const { dispatcher, turns, log } = world({ messageMs: 1 })
    for (let i = 0; i < 20; i++) new Busy(dispatcher, log, `a${i}`, 50)

    turns.runAll(10)
    turns.longestMs = 0
    turns.runAll()

    expect(turns.longestMs).toBeLessThanOrEqual(2)
    expect(dispatcher.processed).toBe(1_000)
  })

  it('forgets it again when handlers are fast', () => {
    const { dispatcher, turns, log, world: at } = world({ messageMs: 1 })
    new Busy(dispatcher, log, 'slow', 50)
    turns.runAll()
    at.messageMs = 0
    new Busy(dispatcher, log, 'fast', 5_000)

    turns.runAll()

    expect(log.at(-2)).toBe('fast 32')
  })

  it.each([
    ['short', 0.01, 0.3],
    ['long', 10, 50],
  ])('lets I/O in among %s turns that wake each other up for ever', (_, turnMs, longestMs) => {
    const { dispatcher, turns, world: at } = world()
    let hops = 0
    const actor: Runnable = {
      run: () => {
        dispatcher.processed++
        at.now += turnMs
        // As a promise would: when the turn is over.
        if (++hops < 1_000) turns.later.push(() => dispatcher.ready(actor))
      },
    }
    dispatcher.ready(actor)

    turns.runAll()

    expect(hops).toBe(1_000)
    expect(turns.ioPasses).toBeGreaterThan(20)
    expect(turns.longestMs).toBeLessThanOrEqual(longestMs)
  })

  it('goes on with the others after a fault of the runtime itself', () => {
    const { dispatcher, turns, log } = world()
    dispatcher.ready({
      run: () => {
        throw new Error('logger is broken')
      },
    })
    new Busy(dispatcher, log, 'other', 1)

    expect(() => turns.runAll()).toThrow('logger is broken')
    turns.runAll()

    expect(log).toEqual(['other 1'])
  })
})

interface World {
  now: number
  messageMs: number
}

function world({ messageMs = 0 } = {}) {
  const at: World = { now: 0, messageMs }
  const turns = new Turns(at)
  const log: string[] = []
  const clock = { monotonicMs: () => at.now, wallMs: () => 0 }
  const dispatcher = new Dispatcher({} as SystemCore, clock, turns, 32, 0.2)
  times.set(dispatcher, at)
  return { dispatcher, turns, log, world: at }
}

const times = new WeakMap<Dispatcher, World>()

/** Runs turns when told to, and notes how long I/O had to wait at most. */
class Turns implements Executor {
  ioPasses = 0
  longestMs = 0
  /** What promises do once the turn is over. */
  readonly later: (() => void)[] = []
  readonly #world: World
  readonly #turns: (() => void)[] = []
  #ioAt = 0

  constructor(world: World) {
    this.#world = world
  }

  soon(turn: () => void): void {
    this.#turns.push(turn)
  }

  afterIo(turn: () => void): void {
    this.#turns.push(() => {
      this.ioPasses++
      this.longestMs = Math.max(this.longestMs, this.#world.now - this.#ioAt)
      this.#ioAt = this.#world.now
      turn()
    })
  }

  runAll(most = Infinity): void {
    for (let i = 0; i < most; i++) {
      const turn = this.#turns.shift()
      if (turn === undefined) return
      turn()
      for (const each of this.later.splice(0)) each()
    }
  }
}

/** An actor with `left` messages. */
class Busy implements Runnable {
  readonly #dispatcher: Dispatcher
  readonly #log: string[]
  readonly #name: string
  #left: number

  constructor(dispatcher: Dispatcher, log: string[], name: string, left: number) {
    this.#dispatcher = dispatcher
    this.#log = log
    this.#name = name
    this.#left = left
    dispatcher.ready(this)
  }

  run(throughput: number): void {
    const count = Math.min(throughput, this.#left)
    const at = times.get(this.#dispatcher)
    if (at !== undefined) at.now += count * at.messageMs
    this.#left -= count
    this.#dispatcher.processed += count
    this.#log.push(`${this.#name} ${count}`)
    if (this.#left > 0) this.#dispatcher.ready(this)
  }
}
