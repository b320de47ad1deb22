import type { TimerService, TimerTask } from '@troupe/actor'
import type { Crdt } from '@troupe/crdt'
import { ReplicatorError } from './errors.ts'
import type { Key } from './key.ts'
import type { Replicator } from './replicator.ts'
import type { Entry } from './replica-table.ts'

/** A value that must be included, or a condition that stays true once it is. */
export type Threshold<View> = View | ((view: View) => boolean)

export interface WaitOptions {
  /** How long to wait, in milliseconds, > 0. */
  readonly timeoutMs: number
  /** Ends the wait; the promise rejects with its reason. */
  readonly signal?: AbortSignal
}

/**
 * A threshold read (Lasp; LVars, Kuper and Newton 2013): waits until the local value has passed a
 * threshold. Values only grow, so once passed is passed for ever, on this replica and in time on all.
 * Settles once.
 */
export function reached<T extends Crdt, View>(
  replicator: Replicator,
  timers: TimerService,
  key: Key<T, View>,
  threshold: Threshold<View>,
  { timeoutMs, signal }: WaitOptions,
): Promise<View> {
  return new Promise<View>((resolve, reject) => {
    signal?.throwIfAborted()
    if (!(timeoutMs > 0)) throw new RangeError(`timeoutMs must be > 0, got ${timeoutMs}`)
    const timer: TimerTask = {
      deadlineMs: 0,
      previous: null,
      next: null,
      slot: -1,
      fire: () => settle(() => reject(notReached(key.name, timeoutMs))),
    }
    const onAbort = (): void => settle(() => reject(signal?.reason as Error))
    let isSettled = false
    let unsubscribe = (): void => {}
    const settle = (act: () => void): void => {
      if (isSettled) return
      isSettled = true
      timers.cancel(timer)
      signal?.removeEventListener('abort', onAbort)
      unsubscribe()
      act()
    }
    const look = (entry: Entry): void => {
      const { value } = entry
      if (value === undefined) settle(() => reject(deleted(key.name)))
      else {
        try {
          if (hasPassed(value, threshold)) settle(() => resolve(value as unknown as View))
        } catch (error) {
          settle(() => reject(error as Error))
        }
      }
    }
    unsubscribe = replicator.hear(key, ({ entry }) => look(entry))
    if (isSettled) {
      unsubscribe()
      return
    }
    timers.start(timer, timeoutMs)
    signal?.addEventListener('abort', onAbort)
  })
}

function hasPassed<View>(value: Crdt, threshold: Threshold<View>): boolean {
  if (typeof threshold !== 'function') return value.includes(threshold as Crdt)
  return (threshold as (view: View) => boolean)(value as unknown as View)
}

function notReached(name: string, timeoutMs: number): ReplicatorError {
  return new ReplicatorError(
    'THRESHOLD_NOT_REACHED',
    `${name} has not passed the threshold within ${timeoutMs} ms`,
  )
}

function deleted(name: string): ReplicatorError {
  return new ReplicatorError('KEY_DELETED', `${name} was deleted and will never pass the threshold`)
}
