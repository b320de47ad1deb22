import { randomFillSync } from 'node:crypto'
import { NodeDisk } from './internal/node-disk.ts'
import { type HostTimer, TimerWheel } from './internal/timer-wheel.ts'
import type { Clock, Executor, Platform } from './platform.ts'
import { Xoshiro128 } from './random.ts'

export interface NodePlatformOptions {
  /** The folder for the system's files. Default: `./troupe-data`; made when something is first written. */
  readonly folder?: string
}

/** The real world: this process on this machine. The only place that touches the globals of time and chance. */
export function nodePlatform(options: NodePlatformOptions = {}): Platform {
  return {
    clock: nodeClock,
    timers: new TimerWheel(nodeClock, hostTimer),
    random: new Xoshiro128(new Uint32Array(cryptoBytes(16).buffer), cryptoBytes),
    executor: nodeExecutor,
    disk: new NodeDisk(options.folder ?? 'troupe-data'),
  }
}

const nodeClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
}

// Looked up at call time, so that a test which replaces the host's timers replaces ours.
const hostTimer: HostTimer = (delayMs, fire) => {
  const timer = globalThis.setTimeout(fire, delayMs)
  return () => globalThis.clearTimeout(timer)
}

const resolved = Promise.resolve()
const nodeExecutor: Executor = {
  soon: (turn) => void resolved.then(turn),
  afterIo: (turn) => void globalThis.setImmediate(turn),
}

function cryptoBytes(count: number): Uint8Array<ArrayBuffer> {
  return randomFillSync(new Uint8Array(count))
}
