import { randomBytes } from 'node:crypto'
import { performance } from 'node:perf_hooks'
import type { Config } from '../config.ts'
import { AdServerError } from '../errors.ts'
import { HttpLoad, servePath, type Target } from '../load/http-load.ts'
import { HttpPage } from '../page/http-page.ts'
import type { PageEvent, RunPhase } from '../page/page-event.ts'
import { SeededRandom } from '../random.ts'
import { finalReport } from '../report/final-report.ts'
import { type Observation, Summaries, type Summary } from '../report/summary.ts'
import { durationText } from '../report/figure-text.ts'
import { parseScenario } from '../scenario.ts'
import { builtInDrive } from '../scenario/built-in.ts'
import { readRecordings } from '../scenario/replay-file.ts'
import { replayDrive } from '../scenario/replay.ts'
import type { Drive } from '../scenario/traffic.ts'
import { type DataFolder, takeDataFolder } from './data-file.ts'
import { FleetProcess } from './fleet-process.ts'
import { nodePorts } from './http-ports.ts'
import { IndexWatch } from './index-watch.ts'
import { KillPlan } from './kill-plan.ts'
import { Notices } from './notices.ts'

/** How a run is shown. */
export interface Display {
  /** What was prepared, before anything is started. */
  prepared(drive: Drive, pageUrl: string): void
  /** About twice a second. */
  summary(event: PageEvent): void
  /** Something happened; `at` is the time since the load began. */
  notice(text: string, at: string): void
  /** All nodes have left. */
  finished(report: Readonly<Record<string, unknown>>): void
}

export interface RunSettings {
  readonly config: Config
  readonly display: Display
  /** Asks to end the run in order, for instance on Ctrl-C. */
  readonly stop: AbortSignal
  /** The program of a node; only tests give another one. */
  readonly nodeProgram?: string
}

/** Runs the whole of it: nodes, page and load, until the time is up or somebody stops it. Throws `AdServerError`. */
export async function runAdServer(settings: RunSettings): Promise<void> {
  const { config } = settings
  const drive = await driveOf(config)
  const ports = await nodePorts(config.nodes, HOST, config.basePort)
  const dataFolder = await takeDataFolder(config.dataFolder)
  try {
    await new Run(settings, drive, dataFolder).run(ports)
  } finally {
    await dataFolder.release()
  }
}

async function driveOf({ replayFolder, rate, speed }: Config): Promise<Drive> {
  const slotsPerDay = rate * SLOTS_PER_VIEW * (86_400 / speed)
  const drive =
    replayFolder === undefined
      ? builtInDrive({ slotsPerDay })
      : replayDrive(replayFolder, await readRecordings(replayFolder), { slotsPerDay })
  const parsed = parseScenario(drive.scenario)
  if (parsed.ok) return drive
  const faults = parsed.faults.slice(0, 3).map(({ path, reason }) => `${path} ${reason}`)
  throw new AdServerError(
    'INVALID_SCENARIO',
    `the scenario "${drive.scenario.name}" cannot be used: ${faults.join('; ')}`,
  )
}

/** One run; the parts know nothing of each other. */
class Run {
  readonly #config: Config
  readonly #display: Display
  readonly #stop: AbortSignal
  readonly #nodeProgram: string | undefined
  readonly #drive: Drive
  readonly #dataFolder: DataFolder
  readonly #random: SeededRandom
  readonly #realStartMs = Date.now()
  readonly #startedAt = performance.now()
  readonly #notices = new Notices(NOTICES_KEPT)
  readonly #summaries = new Summaries()
  readonly #indexWatch = new IndexWatch()
  readonly #overall = new Summaries('whole run')
  #fleet: FleetProcess | undefined
  #load: HttpLoad | undefined
  #page: HttpPage | undefined
  #killPlan: KillPlan | undefined
  #loadStartedAt: number | undefined
  #loadEndedAt: number | undefined
  #gaveUp: string | undefined

  constructor(settings: RunSettings, drive: Drive, dataFolder: DataFolder) {
    this.#config = settings.config
    this.#display = settings.display
    this.#stop = settings.stop
    this.#nodeProgram = settings.nodeProgram
    this.#drive = drive
    this.#dataFolder = dataFolder
    this.#random = new SeededRandom(settings.config.seed)
  }

