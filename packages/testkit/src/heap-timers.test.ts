import { KeyedRandom } from './keyed-random.ts'
import { describe, expect, it } from 'vitest'
import { HeapTimers } from './heap-timers.ts'

function world() {
  const clock = { now: 0, monotonicMs: () => clock.now, wallMs: () => 0 }
  const timers = new HeapTimers(clock)
  const fired: string[] = []
  const task = (name: string, andThen: () => void = () => {}) => ({
    name,
    deadlineMs: 0,
    previous: null,
    next: null,
    slot: -1,
    fire: () => {
      fired.push(name)
      andThen()
    },
  })
  return { clock, timers, fired, task }
}

describe('timers in a heap', () => {
  it('fire by their deadline, and in the order they were started in when it is the same', () => {
    const { timers, fired, task } = world()
    for (const [name, delay] of [
      ['d', 7],
      ['a', 3],
      ['b', 3],
      ['e', 7.5],
      ['c', 3],
    ] as const) {
      timers.start(task(name), delay)
    }

    while (timers.fireNext());

    expect(fired).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  it('give out nothing before it is due', () => {
    const { timers, task } = world()
    timers.start(task('a'), 10)

    expect(timers.nextDeadlineMs()).toBe(10)
    expect(timers.takeDue(9.999)).toBeUndefined()
    expect(timers.takeDue(10)).toMatchObject({ name: 'a', slot: -1 })
    expect(timers.size).toBe(0)
    expect(timers.nextDeadlineMs()).toBeUndefined()
  })

  it('start a running task anew, and leave alone one that is not running', () => {
    const { timers, clock, task } = world()
    const a = task('a')
    timers.start(a, 10)
    clock.now = 5
    timers.start(a, 10)

    expect(timers.size).toBe(1)
    expect(timers.nextDeadlineMs()).toBe(15)
    timers.cancel(a)
    timers.cancel(a)
    expect(timers.size).toBe(0)
  })

  it('refuse a delay below nothing', () => {
    const { timers, task } = world()

    expect(() => timers.start(task('a'), -1)).toThrow('must be >= 0 ms, got -1')
    expect(() => timers.start(task('a'), Number.NaN)).toThrow(RangeError)
  })

  it('agree with a sorted list on random starts and cancels', () => {
    const { timers, clock, task } = world()
    const random = new KeyedRandom(3)
    const tasks = Array.from({ length: 40 }, (_, i) => task(String(i)))
    let model: { name: string; at: number; order: number }[] = []
    for (let step = 0; step < 5_000; step++) {
      const each = tasks[random.below(tasks.length)]!
      model = model.filter(({ name }) => name !== each.name)
      if (random.below(3) === 0) timers.cancel(each)
      else {
        const delay = random.below(30)
        timers.start(each, delay)
        model.push({ name: each.name, at: clock.now + delay, order: step })
      }
      if (random.below(4) === 0) {
        clock.now += random.below(5)
        model.sort((a, b) => a.at - b.at || a.order - b.order)
        for (;;) {
          const due = timers.takeDue(clock.now) as { name: string } | undefined
          const expected = (model[0]?.at ?? Infinity) <= clock.now ? model.shift() : undefined
          expect(due?.name).toBe(expected?.name)
          if (due === undefined) break
        }
      }
      expect(timers.size).toBe(model.length)
    }
  })
})
