import { Behaviors } from '../behavior.ts'
import { typeOf } from '../dead-letters.ts'
import { ActorError } from '../errors.ts'
import type { TimerTask } from '../platform.ts'
import type { ActorCell } from './actor-cell.ts'
import { type Kind, kindOf, type SupervisedKind } from './behavior-kind.ts'
import { DEAD, HELD_READY, NOT_STARTED, READY } from './cell-status.ts'
import type { CellExtras, SupervisionLayer } from './cell-extras.ts'
import { childTerminated, notifyWatchers, onDeathNotice, unwatchAll } from './death-watch.ts'
import { RestartDecision } from './restart-decision.ts'
import { Failure, SystemMessage } from './system-message.ts'

/**
 * How a cell starts, waits, fails, restarts and stops: everything that is rare.
 *
 * While it waits for something (a promise, its children, a pause) the lane of users is held; system
 * messages still count, so an actor that waits can be stopped. Whatever was awaited carries the
 * number of the wait, and outcomes of earlier waits are ignored.
 */
export function handleSystemMessage(cell: ActorCell, message: SystemMessage): void {
  switch (message.type) {
    case 'Start':
      if (cell.status !== DEAD && !isStarted(cell)) cell.install(message.detail as Kind)
      return
    case 'Stop':
      beginStop(cell, undefined)
      return
    case 'Watch': {
      const watcher = message.ref
      if (watcher === undefined) return
      if (cell.status === DEAD) watcher.tellSystem(new SystemMessage('DeathNotice', cell))
      else (cell.extra().watchers ??= new Map()).set(watcher.identity, watcher)
      return
    }
    case 'Unwatch':
      cell.extras?.watchers?.delete(message.ref?.identity)
      return
    case 'DeathNotice':
      if (message.ref !== undefined) onDeathNotice(cell, message.ref, message.detail)
      return
    case 'ChildTerminated':
      if (message.ref === undefined) return
      childTerminated(cell, message.ref, message.detail)
      goOn(cell)
      return
    case 'Settled': {
      const taken = cell.extras?.awaited
      if (endWait(cell, message.wait)) cell.become(message.detail, taken)
      return
    }
    case 'SettledWithError': {
      const taken = cell.extras?.awaited
      if (endWait(cell, message.wait)) fail(cell, message.detail, taken)
      else reportLateFailure(cell, message.detail)
      return
    }
    case 'RestartDue':
      if (cell.extras?.wait !== message.wait || cell.extras.held !== 'Restarting') return
      cell.extras.pausing = false
      goOn(cell)
      return
    default:
      return message.type satisfies never
  }
}

// ---- waiting for an async handler ----

/** Takes no message until `work` has settled or its time is up. */
export function hold(cell: ActorCell, work: Promise<unknown>, message: unknown): void {
  const wait = beginHold(cell, 'Awaiting')
  cell.extra().awaited = message
  const timeoutMs = cell.extra().handlerTimeoutMs ?? cell.system.settings.handlerTimeoutMs
  startWaitTimer(cell, timeoutMs, () =>
    cell.tellSystem(
      new SystemMessage('SettledWithError', undefined, handlerTimedOut(cell, timeoutMs), wait),
    ),
  )
  work.then(
    (next) => cell.tellSystem(new SystemMessage('Settled', undefined, next, wait)),
    (error: unknown) =>
      cell.tellSystem(new SystemMessage('SettledWithError', undefined, error, wait)),
  )
}

function handlerTimedOut(cell: ActorCell, timeoutMs: number): ActorError {
  return new ActorError(
    'HANDLER_TIMED_OUT',
    `an async handler of ${cell.path} did not finish within ${timeoutMs} ms; ` +
      `give the work a timeout of its own, or raise handlerTimeoutMs`,
  )
}

