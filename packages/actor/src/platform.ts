/**
 * All that an actor system can learn of the outside, and all it can do to it.
 *
 * Nothing in Troupe reads a clock, draws a number, starts a timer, opens a socket or touches a disk
 * except through the platform it was given. One process and a real cluster run on `nodePlatform()`;
 * tests run on manual time; a simulation gives every node a platform of its own world. Actor code
 * cannot tell the difference.
 */
export interface Platform {
  readonly clock: Clock
  readonly timers: TimerService
  readonly random: Random
  readonly executor: Executor
  readonly disk: Disk
  /** Links to other nodes. When absent, a cluster brings WebSockets. */
  readonly network?: Network
}

export interface Clock {
  /** Milliseconds since some fixed moment; never jumps, never runs backwards. For every duration. */
  monotonicMs(): number
  /** Milliseconds since 1970; may jump either way. For stamps that people or other nodes read. */
  wallMs(): number
}

/**
 * A timer, and at the same time its own node in the service's list: starting one allocates nothing.
 * The owner creates it with `previous` and `next` null and `slot` -1 and leaves these to the service.
 */
export interface TimerTask {
  deadlineMs: number
  previous: TimerTask | null
  next: TimerTask | null
  /** Where the service keeps the task; -1 while it is not running. */
  slot: number
  fire(): void
}

export interface TimerService {
  /** Fires `task` once, not before `delayMs` have passed. A running task is started anew. */
  start(task: TimerTask, delayMs: number): void
  /** Afterwards the task does not fire. A task that is not running is left alone. */
  cancel(task: TimerTask): void
}

export interface Random {
  /** A number in [0, 1). */
  next(): number
  /** A whole number in [0, bound). */
  below(bound: number): number
  /** Unpredictable bytes on a real platform: good enough for keys and nonces. */
  bytes(count: number): Uint8Array
  /** A unique id of 21 URL-safe characters (126 bits). */
  id(): string
  /**
   * An independent source for one purpose. In a simulation its draws depend on the seed, the purpose
   * and how many were drawn before for that purpose, and on nothing else: removing one fault from a
   * failing run does not change what the rest of the run draws.
   */
  fork(purpose: string): Random
}

/** When a dispatcher's next turn happens. */
export interface Executor {
  /** Runs `turn` as soon as the current one is over. */
  soon(turn: () => void): void
  /** Runs `turn` after sockets and timers of the host had their chance. */
  afterIo(turn: () => void): void
}

/** Small files, named by relative paths with `/`. What is acknowledged survives a crash of the process and of the machine. */
export interface Disk {
  /** The whole content, or undefined when there is no such file. */
  read(file: string): Promise<Uint8Array | undefined>
  /** Replaces the content: afterwards there is the new content, or after a crash the old one, never a mixture. */
  replace(file: string, content: Uint8Array): Promise<void>
  /** Adds to the end; after a crash an unacknowledged addition may be there in part. */
  append(file: string, content: Uint8Array): Promise<void>
  /** Removes the file; no error when there is none. */
  remove(file: string): Promise<void>
}

/** Links that carry frames of bytes between nodes. Both ends see whole frames, in order, or a closed link. */
export interface Network {
  /** Accepts links at `host:port` (port 0: any free one) until closed. Rejects when it cannot. */
  listen(host: string, port: number, onLink: (link: Link) => void): Promise<Listener>
  /** Opens a link. It reports `onOpen` or `onClose`; frames sent before `onOpen` are an error. */
  connect(host: string, port: number, handlers: LinkHandlers): Link
}

export interface Listener {
  readonly host: string
  readonly port: number
  close(): Promise<void>
}

export interface LinkHandlers {
  onOpen(): void
  /** `frame` belongs to the receiver until the call returns; keep a copy, not a view. */
  onFrame(frame: Uint8Array): void
  /** The host has taken enough of what was sent that there is room again. */
  onDrain(): void
  /** Called exactly once, also for a link that never opened. */
  onClose(reason: string): void
}

export interface Link {
  /** For accepted links; a dialled link got its handlers when it was opened. */
  attach(handlers: LinkHandlers): void
  /** Hands a frame over; the bytes must not change afterwards. A closed link drops it. */
  send(frame: Uint8Array): void
  /** Bytes handed over and not yet taken by the host: the measure of back-pressure. */
  readonly bufferedBytes: number
  /** Where the other end really is, for logs: never an identity. */
  readonly remote: string
  close(code: number, reason: string): void
}
