import { describe, expect, it } from 'vitest'
import type { RemoveEffect } from './remove-retry.ts'
import { RemoveRetry } from './remove-retry.ts'

const write = (attempt: number): RemoveEffect => ({ type: 'Write', attempt, timeoutMs: 800 })
const pause: RemoveEffect = { type: 'Pause', delayMs: 200 }
const done = (outcome: 'Removed' | 'GaveUp' | 'ModifyFailed', attempts: number): RemoveEffect => ({
  type: 'Done',
  outcome,
  attempts,
})

describe('RemoveRetry', () => {
  it('is done when the first write finds its majority', () => {
    const retry = new RemoveRetry()

    expect(retry.start()).toEqual([write(1)])
    expect(retry.succeeded()).toEqual([done('Removed', 1)])
  })

  it('writes six times at most, 200 ms apart, and then gives up: 5.8 s in all', () => {
    const retry = new RemoveRetry()
    const effects = retry.start()
    for (let attempt = 1; attempt <= 6; attempt++) {
      effects.push(...retry.failed(attempt), ...retry.pauseOver())
    }

    expect(effects).toEqual([
      write(1),
      pause,
      write(2),
      pause,
      write(3),
      pause,
      write(4),
      pause,
      write(5),
      pause,
      write(6),
      done('GaveUp', 6),
    ])
    const tookMs = effects.reduce(
      (sum, effect) =>
        sum +
        (effect.type === 'Write' ? effect.timeoutMs : effect.type === 'Pause' ? effect.delayMs : 0),
      0,
    )
    expect(tookMs).toBe(5_800)
  })

  it('takes a success that comes during the pause, and writes no more', () => {
    const retry = new RemoveRetry()
    retry.start()
    retry.failed(1)

    expect(retry.succeeded()).toEqual([{ type: 'CancelPause' }, done('Removed', 1)])
    expect([...retry.pauseOver(), ...retry.failed(1), ...retry.succeeded()]).toEqual([])
  })

  it('does not take the late failure of an earlier attempt for the present one', () => {
    const retry = new RemoveRetry()
    retry.start()
    retry.failed(1)
    retry.pauseOver()

    expect(retry.failed(1)).toEqual([])
    expect(retry.attempts).toBe(2)
  })

  it('does not try again what threw', () => {
    const retry = new RemoveRetry()
    retry.start()

    expect(retry.modifyFailed()).toEqual([done('ModifyFailed', 1)])
    expect(retry.pauseOver()).toEqual([])
  })

  it('says nothing twice and nothing after the end', () => {
    const retry = new RemoveRetry()

    expect([...retry.pauseOver(), ...retry.succeeded(), ...retry.failed(0)]).toEqual([])
    retry.start()
    retry.succeeded()
    expect([
      ...retry.start(),
      ...retry.succeeded(),
      ...retry.failed(1),
      ...retry.modifyFailed(),
    ]).toEqual([])
  })
})