/** The handler's time was up, or the actor has stopped or restarted: nobody waits, but somebody may want to know. */
function reportLateFailure(cell: ActorCell, error: unknown): void {
  if (error instanceof ActorError && error.code === 'HANDLER_TIMED_OUT') return
  cell.system.log.warn(
    { actor: cell.path, err: error },
    'async handler failed after nobody waited for it',
  )
}

function beginHold(cell: ActorCell, why: 'Awaiting' | 'Restarting' | 'Stopping'): number {
  const extras = cell.extra()
  endWaitTimer(cell, extras)
  extras.held = why
  // We are inside a turn, so the cell counts as queued.
  cell.status = HELD_READY
  return ++extras.wait
}

/** True when `wait` is the current one; the lane of users is open again then. */
function endWait(cell: ActorCell, wait: number): boolean {
  const extras = cell.extras
  if (extras === null || extras.held !== 'Awaiting' || extras.wait !== wait) return false
  release(cell, extras)
  return true
}

function release(cell: ActorCell, extras: CellExtras): void {
  endWaitTimer(cell, extras)
  extras.held = undefined
  extras.awaited = undefined
  cell.status = READY
}

function startWaitTimer(cell: ActorCell, delayMs: number, fire: () => void): void {
  const timer: TimerTask = { deadlineMs: 0, previous: null, next: null, slot: -1, fire }
  cell.extra().waitTimer = timer
  cell.system.platform.timers.start(timer, delayMs)
}

function endWaitTimer(cell: ActorCell, extras: CellExtras): void {
  if (extras.waitTimer === undefined) return
  cell.system.platform.timers.cancel(extras.waitTimer)
  extras.waitTimer = undefined
}

// ---- failing ----

/**
 * Supervision around what follows. Wrapped again for the same errors, the new one replaces the old
 * one, so that behaviors may recurse; its budget of restarts goes on if the strategy is the same.
 */
export function addLayer(cell: ActorCell, { errorClass, strategy, inner }: SupervisedKind): void {
  const extras = cell.extra()
  const layers = extras.layers ?? []
  const known = layers.find((layer) => layer.errorClass === errorClass)
  const decision =
    known?.decision.isFor(strategy) === true ? known.decision : new RestartDecision(strategy)
  extras.layers = [
    ...layers.filter((layer) => layer !== known),
    { errorClass, decision, initial: inner },
  ]
}

/** A handler threw, or its promise was rejected: the innermost layer of supervision that cares decides. */
export function fail(cell: ActorCell, error: unknown, message: unknown): void {
  const { system } = cell
  system.failures++
  if (cell.status === DEAD || cell.extras?.held === 'Stopping') {
    system.log.error({ actor: cell.path, err: error }, 'actor failed while stopping')
    return
  }
  const extras = cell.extra()
  const layers = extras.layers ?? []
  let index = layers.length - 1
  while (index >= 0 && !matches(layers[index], error)) index--
  const layer = layers[index]
  const { platform } = system
  const decision =
    layer === undefined
      ? { type: 'Stop' as const }
      : layer.decision.failed(
          platform.clock.monotonicMs(),
          platform.random.next(),
          !isStarted(cell),
        )
  system.log.error(
    { actor: cell.path, err: error, messageType: typeOf(message), decision: decision.type },
    'actor failed',
  )
  switch (decision.type) {
    case 'Resume':
      return
    case 'Stop':
      beginStop(cell, new Failure(error))
      return
    case 'Restart':
      extras.layers = layers.slice(0, index + 1)
      beginRestart(cell, layer as SupervisionLayer, decision)
      return
    default:
      return decision satisfies never
  }
}

function matches(layer: SupervisionLayer | undefined, error: unknown): boolean {
  return (
    layer !== undefined && (layer.errorClass === undefined || error instanceof layer.errorClass)
  )
}

/** A message adapter threw. Who handles the signal goes on; otherwise it is a failure like any other. */
export function adaptionFailed(cell: ActorCell, error: unknown): unknown {
  const onSignal = cell.extras?.onSignal
  const next = onSignal?.({ type: 'MessageAdaptionFailure', cause: error }, cell)
  if (next === undefined || next === Behaviors.unhandled) throw error
  return next
}

