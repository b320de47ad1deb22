import { parseArgs } from 'node:util'

/** What `npm start` was asked to do. */
export interface Config {
  /** How many node processes. */
  readonly nodes: number
  /** First of `2 * nodes` ports in a row: for each node HTTP, then its link. Without it any free ones. */
  readonly basePort: number | undefined
  readonly pagePort: number
  /** A page port somebody asked for is taken or refused; the usual one may give way to the next. */
  readonly isPagePortAsked: boolean
  /** Where the nodes keep what must survive them. Without it a temporary folder, removed at the end. */
  readonly dataFolder: string | undefined
  /** A folder of recordings. Without it the built-in scenario. */
  readonly replayFolder: string | undefined
  /** Page views a second, averaged over a day of the scenario; each asks for three slots. */
  readonly rate: number
  /** Scenario time passes this many times as fast as real time. */
  readonly speed: number
  /** How long the load lasts; without it until somebody interrupts. */
  readonly forMs: number | undefined
  /** Ends with one line of JSON that has all figures; nothing else goes to standard output. */
  readonly json: boolean
  /** Kills a random node every few seconds and starts it again. */
  readonly kill: boolean
  /** The same seed draws the same visitors. */
  readonly seed: number
}

export type Asked =
  | { readonly type: 'Run'; readonly config: Config }
  | { readonly type: 'Help' }
  | { readonly type: 'Refused'; readonly reason: string }

/** Understands the arguments of the command line. `reason` is one sentence that says what to do. */
export function parseArguments(args: readonly string[]): Asked {
  const options = optionsOf(args)
  if (typeof options === 'string') return refused(options)
  if (options.has('help')) return { type: 'Help' }
  const faults: string[] = []
  const read = <Default>(name: string, otherwise: Default, parse: Parse): number | Default => {
    const text = options.get(name)
    if (text === undefined) return otherwise
    const value = parse(text)
    if (typeof value === 'number') return value
    faults.push(`--${name} ${value}, got "${text}"`)
    return otherwise
  }
  const config: Config = {
    nodes: read('nodes', DEFAULTS.nodes, whole(1, NODES_MAX)),
    basePort: read('port', undefined, whole(1, 65_535)),
    pagePort: read('page-port', DEFAULTS.pagePort, whole(0, 65_535)),
    isPagePortAsked: options.has('page-port'),
    dataFolder: folderOf(options, 'data', faults),
    replayFolder: folderOf(options, 'replay', faults),
    rate: read('rate', DEFAULTS.rate, number(0, RATE_MAX)),
    speed: read('speed', DEFAULTS.speed, number(SPEED_MIN, SPEED_MAX)),
    forMs: read('for', undefined, duration),
    json: options.has('json'),
    kill: options.has('kill'),
    seed: read('seed', DEFAULTS.seed, whole(0, Number.MAX_SAFE_INTEGER)),
  }
  if (config.basePort !== undefined && config.basePort + 2 * config.nodes - 1 > 65_535)
    faults.push(
      `--port needs ${2 * config.nodes} ports in a row below 65536, got "${config.basePort}"`,
    )
  if (config.kill && config.nodes < 2)
    faults.push('--kill needs --nodes 2 or more, so that somebody answers meanwhile')
  const [fault] = faults
  return fault === undefined ? { type: 'Run', config } : refused(fault)
}

const DEFAULTS = { nodes: 3, pagePort: 8080, rate: 100, speed: 60, seed: 1 }
const NODES_MAX = 9
const RATE_MAX = 100_000
const SPEED_MIN = 0.1
const SPEED_MAX = 10_000

export const HELP: string = `Starts an ad server on a cluster of real processes, sends it traffic, and shows what happens.

  npm start -- [flags]

  --rate N        page views a second, three ad slots each (default ${DEFAULTS.rate})
  --speed N       scenario time runs N times as fast: at 60 a day lasts 24 minutes (default ${DEFAULTS.speed})
  --for TIME      stop after this long, as in 500ms, 20s or 5m (default: until Ctrl-C)
  --kill          kill a random node every few seconds and start it again
  --replay DIR    traffic, bids and click rates from recordings in DIR, instead of the built-in scenario
  --data DIR      keep the nodes' data in DIR (default: a temporary folder, removed at the end)
  --nodes N       how many nodes, 1 to ${NODES_MAX} (default ${DEFAULTS.nodes})
  --port BASE     use the ports from BASE on, two for each node (default: any free ones)
  --page-port N   the live page is at http://127.0.0.1:N/ (default ${DEFAULTS.pagePort}, or the next free one)
  --json          print one JSON object with all figures as the last line, and nothing else
  --seed N        draw the same visitors again (default ${DEFAULTS.seed})
  --help          this text
`

const FLAGS = {
  rate: { type: 'string' },
  speed: { type: 'string' },
  for: { type: 'string' },
  kill: { type: 'boolean' },
  replay: { type: 'string' },
  data: { type: 'string' },
  nodes: { type: 'string' },
  port: { type: 'string' },
  'page-port': { type: 'string' },
  json: { type: 'boolean' },
  seed: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const

/** The text of each flag given, '' for those without a value; or what is wrong. */
function optionsOf(args: readonly string[]): Map<string, string> | string {
  const { tokens } = parseArgs({ args: [...args], options: FLAGS, strict: false, tokens: true })
  const options = new Map<string, string>()
  for (const token of tokens) {
    if (token.kind === 'positional') return `"${token.value}" is not a flag`
    if (token.kind === 'option-terminator') continue
    const { name, rawName, value } = token
    if (!Object.hasOwn(FLAGS, name)) return `${rawName} is not a flag`
    const takesValue = FLAGS[name as keyof typeof FLAGS].type === 'string'
    // `--data --kill`: the flag's value was forgotten, and the next flag must not take its place.
    const isMissing = value === undefined || (!token.inlineValue && value.startsWith('--'))
    if (takesValue && isMissing) return `${rawName} needs a value`
    if (!takesValue && value !== undefined) return `${rawName} takes no value`
    if (options.has(name)) return `${rawName} is given twice`
    options.set(name, value ?? '')
  }
  return options
}

function folderOf(
  options: Map<string, string>,
  name: string,
  faults: string[],
): string | undefined {
  const folder = options.get(name)
  if (folder === '') faults.push(`--${name} must name a folder, got ""`)
  return folder
}

/** The figure, or what it must be. */
type Parse = (text: string) => number | string

function whole(min: number, max: number): Parse {
  return (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : NaN
    return value >= min && value <= max ? value : `must be a whole number from ${min} to ${max}`
  }
}

function number(min: number, max: number): Parse {
  return (text) => {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN
    return value >= min && value <= max ? value : `must be a number from ${min} to ${max}`
  }
}

function duration(text: string): number | string {
  const [, figure, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? []
  const ms = Number(figure) * { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[unit ?? 's']!
  return ms >= 1 && ms <= FOR_MAX_MS ? ms : 'must be a time such as 500ms, 20s or 5m'
}

/** Timers of the host cannot wait longer. */
const FOR_MAX_MS = 24 * 3_600_000

function refused(reason: string): Asked {
  return { type: 'Refused', reason: `${reason}; --help lists all flags` }
}
