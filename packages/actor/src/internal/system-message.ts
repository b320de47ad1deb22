import type { InternalRef } from './internal-ref.ts'

export type SystemMessageType =
  /** Run the initial behavior: `detail` is its kind. */
  | 'Start'
  | 'Stop'
  /** `ref` wants to know when this actor stops. */
  | 'Watch'
  | 'Unwatch'
  /** `ref`, which we watched, has stopped; `detail` is a Failure or undefined. */
  | 'DeathNotice'
  /** `ref`, our child, has stopped; `detail` is a Failure or undefined. */
  | 'ChildTerminated'
  /** An async handler finished with `detail`, in the wait number `wait`. */
  | 'Settled'
  /** An async handler was rejected with `detail`, or its time was up. */
  | 'SettledWithError'
  /** The pause before a restart is over. */
  | 'RestartDue'

/** A message of the runtime to one of its cells; a link in the cell's signal lane as well. */
export class SystemMessage {
  readonly type: SystemMessageType
  readonly ref: InternalRef | undefined
  readonly detail: unknown
  readonly wait: number
  next: SystemMessage | null = null

  constructor(type: SystemMessageType, ref?: InternalRef, detail?: unknown, wait = 0) {
    this.type = type
    this.ref = ref
    this.detail = detail
    this.wait = wait
  }
}

/** Why a child stopped; tells "failed with undefined" from "did not fail". */
export class Failure {
  readonly cause: unknown
  constructor(cause: unknown) {
    this.cause = cause
  }
}
