/** Not queued; takes messages. */
export const IDLE = 0
/** Queued at the dispatcher, or running. */
export const READY = 1
/** Takes no messages of users for now (`extras.held` says why); not queued. */
export const HELD = 2
/** The same, and queued or running because of a system message. */
export const HELD_READY = 3
export const DEAD = 4

/** The handler of a cell until its initial behavior runs, and between a failure and the restart. */
export function NOT_STARTED(): never {
  throw new Error('broken invariant: an actor without a behavior takes no messages')
}
