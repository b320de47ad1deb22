import { describe, expect, it } from 'vitest'
import type { TimerTask } from '../platform.ts'
import { TimerWheel } from './timer-wheel.ts'

describe('the timer wheel', () => {
  it('never fires early, and at most one tick late, or two when it runs for a second or more', () => {
    const { wheel, host, task, fired } = world()
    for (const delayMs of [0, 1, 9, 10, 11, 95, 100, 101, 999, 1_000, 5_000, 41_000, 90_000]) {
      wheel.start(task(String(delayMs)), delayMs)
    }

    host.runUntil(100_000)

    expect(fired).toHaveLength(13)
    for (const { name, at } of fired) {
      expect(at).toBeGreaterThanOrEqual(Number(name))
      expect(at).toBeLessThanOrEqual(Number(name) + (Number(name) < 1_000 ? 10 : 20))
    }
  })

  it('fires in the order of deadlines, and those of one moment in the order they were started in', () => {
    const { wheel, host, task, fired } = world()
    wheel.start(task('late'), 8)
    wheel.start(task('early'), 3)
    for (const name of ['a', 'b', 'c']) wheel.start(task(name), 5)

    host.runUntil(100)

    expect(fired.map(({ name }) => name)).toEqual(['early', 'a', 'b', 'c', 'late'])
  })

  it('never fires what was cancelled, also when it is due already', () => {
    const { wheel, host, task, fired } = world()
    const second = task('second')
    const first = task('first', () => wheel.cancel(second))
    wheel.start(first, 5)
    wheel.start(second, 6)

    host.runUntil(1_000)

    expect(fired.map(({ name }) => name)).toEqual(['first'])
  })

  it('starts a running task anew, also one that is due already', () => {
    const { wheel, host, task, fired } = world()
    const second = task('second')
    const first = task('first', () => wheel.start(second, 500))
    wheel.start(first, 5)
    wheel.start(second, 6)

    host.runUntil(1_000)

    expect(fired.map(({ name }) => name)).toEqual(['first', 'second'])
    expect(fired[1]?.at).toBeGreaterThanOrEqual(505)
  })

  it('lets a task start itself again without firing twice in one tick', () => {
    const { wheel, host, task, fired } = world()
    const again: TimerTask = task('again', () => wheel.start(again, 0))
    wheel.start(again, 0)

    host.runUntil(100)

    expect(fired.length).toBeGreaterThan(5)
    expect(fired.length).toBeLessThanOrEqual(10)
  })

  it('fires everything that fell due while the process slept', () => {
    const { wheel, host, task, fired } = world()
    for (let i = 0; i < 100; i++) wheel.start(task(String(i)), i * 1_000)
    host.runUntil(20)

    host.sleepUntil(1_000_000)

    expect(fired.map(({ name }) => Number(name))).toEqual(Array.from({ length: 100 }, (_, i) => i))
  })

  it('forgets none while one that fires takes its time and starts others', () => {
    const { wheel, host, task, fired } = world()
    wheel.start(task('after'), 30)
    wheel.start(
      task('slow', () => {
        host.now += 100
        wheel.start(task('started'), 5)
        wheel.start(task('long'), 1_000)
      }),
      5,
    )

    host.runUntil(2_000)

    expect(fired.map(({ name }) => name)).toEqual(['slow', 'after', 'started', 'long'])
    expect(fired[1]?.at).toBeLessThanOrEqual(120)
  })

  it('fires the others when one throws', () => {
    const { wheel, host, task, fired } = world()
    wheel.start(
      task('bad', () => {
        throw new Error('boom')
      }),
      5,
    )
    wheel.start(task('good'), 6)

    expect(() => host.runUntil(10)).toThrow('boom')
    host.runUntil(100)

    expect(fired.map(({ name }) => name)).toEqual(['bad', 'good'])
  })

  it('keeps the order of timers that were started before the tick that stamps them', () => {
    const { wheel, host, task, fired } = world()
    for (const name of ['a', 'b', 'c', 'd']) {
      wheel.start(task(name), 2_000)
      host.runUntil(host.now + 1)
    }

    host.runUntil(5_000)

    expect(fired.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('cancels and restarts timers that are not stamped yet', () => {
    const { wheel, host, task, fired } = world()
    const [a, b, c] = [task('a'), task('b'), task('c')]
    wheel.start(a, 2_000)
    wheel.start(b, 2_000)
    wheel.start(c, 2_000)
    wheel.cancel(b)
    wheel.start(a, 5)

    host.runUntil(5_000)

    expect(fired.map(({ name }) => name)).toEqual(['a', 'c'])
    expect(fired[0]?.at).toBeLessThanOrEqual(15)
  })

  it('leaves the host alone 100 ms after the last timer is gone', () => {
    const { wheel, host, task } = world()
    const far = task('far')
    wheel.start(far, 60_000)
    host.runUntil(1_000)
    expect(host.isArmed).toBe(true)

    wheel.cancel(far)
    host.runUntil(1_100)

    expect(host.isArmed).toBe(false)
  })

  it('agrees with a sorted list on random starts, restarts and cancels', () => {
    const { wheel, host, task, fired } = world()
    let seed = 7
    const below = (bound: number): number => {
      seed = (seed * 48_271) % 2_147_483_647
      return seed % bound
    }
    const tasks = Array.from({ length: 50 }, (_, i) => task(String(i)))
    const dueAt = new Map<string, number>()
    const wrong: string[] = []
    let seen = 0
    const check = (): void => {
      for (; seen < fired.length; seen++) {
        const { name, at } = fired[seen] as { name: string; at: number }
        const due = dueAt.get(name)
        if (due === undefined || at < due || at > due + 20) wrong.push(`${name} at ${at}`)
        dueAt.delete(name)
      }
    }
    for (let step = 0; step < 5_000; step++) {
      const which = tasks[below(50)] as TimerTask & { readonly name: string }
      if (below(3) === 0) {
        wheel.cancel(which)
        dueAt.delete(which.name)
      } else {
        const delayMs = below(10) === 0 ? below(100_000) : below(200)
        wheel.start(which, delayMs)
        dueAt.set(which.name, host.now + delayMs)
      }
      host.runUntil(host.now + below(20))
      check()
    }
    host.runUntil(host.now + 200_000)
    check()

    expect(wrong).toEqual([])
    expect([...dueAt]).toEqual([])
    expect(fired.length).toBeGreaterThan(1_000)
  })
})

function world() {
  const host = new Host()
  const fired: { readonly name: string; readonly at: number }[] = []
  const task = (name: string, andThen: () => void = () => {}) => ({
    name,
    deadlineMs: 0,
    previous: null,
    next: null,
    slot: -1,
    fire: () => {
      fired.push({ name, at: host.now })
      andThen()
    },
  })
  const wheel = new TimerWheel({ monotonicMs: () => host.now, wallMs: () => 0 }, (delayMs, fire) =>
    host.timer(delayMs, fire),
  )
  return { wheel, host, task, fired }
}

/** A host whose timers are exact, and whose time is moved by hand. */
class Host {
  now = 0
  #timers: { at: number; fire: () => void }[] = []

  get isArmed(): boolean {
    return this.#timers.length > 0
  }

  timer(delayMs: number, fire: () => void): () => void {
    const timer = { at: this.now + delayMs, fire }
    this.#timers.push(timer)
    return () => (this.#timers = this.#timers.filter((each) => each !== timer))
  }

  runUntil(until: number): void {
    for (;;) {
      const next = this.#timers.toSorted((a, b) => a.at - b.at)[0]
      if (next === undefined || next.at > until) break
      this.now = Math.max(this.now, next.at)
      this.#timers = this.#timers.filter((each) => each !== next)
      next.fire()
    }
    this.now = until
  }

  /** Time jumps; only then do timers fire. */
  sleepUntil(until: number): void {
    this.now = until
    this.runUntil(until)
  }
}
