// Starts commands the way people do, and waits for what they say.
import { type ChildProcess, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const root = fileURLToPath(new URL('../../', import.meta.url))

/** Runs the launcher with the stand-in of a node. */
export function startFake(args: readonly string[], env: NodeJS.ProcessEnv = {}): Command {
  const hook = pathToFileURL(`${root}scripts/ts-hook.mjs`).href
  const main = `${root}test/processes/start-fake-main.ts`
  return new Command(['--import', hook, '--conditions=@troupe/source', main, ...args], env)
}

/** Runs `npm start` without npm. */
export function startReal(args: readonly string[], env: NodeJS.ProcessEnv = {}): Command {
  return new Command([`${root}scripts/start.mjs`, ...args], env)
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export class Command {
  readonly process: ChildProcess
  readonly ended: Promise<Ended>
  #stdout = ''
  #stderr = ''
  readonly #waiting = new Set<() => void>()

  constructor(args: readonly string[], env: NodeJS.ProcessEnv) {
    this.process = spawn(process.execPath, args, {
      cwd: root,
      env: { ...process.env, NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text
      for (const check of this.#waiting) check()
    })
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text))
    this.ended = new Promise((resolve) => {
      this.process.on('close', (code) => {
        resolve({ code, stdout: this.#stdout, stderr: this.#stderr })
      })
    })
  }

  /** Resolves with what matched once standard output has it; rejects when the command ends without. */
  says(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const match = pattern.exec(this.#stdout)
        if (match === null) return
        this.#waiting.delete(check)
        resolve(match)
      }
      this.#waiting.add(check)
      check()
      void this.ended.then(({ code, stderr }) => {
        reject(new Error(`ended with ${String(code)} before it said ${String(pattern)}: ${stderr}`))
      })
    })
  }

  /** The object that `--json` prints: the last line, and the only one. */
  async report(): Promise<{ readonly [name: string]: unknown; readonly ended: Ended }> {
    const ended = await this.ended
    const lines = ended.stdout.trimEnd().split('\n')
    if (lines.length !== 1) throw new Error(`not one line: ${ended.stdout}\n${ended.stderr}`)
    return { ...(JSON.parse(lines[0] ?? '') as object), ended }
  }
}

/** Process ids below `pid`, of any generation. Linux only. */
export function descendantsOf(pid: number): number[] {
  const parents = new Map<number, number>()
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const parent = parentOf(Number(name))
    if (parent !== undefined) parents.set(Number(name), parent)
  }
  const isBelow = (child: number): boolean => {
    const parent = parents.get(child)
    return parent === pid || (parent !== undefined && parent > 1 && isBelow(parent))
  }
  return [...parents.keys()].filter(isBelow)
}

/** Resolves when none of the processes runs any more; rejects after `withinMs`. */
export async function gone(pids: readonly number[], withinMs: number): Promise<void> {
  for (let waitedMs = 0; ; waitedMs += POLL_MS) {
    const left = pids.filter((pid) => parentOf(pid) !== undefined)
    if (left.length === 0) return
    if (waitedMs > withinMs) throw new Error(`still running: ${left.join(', ')}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

/** Undefined when there is no such process, or only what its parent has not yet taken note of. */
function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return state === 'Z' ? undefined : Number(parent)
  } catch {
    return undefined
  }
}

const POLL_MS = 50
