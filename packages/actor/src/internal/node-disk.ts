import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Disk } from '../platform.ts'

/** Files under one folder of the host, made durable before anything is acknowledged. */
export class NodeDisk implements Disk {
  readonly #folder: string
  /** Writes happen one after the other, so that two writes to one file cannot cross. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(folder: string) {
    this.#folder = folder
  }

  read(file: string): Promise<Uint8Array | undefined> {
    return this.#afterOthers(async () => {
      try {
        return new Uint8Array(await readFile(join(this.#folder, file)))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
        throw error
      }
    })
  }

  replace(file: string, content: Uint8Array): Promise<void> {
    return this.#afterOthers(async () => {
      const path = join(this.#folder, file)
      await mkdir(dirname(path), { recursive: true })
      await writeThrough(`${path}.new`, 'w', content)
      await rename(`${path}.new`, path)
      await syncFolder(dirname(path))
    })
  }

  append(file: string, content: Uint8Array): Promise<void> {
    return this.#afterOthers(async () => {
      const path = join(this.#folder, file)
      await mkdir(dirname(path), { recursive: true })
      await writeThrough(path, 'a', content)
    })
  }

  remove(file: string): Promise<void> {
    return this.#afterOthers(() => rm(join(this.#folder, file), { force: true }))
  }

  #afterOthers<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work, work)
    this.#last = result.catch(() => undefined)
    return result
  }
}

async function writeThrough(path: string, mode: 'a' | 'w', content: Uint8Array): Promise<void> {
  const file = await open(path, mode)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** A rename is durable once the folder is; hosts that cannot sync folders do it by themselves. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } catch {
    // Not supported here, nothing to make up for.
  } finally {
    await handle.close()
  }
}
