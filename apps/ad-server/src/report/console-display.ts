import type { Display } from '../launcher/run-process.ts'
import type { Drive } from '../scenario/traffic.ts'
import type { PageEvent } from '../page/page-event.ts'
import { rowLines } from './final-report.ts'
import { summaryLine, summaryLines } from './summary-lines.ts'
import { colours, InPlace, noColours, type Screen } from './terminal.ts'

/** Where a run is shown: a terminal, a pipe or a file. */
export interface Output extends Screen {
  readonly isTerminal: boolean
  readonly hasColours: boolean
}

/** On a terminal the summary is updated in place; elsewhere there is a line every few seconds. */
export function consoleDisplay(output: Output): Display {
  return output.isTerminal ? inPlaceDisplay(output) : plainDisplay(output)
}

/** For `--json`: the object on the standard output, what people must know on the other. */
export function jsonDisplay(print: (line: string) => void, warn: (line: string) => void): Display {
  return {
    prepared: () => undefined,
    summary: () => undefined,
    notice: (text, at) => warn(`${at}  ${text}`),
    finished: (report) => print(JSON.stringify(report)),
  }
}

function inPlaceDisplay(output: Output): Display {
  const paint = output.hasColours ? colours : noColours
  const screen = new InPlace(output)
  let pageUrl = ''
  return {
    prepared: (drive, url) => {
      pageUrl = url
      for (const line of linesAbout(drive)) output.write(`${paint('quiet', line)}\n`)
    },
    summary: (event) => {
      screen.show(linesOf(event, pageUrl, paint))
      if (event.phase !== 'over') return
      screen.end()
      output.write('The nodes are leaving the cluster, one after another ...\n')
    },
    notice: () => undefined,
    finished: () => output.write('All nodes have left the cluster.\n'),
  }
}

function plainDisplay(output: Output): Display {
  const print = (line: string): void => output.write(`${line}\n`)
  let pageUrl = ''
  let nextAt = FIRST_LINE_MS
  return {
    prepared: (drive, url) => {
      pageUrl = url
      print(`Troupe ad server, ${drive.scenario.name}; live page at ${url}`)
      linesAbout(drive).forEach(print)
    },
    summary: (event) => {
      const { summary, elapsedMs, phase } = event
      if (phase === 'over') {
        print('')
        linesOf(event, pageUrl, noColours).forEach(print)
      } else if (phase === 'running' && elapsedMs !== undefined && elapsedMs >= nextAt) {
        nextAt = (Math.floor(elapsedMs / LINE_EVERY_MS) + 1) * LINE_EVERY_MS
        print(summaryLine(summary, elapsedMs))
      }
    },
    notice: (text, at) => print(`${at.padStart(5)}  ${text}`),
    finished: () => print('All nodes have left the cluster.'),
  }
}

/** Where the figures come from, and what was made of each recorded row. */
function linesAbout({ scenario, rows, remarks }: Drive): string[] {
  return [`Figures: ${scenario.source}.`, ...rowLines(rows), ...remarks]
}

function linesOf(event: PageEvent, pageUrl: string, paint: typeof colours): string[] {
  const { summary, title, elapsedMs, speed, notices, phase } = event
  const hint = HINTS[phase]
  const timesOf = phase === 'over' ? 'whole run' : 'last 10 s'
  return summaryLines(
    summary,
    { title: `Troupe ad server   ${title}   ${pageUrl}`, elapsedMs, speed, notices, timesOf, hint },
    paint,
  )
}

const HINTS = {
  starting: 'the nodes are starting',
  running: 'Ctrl-C ends the run in order',
  ending: 'ending: the last answers and changes arrive',
  over: '',
} as const

const FIRST_LINE_MS = 1_000
const LINE_EVERY_MS = 5_000
