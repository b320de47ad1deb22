import { Behaviors } from '../behavior.ts'
import { ActorError } from '../errors.ts'
import type { ChildFailed, Terminated } from '../signal.ts'
import type { ActorCell } from './actor-cell.ts'
import type { CellExtras, Watched } from './cell-extras.ts'
import type { InternalRef } from './internal-ref.ts'
import { Special } from './special.ts'
import { Failure, SystemMessage } from './system-message.ts'

/**
 * Who watches whom, and what the watcher hears.
 *
 * The end of a watched actor arrives as a system message and is then put at the back of the lane of
 * users, so that it comes after everything that actor sent before. When its turn comes it counts only
 * if the watch still stands: after `unwatch` nothing is heard.
 */
export function watch(
  cell: ActorCell,
  ref: InternalRef,
  message: unknown,
  hasMessage: boolean,
): void {
  if (ref.identity === cell) return
  const watching = (cell.extra().watching ??= new Map())
  const known = watching.get(ref.identity)
  if (known !== undefined) {
    if (known.hasMessage !== hasMessage || known.message !== message) {
      throw new ActorError(
        'WATCHED_OTHERWISE',
        `${cell.path} already watches ${ref.path} with another message; unwatch it first`,
      )
    }
    return
  }
  watching.set(ref.identity, { ref, message, hasMessage })
  ref.tellSystem(new SystemMessage('Watch', cell))
}

export function unwatch(cell: ActorCell, ref: InternalRef): void {
  if (cell.extras?.watching?.delete(ref.identity) === true) {
    ref.tellSystem(new SystemMessage('Unwatch', cell))
  }
}

export function onDeathNotice(cell: ActorCell, ref: InternalRef, detail: unknown): void {
  const watched = cell.extras?.watching?.get(ref.identity)
  if (watched === undefined) return
  const failedChild = detail instanceof Failure && cell === (ref as Partial<ActorCell>).parent
  const signal: Terminated | ChildFailed = failedChild
    ? { type: 'ChildFailed', ref, cause: detail.cause }
    : { type: 'Terminated', ref }
  cell.tellSpecial(new Special('Terminated', watched, signal))
}

/** The turn of a termination has come. */
export function deliverTermination(cell: ActorCell, special: Special): unknown {
  const watched = special.subject as Watched
  const watching = cell.extras?.watching
  if (watching?.get(watched.ref.identity) !== watched) return Behaviors.same
  watching.delete(watched.ref.identity)
  if (watched.hasMessage) return cell.handler(watched.message, cell)
  const signal = special.value as Terminated | ChildFailed
  let next = cell.extras?.onSignal?.(signal, cell)
  if (next === Behaviors.unhandled && signal.type === 'ChildFailed') {
    next = cell.extras?.onSignal?.({ type: 'Terminated', ref: signal.ref }, cell)
  }
  if (next !== undefined && next !== Behaviors.unhandled) return next
  throw new ActorError(
    'DEATH_PACT',
    `${cell.path} watches ${watched.ref.path}, which has stopped, and does not handle ${signal.type}`,
    signal.type === 'ChildFailed' ? { cause: signal.cause } : undefined,
  )
}

/** A parent hears of every end of its children; whether it also gets a signal is a question of watching. */
export function childTerminated(cell: ActorCell, ref: InternalRef, detail: unknown): void {
  const child = ref as ActorCell
  cell.extras?.children?.delete(child.name)
  onDeathNotice(cell, ref, detail)
}

/** For a cell that has just stopped. Its parent was told before, in its own message. */
export function notifyWatchers(cell: ActorCell, extras: CellExtras): void {
  for (const watcher of extras.watchers?.values() ?? []) {
    if (watcher !== cell.parent) watcher.tellSystem(new SystemMessage('DeathNotice', cell))
  }
}

export function unwatchAll(cell: ActorCell, extras: CellExtras): void {
  for (const { ref } of extras.watching?.values() ?? []) {
    ref.tellSystem(new SystemMessage('Unwatch', cell))
  }
}
