import type { ActorSystem } from './actor-system.ts'

/** Something a system has at most one of: the cluster, the replicator. Found again by its name. */
export interface Extension<T> {
  readonly name: string
  /** Makes the instance at first use. May throw EXTENSION_MISSING when it has to be started explicitly. */
  create(system: ActorSystem): T
}
