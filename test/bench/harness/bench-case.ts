/** Does the work of one round and returns its figure in the case's unit. Throws when the work did not happen. */
export type Contender = () => number | Promise<number>

/** Somebody else's library doing the same. */
interface Peer {
  readonly name: string
  /** Undefined when it is not installed: the case then runs without it and says so. */
  readonly load: () => Contender | undefined
}

/** One line of the table: ours, and beside it in the same rounds what it is compared with. */
export interface BenchCase {
  readonly name: string
  /** What the figures count: `ns/message`, `messages/s`, `bytes/actor`. */
  readonly unit: string
  readonly ours: Contender
  /** The least that this machine needs for the same work, written by hand. */
  readonly raw?: Contender
  readonly peers?: readonly Peer[]
  /** Called before the first round: start servers and systems here, not in `suite()`. */
  readonly open?: () => Promise<void> | void
  /** Called after the last round, also after a failure. */
  readonly close?: () => Promise<void> | void
}

interface BenchOptions {
  /** Much less work and fewer rounds: shows that it runs, not how fast. */
  readonly quick: boolean
  /** A folder with peers in its `node_modules`. */
  readonly peersFolder: string | undefined
}

/**
 * What each `test/bench/SUITE.bench.ts` exports under the name `suite`. Called in several processes,
 * so it only describes the cases; what they need is started in `open`.
 */
export type Suite = (options: BenchOptions) => readonly BenchCase[]
