import { describe, expect, it } from 'vitest'
import { SupervisorStrategy } from '../supervision.ts'
import { RestartDecision } from './restart-decision.ts'

const at = (decision: RestartDecision, now: number, random = 0) =>
  decision.failed(now, random, false)

describe('the decision about a failed actor', () => {
  it('is to go on, or to stop, as the strategy says', () => {
    expect(at(new RestartDecision(SupervisorStrategy.resume), 0)).toEqual({ type: 'Resume' })
    expect(at(new RestartDecision(SupervisorStrategy.stop), 0)).toEqual({ type: 'Stop' })
  })

  it('is to stop when there is nothing to resume yet, or a restart would fail for ever', () => {
    for (const strategy of [SupervisorStrategy.resume, SupervisorStrategy.restart()]) {
      expect(new RestartDecision(strategy).failed(0, 0, true)).toEqual({ type: 'Stop' })
    }
  })

  it('is to try again while starting when the restarts are limited or delayed', () => {
    const limited = new RestartDecision(SupervisorStrategy.restart({ limit: 1 }))
    const delayed = new RestartDecision(
      SupervisorStrategy.restartWithBackoff({ minMs: 100, maxMs: 1_000 }),
    )

    expect(limited.failed(0, 0, true).type).toBe('Restart')
    expect(limited.failed(0, 0, true).type).toBe('Stop')
    expect(delayed.failed(0, 0, true)).toEqual({
      type: 'Restart',
      delayMs: 100,
      stopChildren: true,
    })
  })
})

describe('restart with a limit of three within a second', () => {
  const fresh = () => new RestartDecision(SupervisorStrategy.restart({ limit: 3, withinMs: 1_000 }))

  it('restarts three times and stops at the fourth failure', () => {
    const decision = fresh()

    const types = [0, 1, 2, 3].map((now) => at(decision, now).type)

    expect(types).toEqual(['Restart', 'Restart', 'Restart', 'Stop'])
  })

  it('counts from the first failure: after the window it begins anew', () => {
    const decision = fresh()
    for (const now of [0, 500, 999]) at(decision, now)

    expect(at(decision, 1_000).type).toBe('Restart')
    expect(at(decision, 1_001).type).toBe('Restart')
    expect(at(decision, 1_002).type).toBe('Restart')
    expect(at(decision, 1_003).type).toBe('Stop')
  })

  it('never forgets without a window', () => {
    const decision = new RestartDecision(SupervisorStrategy.restart({ limit: 1 }))

    expect(at(decision, 0).type).toBe('Restart')
    expect(at(decision, 1e12).type).toBe('Stop')
  })
})

describe('restart with backoff from 100 ms to 1 s', () => {
  const strategy = SupervisorStrategy.restartWithBackoff({
    minMs: 100,
    maxMs: 1_000,
    randomFactor: 0.5,
    resetAfterMs: 5_000,
  })

  it('doubles the pause up to the longest', () => {
    const decision = new RestartDecision(strategy)

    const pauses = [0, 1, 2, 3, 4, 5].map((now) => at(decision, now))

    expect(pauses.map((each) => (each.type === 'Restart' ? each.delayMs : -1))).toEqual([
      100, 200, 400, 800, 1_000, 1_000,
    ])
  })

  it('adds a random share', () => {
    expect(at(new RestartDecision(strategy), 0, 0.5)).toMatchObject({ delayMs: 125 })
    expect(at(new RestartDecision(strategy), 0, 0.999)).toMatchObject({
      delayMs: expect.closeTo(149.95),
    })
  })

  it('begins at the shortest again after a quiet time, counted from the restart', () => {
    const decision = new RestartDecision(strategy)
    at(decision, 0)

    expect(at(decision, 5_099)).toMatchObject({ delayMs: 200 })
    expect(at(decision, 5_299 + 5_000)).toMatchObject({ delayMs: 100 })
  })

  it('stops after as many restarts in a row as it may', () => {
    const decision = new RestartDecision(
      SupervisorStrategy.restartWithBackoff({ minMs: 1, maxMs: 1, limit: 2 }),
    )

    expect([0, 0, 0].map((now) => at(decision, now).type)).toEqual(['Restart', 'Restart', 'Stop'])
  })
})

describe('the strategies', () => {
  it.each([
    [() => SupervisorStrategy.restart({ withinMs: 5 }), 'withinMs needs a limit'],
    [() => SupervisorStrategy.restart({ limit: -1 }), 'limit must be at least 0'],
    [() => SupervisorStrategy.restartWithBackoff({ minMs: 0, maxMs: 1 }), 'minMs must be at least'],
    [
      () => SupervisorStrategy.restartWithBackoff({ minMs: 10, maxMs: 5 }),
      'maxMs must be at least 10',
    ],
  ])('refuse what cannot work: %#', (create, text) => {
    expect(create).toThrow(text)
  })
})
