import type { ActorContext } from '../actor-context.ts'
import type { Behavior } from '../behavior.ts'
import { ActorError } from '../errors.ts'
import type { Signal } from '../signal.ts'
import type { SupervisorStrategy } from '../supervision.ts'

/** How the runtime sees a behavior. Types of messages are gone here: the compiler has done its part. */
export type Kind =
  | ReceiveKind
  | SetupKind
  | SupervisedKind
  | { readonly tag: 'same' }
  | { readonly tag: 'unhandled' }
  | { readonly tag: 'stopped' }

export type Handler = (message: unknown, context: ActorContext<unknown>) => unknown
export type SignalHandler = (signal: Signal, context: ActorContext<unknown>) => Behavior<unknown>

interface ReceiveKind {
  readonly tag: 'receive'
  readonly onMessage: Handler
  readonly onSignal: SignalHandler | undefined
}

interface SetupKind {
  readonly tag: 'setup'
  readonly factory: (context: ActorContext<unknown>) => Behavior<unknown>
}

export interface SupervisedKind {
  readonly tag: 'supervised'
  readonly inner: Kind
  readonly strategy: SupervisorStrategy
  readonly errorClass: ErrorClass | undefined
}

// `never[]` accepts every constructor, whatever its parameters.
export type ErrorClass = abstract new (...args: never[]) => unknown

export function asBehavior(kind: Kind): Behavior<unknown> {
  return kind as Behavior<unknown>
}

/** Checks what user code handed over; nothing that is not a behavior gets further than this. */
export function kindOf(behavior: unknown): Kind {
  if (typeof behavior === 'object' && behavior !== null && 'tag' in behavior)
    return behavior as Kind
  throw new ActorError(
    'INVALID_BEHAVIOR',
    `expected a behavior, got ${describe(behavior)}; a handler returns Behaviors.same to stay as it is`,
  )
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  return typeof value === 'object' ? 'an object that Behaviors did not make' : typeof value
}
