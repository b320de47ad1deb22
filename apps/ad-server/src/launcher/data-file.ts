import { mkdirSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { AdServerError } from '../errors.ts'

/** Where the nodes of one run write. */
export interface DataFolder {
  readonly path: string
  /** A node's own folder; exists afterwards. */
  folderOf(name: string): string
  /** Gives the folder back; a temporary one is removed. */
  release(): Promise<void>
}

/** Takes `asked`, or a temporary folder. Throws `DATA_FOLDER_UNUSABLE`, in one sentence. */
export async function takeDataFolder(asked: string | undefined): Promise<DataFolder> {
  if (asked === undefined) {
    const path = await mkdtemp(join(tmpdir(), 'troupe-ad-server-')).catch((cause: unknown) => {
      throw unusable(tmpdir(), cause, 'set TMPDIR to one that can')
    })
    const release = () => rm(path, { recursive: true, force: true, maxRetries: 3 })
    return { path, folderOf: (name) => folderIn(path, name), release }
  }
  const path = resolve(asked)
  const lock = join(path, 'in-use-by')
  try {
    await makeFolder(path)
    await refuseSecondUser(path, lock)
    await writeFile(lock, String(process.pid))
  } catch (cause) {
    if (cause instanceof AdServerError) throw cause
    throw unusable(path, cause, 'choose another one with --data')
  }
  return {
    path,
    folderOf: (name) => folderIn(path, name),
    release: () => rm(lock, { force: true }),
  }
}

function folderIn(path: string, name: string): string {
  const folder = join(path, name)
  mkdirSync(folder, { recursive: true })
  return folder
}

/**
 * Makes a folder and those above it. `mkdir` of Node with `recursive` never comes back from places that
 * deny the folder exists before and after it is made, such as /proc.
 */
async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return
    const above = dirname(path)
    if (code !== 'ENOENT' || above === path) throw cause
    await makeFolder(above)
    await mkdir(path)
  }
}

/** Two runs in one folder would overwrite each other's state. */
async function refuseSecondUser(path: string, lock: string): Promise<void> {
  const pid = Number(await readFile(lock, 'utf8').catch(() => ''))
  if (!(pid > 0) || pid === process.pid || !isAlive(pid)) return
  throw new AdServerError(
    'DATA_FOLDER_UNUSABLE',
    `the data folder ${path} is in use by process ${pid}; end that one, or choose another folder with --data`,
  )
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function unusable(path: string, cause: unknown, advice: string): AdServerError {
  const { code = String(cause) } = cause as NodeJS.ErrnoException
  const why =
    {
      EROFS: 'is read-only',
      EACCES: 'may not be written to',
      EPERM: 'may not be written to',
      ENOSPC: 'is on a full disk',
      ENOTDIR: 'is inside of something that is not a folder',
      EEXIST: 'is not a folder',
    }[code] ?? `cannot be written to (${code})`
  return new AdServerError('DATA_FOLDER_UNUSABLE', `the data folder ${path} ${why}; ${advice}`, {
    cause,
  })
}
