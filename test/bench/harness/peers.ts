import { createRequire } from 'node:module'
import { join } from 'node:path'

/** As much of nact as the suites use. */
export interface Nact {
  start(): object
  spawnStateless<M>(
    parent: object,
    receive: (message: M, context: { readonly self: object }) => void,
    name: string,
  ): object
  dispatch(to: object, message: unknown): void
  query<R>(to: object, create: (replyTo: object) => unknown, timeoutMs: number): Promise<R>
  stop(actor: object): void
}

/** As much of xstate as the suites use. */
export interface XState {
  fromTransition<S, E>(transition: (state: S, event: E) => S, initial: S): object
  createActor(logic: object): { start(): { send(event: unknown): void } }
}

/** A library that somebody installed in `folder`; undefined when it is not there. */
export function peer<T>(name: string, folder: string | undefined): T | undefined {
  const require = createRequire(folder === undefined ? import.meta.url : join(folder, 'bench.js'))
  try {
    return require(name) as T
  } catch (error) {
    if ((error as { readonly code?: string }).code === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}
