export interface AdCounterConfig {
  readonly ads: number
  readonly clients: number
  /** Views after which an ad is not shown any more. */
  readonly limit: number
  /** View requests in each of the two rounds. */
  readonly requests: number
  readonly nodes: number
  /** Between one request and the next, in milliseconds. */
  readonly pauseMs: number
  readonly seed: number
  readonly json: boolean
}

export const defaultConfig: AdCounterConfig = {
  ads: 5,
  clients: 5,
  limit: 5,
  requests: 50,
  nodes: 3,
  pauseMs: 10,
  seed: 1,
  json: false,
}

export type Asked =
  | { readonly type: 'Run'; readonly config: AdCounterConfig }
  | { readonly type: 'Help' }
  /** `reason`: one sentence that says what to do. */
  | { readonly type: 'Refused'; readonly reason: string }

/** What the command line asks for. */
export function parseArguments(args: readonly string[]): Asked {
  let config = defaultConfig
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? ''
    const [flag = '', attached] = arg.split('=', 2)
    if (flag === '--help' || flag === '-h') return { type: 'Help' }
    if (arg === '--json') config = { ...config, json: true }
    else {
      const bounds = NUMBERS.get(flag)
      if (bounds === undefined)
        return refused(`I do not know ${arg}; --help lists what I understand.`)
      const text = attached ?? args[++at]
      const value = Number(text)
      const { name, min, max } = bounds
      if (
        text === undefined ||
        text.trim() === '' ||
        !Number.isInteger(value) ||
        value < min ||
        value > max
      ) {
        const got = text === undefined ? 'nothing' : text
        return refused(`${flag} takes a whole number from ${min} to ${max}, got ${got}.`)
      }
      config = { ...config, [name]: value }
    }
  }
  return { type: 'Run', config }
}

function refused(reason: string): Asked {
  return { type: 'Refused', reason }
}

interface Bounds {
  readonly name: Exclude<keyof AdCounterConfig, 'json'>
  readonly min: number
  readonly max: number
}

const NUMBERS: ReadonlyMap<string, Bounds> = new Map([
  ['--ads', { name: 'ads', min: 1, max: 1_000 }],
  ['--clients', { name: 'clients', min: 1, max: 1_000 }],
  ['--limit', { name: 'limit', min: 1, max: 1_000_000 }],
  ['--requests', { name: 'requests', min: 1, max: 100_000 }],
  ['--nodes', { name: 'nodes', min: 1, max: 15 }],
  ['--pause', { name: 'pauseMs', min: 0, max: 10_000 }],
  ['--seed', { name: 'seed', min: 0, max: 2 ** 32 - 1 }],
])

export const HELP: string = `npm run ad-counter -- [flags]

Counts views of ads on a small cluster, twice: with everybody online, then with
clients that are offline for a while and merge their counts when they are back.

  --ads N        ads (default ${defaultConfig.ads})
  --clients N    clients that show them (default ${defaultConfig.clients})
  --limit N      views after which an ad is not shown any more (default ${defaultConfig.limit})
  --requests N   view requests in each round (default ${defaultConfig.requests})
  --nodes N      nodes of the cluster, in this process (default ${defaultConfig.nodes})
  --pause MS     milliseconds between requests (default ${defaultConfig.pauseMs})
  --seed N       draws who is asked and who is offline (default ${defaultConfig.seed})
  --json         one JSON object as last line
  --help         this text
`
