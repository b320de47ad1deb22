/**
 * The only file of the test kit that touches the timers of the host. They are taken once, so that a
 * test which fakes the globals does not stop the test kit as well.
 */
const { clearTimeout, setImmediate, setTimeout } = globalThis

/** Resolves when no promise of this process can go on by itself: all that is not I/O has settled. */
export function settled(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}

/** Resolves after `ms` of real time. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms))
}

/** True when `work` resolved within `timeoutMs` of real time. Rejects as `work` does. */
export async function isDoneWithin(work: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), timeoutMs)
  })
  try {
    return await Promise.race([work.then(() => true), tooLate])
  } finally {
    clearTimeout(timer)
  }
}
