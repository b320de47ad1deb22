import type { ActorRef } from '../actor-ref.ts'
import type { ActorCell } from './actor-cell.ts'
import { internal } from './internal-ref.ts'
import { Special } from './special.ts'

/** Stops a local actor once it has handled everything it was told before; `stop` would drop that. */
export function stopAfterMailbox(ref: ActorRef<never>): void {
  ;(internal(ref) as ActorCell).tellSpecial(new Special('Stop'))
}
