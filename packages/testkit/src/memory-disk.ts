import type { Disk, Random } from '@troupe/actor'

/**
 * A disk that is as durable as the real one and lives as long as the test: it survives the crash of
 * the system that writes to it, without what was not acknowledged by then.
 *
 * Requests are served one after the other. Each takes `latency()`, by default one turn of promises,
 * and is acknowledged when it is on the disk.
 */
export class MemoryDisk implements Disk {
  readonly #latency: () => Promise<void>
  readonly #files = new Map<string, Uint8Array>()
  #writes: Write[] = []
  #last: Promise<void> = Promise.resolve()
  #crashes = 0

  constructor(latency: () => Promise<void> = () => Promise.resolve()) {
    this.#latency = latency
  }

  read(file: string): Promise<Uint8Array | undefined> {
    return this.#serve(() => this.#files.get(file)?.slice())
  }

  replace(file: string, content: Uint8Array): Promise<void> {
    const bytes = content.slice()
    return this.#write({
      finish: () => void this.#files.set(file, bytes),
      tear: (random) => {
        if (random.next() < 0.5) this.#files.set(file, bytes)
      },
    })
  }

  append(file: string, content: Uint8Array): Promise<void> {
    const bytes = content.slice()
    const add = (part: Uint8Array): void => {
      const before = this.#files.get(file) ?? new Uint8Array()
      const after = new Uint8Array(before.length + part.length)
      after.set(before)
      after.set(part, before.length)
      this.#files.set(file, after)
    }
    return this.#write({
      finish: () => add(bytes),
      tear: (random) => add(bytes.subarray(0, random.below(bytes.length + 1))),
    })
  }

  remove(file: string): Promise<void> {
    return this.#write({
      finish: () => void this.#files.delete(file),
      tear: (random) => {
        if (random.next() < 0.5) this.#files.delete(file)
      },
    })
  }

  /**
   * The machine goes down. What was not acknowledged is gone, and its promises never settle: nobody
   * is left to hear of them. With `random` the write that was under way may have happened, an
   * addition also in part.
   */
  crash(random?: Random): void {
    this.#crashes++
    if (random !== undefined) this.#writes[0]?.tear(random)
    this.#writes = []
    this.#last = Promise.resolve()
  }

  /** The disk is lost with all that was on it. */
  clear(): void {
    this.#files.clear()
  }

  #write(write: Write): Promise<void> {
    this.#writes.push(write)
    return this.#serve(() => {
      this.#writes.shift()
      write.finish()
    })
  }

  #serve<T>(work: () => T): Promise<T> {
    const crashes = this.#crashes
    return new Promise((resolve) => {
      this.#last = this.#last.then(this.#latency).then(() => {
        if (crashes === this.#crashes) resolve(work())
      })
    })
  }
}

interface Write {
  /** Makes it durable. */
  readonly finish: () => void
  /** A crash in the middle of it. */
  readonly tear: (random: Random) => void
}
