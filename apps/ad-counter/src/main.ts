import { announcement, closingLine, roundAccount } from './account.ts'
import { runAdCounter } from './ad-counter.ts'
import { type AdCounterConfig, HELP, parseArguments } from './config.ts'
import { startLocalNodes } from './local-nodes.ts'
import { isAsPromised } from './report.ts'
import { warningsOnly } from './warnings-only.ts'

// The advertisement counter: `npm run ad-counter`.
// A reader that has gone (`| head`) is no reason to end in disorder.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)
try {
  process.exitCode = await main()
} catch (error) {
  process.stderr.write(`ad-counter: ${(error as Error).message}\n`)
  process.exitCode = 1
}

async function main(): Promise<number> {
  const asked = parseArguments(process.argv.slice(2))
  switch (asked.type) {
    case 'Help':
      process.stdout.write(HELP)
      return 0
    case 'Refused':
      process.stderr.write(`${asked.reason}\n`)
      return 2
    case 'Run':
      return run(asked.config)
  }
}

async function run(config: AdCounterConfig): Promise<number> {
  const say = (text: string): void => void process.stdout.write(`${text}\n`)
  say(announcement(config))
  const logger = warningsOnly((line) => void process.stderr.write(`${line}\n`))
  const nodes = await startLocalNodes(config.nodes, logger)
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()))
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => void stop().then(() => process.exit(130)))
  }
  try {
    const report = await runAdCounter(nodes, config, (round) =>
      say(`\n${roundAccount(round, config.nodes)}`),
    )
    say(`\n${closingLine(report)}`)
    if (config.json) say(JSON.stringify(report))
    return isAsPromised(report) ? 0 : 1
  } finally {
    await stop()
  }
}