// ---- restarting ----

function beginRestart(
  cell: ActorCell,
  layer: SupervisionLayer,
  { delayMs, stopChildren }: { readonly delayMs: number; readonly stopChildren: boolean },
): void {
  const extras = cell.extra()
  if (isStarted(cell)) signalQuietly(cell, { type: 'PreRestart' })
  cell.system.restarts++
  const wait = beginHold(cell, 'Restarting')
  extras.timers?.end()
  forgetBehavior(cell)
  extras.restarting = layer
  if (stopChildren) {
    for (const child of extras.children?.values() ?? []) {
      // The fresh behavior knows nothing of these; their end is waited for, but not reported.
      extras.watching?.delete(child)
      child.tellSystem(new SystemMessage('Stop'))
    }
  }
  extras.keepsChildren = !stopChildren
  extras.pausing = true
  // Also without a pause the restart is a step of its own: a start that fails again and again must not recurse.
  const due = (): void =>
    cell.tellSystem(new SystemMessage('RestartDue', undefined, undefined, wait))
  if (delayMs > 0) startWaitTimer(cell, delayMs, due)
  else due()
}

/** Goes on with a stop or restart if nothing has to be waited for any more. */
function goOn(cell: ActorCell): void {
  const extras = cell.extras
  if (extras === null) return
  const alone = extras.children === undefined || extras.children.size === 0
  if (extras.held === 'Stopping' && alone) finishStop(cell, extras)
  else if (extras.held === 'Restarting' && !extras.pausing && (alone || extras.keepsChildren)) {
    const initial = extras.restarting?.initial
    extras.restarting = undefined
    release(cell, extras)
    // The fresh behavior knows nothing of what its predecessor put aside.
    cell.putBack(extras.stash?.drain() ?? [])
    extras.stash = undefined
    // A failure of the fresh start is a failure like any other: the same layer decides again.
    if (initial !== undefined) cell.install(initial)
  }
}

// ---- stopping ----

/** Children first, then the signal, then the end. `failure`: why, if the actor failed. */
export function beginStop(cell: ActorCell, failure: Failure | undefined): void {
  if (cell.status === DEAD || cell.extras?.held === 'Stopping') return
  const extras = cell.extra()
  beginHold(cell, 'Stopping')
  extras.failure = failure
  extras.timers?.end()
  for (const child of extras.children?.values() ?? []) child.tellSystem(new SystemMessage('Stop'))
  goOn(cell)
}

function finishStop(cell: ActorCell, extras: CellExtras): void {
  if (isStarted(cell)) signalQuietly(cell, { type: 'PostStop' })
  cell.status = DEAD
  // Those that the last signal started.
  extras.timers?.end()
  forgetBehavior(cell)
  const { deadLetters } = cell.system
  for (const message of extras.stash?.drain() ?? []) deadLetters.drop(message, cell, 'ActorStopped')
  cell.drainMailbox()
  for (const adapter of extras.adapters ?? []) adapter.terminate()
  unwatchAll(cell, extras)
  cell.parent?.tellSystem(new SystemMessage('ChildTerminated', cell, extras.failure))
  notifyWatchers(cell, extras)
  cell.extras = null
}

function signalQuietly(
  cell: ActorCell,
  signal: { type: 'PostStop' } | { type: 'PreRestart' },
): void {
  try {
    const next = cell.extras?.onSignal?.(signal, cell)
    if (next !== undefined) kindOf(next)
  } catch (error) {
    cell.system.log.error(
      { actor: cell.path, err: error, signal: signal.type },
      'signal handler failed',
    )
  }
}

function isStarted(cell: ActorCell): boolean {
  return cell.handler !== NOT_STARTED
}

function forgetBehavior(cell: ActorCell): void {
  cell.handler = NOT_STARTED
  if (cell.extras !== null) cell.extras.onSignal = undefined
}