  async run(ports: Awaited<ReturnType<typeof nodePorts>>): Promise<void> {
    try {
      const load = (this.#load = this.#makeLoad())
      const page = (this.#page = await this.#startPage(load))
      this.#display.prepared(this.#drive, page.url)
      const { pagePort } = this.#config
      if (pagePort !== 0 && page.port !== pagePort)
        this.#notice(`port ${pagePort} is in use, so the page is at ${page.url}`)
      const fleet = (this.#fleet = this.#startFleet(ports))
      await this.#until(() => this.#isReady(fleet), READY_WITHIN_MS)
      if (!this.#isEnding) this.#notice(this.#readyText(fleet))
      if (!this.#isEnding) await this.#drivenTime(fleet, load)
      await load.stop()
      // What is still on its way between the nodes arrives; afterwards all must hold the same.
      if (!this.#isStopped) await this.#until(() => this.#isSettled(), SETTLE_WITHIN_MS)
      if (this.#gaveUp !== undefined) throw this.#nodeFailed(this.#gaveUp)
      const summary = this.#show('over')
      const killed = await fleet.shutdown()
      for (const name of killed) this.#notice(`${name} did not leave in time and was killed`)
      this.#display.finished(finalReport(summary, this.#facts()))
    } finally {
      this.#fleet?.killAll()
      await this.#page?.close()
    }
  }

  /** Load and, if asked for, kills, until it is time to end. */
  async #drivenTime(fleet: FleetProcess, load: HttpLoad): Promise<void> {
    this.#loadStartedAt = performance.now()
    this.#overall.observe(this.#observation())
    if (this.#config.kill) this.#killPlan = new KillPlan(this.#random, this.#loadStartedAt)
    load.start()
    const { forMs = Infinity } = this.#config
    const endsAt = this.#loadStartedAt + forMs
    let day = this.#scenarioDay()
    await this.#until(() => {
      const now = performance.now()
      const names = fleet.nodes.map(({ name }) => name)
      const victim = this.#killPlan?.next(names, fleet.isComplete, now)
      if (victim !== undefined) {
        this.#notice(`${victim} was killed (SIGKILL)`)
        fleet.kill(victim)
      }
      // A new day brings recorded bids of its own, and pages are looked at again.
      if (this.#scenarioDay() !== day) fleet.load(this.#drive.scenarioOn(this.#scenarioNow()))
      day = this.#scenarioDay()
      return now >= endsAt
    }, forMs + TICK_MS)
    this.#loadEndedAt = performance.now()
    this.#show('ending')
  }

  get #phase(): RunPhase {
    if (this.#loadStartedAt === undefined) return 'starting'
    return this.#loadEndedAt === undefined ? 'running' : 'ending'
  }

  get #isStopped(): boolean {
    return this.#stop.aborted
  }

  get #isEnding(): boolean {
    return this.#isStopped || this.#gaveUp !== undefined
  }

  /** Everybody is up and knows what to show: only then are the first answers worth looking at. */
  #isReady(fleet: FleetProcess): boolean {
    const entries = fleet.nodes.map(({ stats }) => stats?.indexEntries ?? 0)
    return this.#indexWatch.isFilled(entries, performance.now()) && fleet.isComplete
  }

  #readyText(fleet: FleetProcess): string {
    const seconds = ((performance.now() - this.#startedAt) / 1_000).toFixed(1)
    return this.#isReady(fleet)
      ? `all nodes are up and know what to show after ${seconds} s`
      : `not all nodes are ready after ${seconds} s; the load begins all the same`
  }

  #isSettled(): boolean {
    const { nodesUp, nodes, replicasAgree } = this.#summaries.observe(this.#observation())
    return nodesUp === nodes.length && replicasAgree
  }

  /** Shows the summary until `isDone`, the run is to end, or `withinMs` have passed. */
  async #until(isDone: () => boolean, withinMs: number): Promise<void> {
    const giveUpAt = performance.now() + withinMs
    for (let tick = 0; ; tick++) {
      if (isDone() || this.#isEnding || performance.now() >= giveUpAt) return
      if (tick % TICKS_PER_SUMMARY === 0) this.#show(this.#phase)
      await pause(Math.min(TICK_MS, Math.max(1, giveUpAt - performance.now())))
    }
  }

  #startFleet(ports: Awaited<ReturnType<typeof nodePorts>>): FleetProcess {
    return new FleetProcess({
      ports,
      dataFolder: this.#dataFolder,
      common: {
        host: HOST,
        secret: randomBytes(32).toString('base64url'),
        speed: this.#config.speed,
        realStartMs: this.#realStartMs,
        scenarioStartMs: this.#drive.traffic.startMs,
        logLevel: 'warn',
      },
      scenario: this.#drive.scenario,
      ...(this.#nodeProgram === undefined ? {} : { program: this.#nodeProgram }),
      onNotice: (text) => this.#notice(text),
      onGiveUp: (reason) => (this.#gaveUp = reason),
    })
  }

  #makeLoad(): HttpLoad {
    return new HttpLoad({
      scenario: this.#drive.scenario,
      traffic: this.#drive.traffic,
      random: this.#random,
      rate: this.#config.rate,
      scenarioNow: () => this.#scenarioNow(),
      targets: () => this.#targets(),
    })
  }

  #startPage(load: HttpLoad): Promise<HttpPage> {
    const { scenario } = this.#drive
    const chance = new SeededRandom(this.#config.seed + 1)
    return HttpPage.start({
      scenario,
      host: HOST,
      port: this.#config.pagePort,
      isPortAsked: this.#config.isPagePortAsked,
      ask: (path) => load.ask(path),
      nextPage: () => {
        const site = chance.below(scenario.sites.length)
        const pages = scenario.sites[site]?.pages ?? []
        const page = chance.below(pages.length)
        const { url = '/', slots = [] } = pages[page] ?? {}
        return { path: servePath(scenario, site, page), url, slots: slots.map((s) => s.slotId) }
      },
    })
  }

  #nodeFailed(reason: string): AdServerError {
    const where = this.#config.dataFolder
    const advice =
      where === undefined ? 'with --data DIR its log is kept there' : `its log is in ${where}`
    return new AdServerError('NODE_FAILED', `${reason}; ${advice}`)
  }

  #targets(): readonly Target[] {
    const nodes = this.#fleet?.nodes ?? []
    return nodes
      .filter(({ phase }) => phase === 'up')
      .map(({ name }) => ({ name, host: HOST, port: this.#fleet?.portsOf(name)?.httpPort ?? 0 }))
  }

  #scenarioNow(): number {
    const passedMs = performance.now() - this.#startedAt
    return this.#drive.traffic.startMs + passedMs * this.#config.speed
  }

  #scenarioDay(): number {
    return Math.floor(this.#scenarioNow() / 86_400_000)
  }

  #observation(nowMs: number = performance.now()): Observation {
    const fleet = this.#fleet
    return {
      nowMs,
      scenarioNowMs: this.#scenarioNow(),
      nodes: (fleet?.nodes ?? []).map(({ name, phase, starts, stats, earlier }) => {
        const pid = fleet?.pidOf(name)
        return {
          name,
          phase,
          starts,
          httpPort: fleet?.portsOf(name)?.httpPort ?? 0,
          ...(pid === undefined ? {} : { pid }),
          ...(earlier === undefined ? {} : { earlier }),
          ...(stats === undefined ? {} : { stats }),
        }
      }),
      ...(this.#loadStartedAt === undefined || this.#load === undefined
        ? {}
        : { load: this.#load.figures() }),
    }
  }

  /** At the end the rates are those of the whole run. */
  #show(phase: RunPhase): Summary {
    const summary =
      phase === 'over'
        ? this.#overall.observe(this.#observation(this.#loadEndedAt))
        : this.#summaries.observe(this.#observation())
    const event: PageEvent = {
      title: `${this.#drive.scenario.name}, ${this.#config.nodes} nodes`,
      source: this.#drive.scenario.source,
      summary,
      ...(this.#loadStartedAt === undefined ? {} : { elapsedMs: this.#elapsedMs() }),
      speed: this.#config.speed,
      notices: this.#notices.latest(NOTICES_KEPT),
      phase,
    }
    this.#page?.show(event)
    this.#display.summary(event)
    return summary
  }

  #notice(text: string): void {
    const at = durationText(this.#elapsedMs())
    this.#notices.add(at, text)
    this.#display.notice(text, at)
  }

  #elapsedMs(): number {
    const { forMs = Infinity } = this.#config
    const end = this.#loadEndedAt ?? performance.now()
    return Math.min(forMs, end - (this.#loadStartedAt ?? end))
  }

  #facts(): Parameters<typeof finalReport>[1] {
    return {
      scenario: this.#drive.scenario.name,
      elapsedMs: this.#elapsedMs(),
      rate: this.#config.rate,
      speed: this.#config.speed,
      kills: this.#killPlan?.kills ?? 0,
      rows: this.#drive.rows,
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

const HOST = '127.0.0.1'
const SLOTS_PER_VIEW = 3
const TICK_MS = 100
const TICKS_PER_SUMMARY = 5
const NOTICES_KEPT = 5
/** A node that is not up by then has said why, or the summary shows what is missing. */
const READY_WITHIN_MS = 30_000
const SETTLE_WITHIN_MS = 30_000
