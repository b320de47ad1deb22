import type { Logger } from '../logger.ts'
import type { TimerTask } from '../platform.ts'
import type { CellStash } from '../stash.ts'
import type { ErrorClass, Kind, SignalHandler } from './behavior-kind.ts'
import type { ActorCell } from './actor-cell.ts'
import type { FunctionRef } from './function-ref.ts'
import type { InternalRef } from './internal-ref.ts'
import type { RestartDecision } from './restart-decision.ts'
import type { Timers } from '../timers.ts'

/** Why an actor takes no messages of users for the moment. */
export type Held = 'Awaiting' | 'Restarting' | 'Stopping'

/** One `supervise` around the current behavior. */
export interface SupervisionLayer {
  readonly errorClass: ErrorClass | undefined
  readonly decision: RestartDecision
  /** Where a restart begins again. */
  readonly initial: Kind
}

/** A ref we watch, and the message that replaces the signal, if any. */
export interface Watched {
  readonly ref: InternalRef
  readonly message: unknown
  readonly hasMessage: boolean
}

/**
 * All that most actors never need: made when first needed, so that an idle actor stays small. A
 * million of them is a question of what is NOT in here.
 */
export class CellExtras {
  onSignal: SignalHandler | undefined = undefined
  children: Map<string, ActorCell> | undefined = undefined
  /** How many nameless children and adapters there were. */
  nameless = 0
  /** By identity of the ref. */
  watching: Map<unknown, Watched> | undefined = undefined
  watchers: Map<unknown, InternalRef> | undefined = undefined
  layers: SupervisionLayer[] | undefined = undefined
  held: Held | undefined = undefined
  /** Number of the current wait: outcomes of earlier ones are ignored. */
  wait = 0
  /** The message whose async handler is under way. */
  awaited: unknown = undefined
  waitTimer: TimerTask | undefined = undefined
  /** The layer whose restart waits for children or a pause. */
  restarting: SupervisionLayer | undefined = undefined
  pausing = false
  keepsChildren = false
  /** Why the actor is stopping, if it failed. */
  failure: unknown = undefined
  timers: Timers | undefined = undefined
  stash: CellStash | undefined = undefined
  adapters: FunctionRef[] | undefined = undefined
  log: Logger | undefined = undefined
  isPublished = false
  mailboxCapacity: number = Infinity
  handlerTimeoutMs: number | undefined = undefined
}
