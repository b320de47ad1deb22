import { HELP, parseArguments } from '../config.ts'
import { AdServerError } from '../errors.ts'
import { consoleDisplay, jsonDisplay } from '../report/console-display.ts'
import { SHOW_CURSOR } from '../report/terminal.ts'
import { runAdServer } from './run-process.ts'

/** The whole command, from its arguments to its exit code. `nodeProgram`: only tests give another one. */
export async function runMain(nodeProgram?: string): Promise<void> {
  // A reader that has gone is no reason to end in disorder.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
  try {
    process.exitCode = await run(nodeProgram)
  } catch (error) {
    const isForPeople = error instanceof AdServerError
    process.stderr.write(`${isForPeople ? error.message : String((error as Error).stack)}\n`)
    process.exitCode = 1
  }
}

async function run(nodeProgram: string | undefined): Promise<number> {
  const asked = parseArguments(process.argv.slice(2))
  if (asked.type === 'Help') {
    process.stdout.write(HELP)
    return 0
  }
  if (asked.type === 'Refused') {
    process.stderr.write(`${asked.reason}\n`)
    return 2
  }
  const { config } = asked
  // However it ends: a terminal whose cursor was hidden gets it back.
  if (process.stdout.isTTY) process.on('exit', () => process.stdout.write(SHOW_CURSOR))
  const display = config.json
    ? jsonDisplay(printLine(process.stdout), printLine(process.stderr))
    : consoleDisplay(outputOf(process.stdout))
  const program = nodeProgram === undefined ? {} : { nodeProgram }
  await runAdServer({ config, display, stop: signalled(), ...program })
  return 0
}

/**
 * Aborted by the first signal to end. Others may follow by themselves (npm and the scripts hand them
 * on); only a second Ctrl-C of somebody who has waited means: at once.
 */
function signalled(): AbortSignal {
  const controller = new AbortController()
  let firstAt = 0
  const stop = (signal: NodeJS.Signals): void => {
    const isImpatient = signal === 'SIGINT' && Date.now() - firstAt > IMPATIENT_AFTER_MS
    if (controller.signal.aborted && isImpatient) process.exit(130)
    if (!controller.signal.aborted) firstAt = Date.now()
    controller.abort()
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  // Nobody reads any more (`npm start | head`).
  process.stdout.on('error', () => controller.abort())
  return controller.signal
}

function outputOf(stream: NodeJS.WriteStream): Parameters<typeof consoleDisplay>[0] {
  return {
    isTerminal: stream.isTTY && process.env['TERM'] !== 'dumb',
    hasColours: stream.isTTY && process.env['NO_COLOR'] === undefined,
    get columns() {
      return stream.columns || 80
    },
    get rows() {
      return stream.rows || 24
    },
    write: (text) => void stream.write(text),
  }
}

function printLine(stream: NodeJS.WriteStream): (line: string) => void {
  return (line) => void stream.write(`${line}\n`)
}

const IMPATIENT_AFTER_MS = 1_000
