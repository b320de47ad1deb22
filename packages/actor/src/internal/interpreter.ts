import { Behaviors } from '../behavior.ts'
import { UnhandledMessageEvents } from '../dead-letters.ts'
import { ActorError } from '../errors.ts'
import type { ActorTimer } from '../timers.ts'
import type { ActorCell } from './actor-cell.ts'
import { type Kind, kindOf } from './behavior-kind.ts'
import { NOT_STARTED } from './cell-status.ts'
import { deliverTermination } from './death-watch.ts'
import { adaptionFailed, addLayer, beginStop } from './lifecycle.ts'
import type { Special } from './special.ts'

/**
 * What a behavior means for its cell. The cell itself knows only the handler of messages; here is
 * the rest: factories, supervision, what lies in the mailbox without being a message.
 */

/** Makes `kind` the current behavior, running factories and adding supervision on the way. */
export function install(cell: ActorCell, kind: Kind): void {
  for (;;) {
    switch (kind.tag) {
      case 'receive':
        cell.handler = kind.onMessage
        if (kind.onSignal !== undefined) cell.extra().onSignal = kind.onSignal
        else if (cell.extras !== null) cell.extras.onSignal = undefined
        return
      case 'setup':
        kind = kindOf(kind.factory(cell))
        break
      case 'supervised':
        addLayer(cell, kind)
        kind = kind.inner
        break
      case 'stopped':
        beginStop(cell, undefined)
        return
      case 'same':
      case 'unhandled':
        if (cell.handler === NOT_STARTED) {
          throw new ActorError(
            'INVALID_BEHAVIOR',
            `${cell.path} started with Behaviors.${kind.tag}, but there is no behavior to keep yet`,
          )
        }
        return
      default:
        return kind satisfies never
    }
  }
}

/** The turn of a special has come: what the behavior makes of it. */
export function open(cell: ActorCell, special: Special): unknown {
  switch (special.type) {
    case 'Timer': {
      const message = cell.extras?.timers?.take(special.subject as ActorTimer)
      return message === undefined ? Behaviors.same : cell.handler(message, cell)
    }
    case 'Terminated':
      return deliverTermination(cell, special)
    case 'Adapted': {
      const adapt = special.subject as (value: unknown) => unknown
      let message: unknown
      try {
        message = adapt(special.value)
      } catch (error) {
        return adaptionFailed(cell, error)
      }
      if (message !== undefined) return cell.handler(message, cell)
      cell.system.deadLetters.drop(special.value, cell, 'AdaptedToNothing')
      return Behaviors.same
    }
    case 'Stop':
      return Behaviors.stopped
    default:
      return special.type satisfies never
  }
}

/** A behavior did not know what to do with a message, or with one that an async handler took. */
export function reportUnhandled(cell: ActorCell, message: unknown): void {
  const { system } = cell
  system.unhandled++
  system.eventStream.publish(UnhandledMessageEvents, {
    type: 'UnhandledMessage',
    message,
    recipient: cell,
  })
}
