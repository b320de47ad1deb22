/**
 * The time of the scenario: real time, run faster.
 *
 * Days, candidate lifetimes and reauctions follow it; timeouts, leases, tokens and rates follow real
 * time. All nodes of a run get the same origin, so their scenario clocks agree as well as their wall
 * clocks do, and a restarted node is where the others are.
 */
export class ScenarioClock {
  /** Scenario seconds per real second. */
  readonly speed: number
  readonly #realStartMs: number
  readonly #scenarioStartMs: number

  constructor(origin: ScenarioOrigin) {
    this.speed = origin.speed
    this.#realStartMs = origin.realStartMs
    this.#scenarioStartMs = origin.scenarioStartMs
  }

  /** Scenario time, in milliseconds since 1970, at a real wall time. */
  at(realMs: number): number {
    return Math.floor(this.#scenarioStartMs + (realMs - this.#realStartMs) * this.speed)
  }

  /** How long a stretch of scenario time takes in reality; at least `leastMs`. */
  realDurationOf(scenarioMs: number, leastMs: number = 0): number {
    return Math.max(leastMs, scenarioMs / this.speed)
  }

  /** Length of a scenario day in real seconds. */
  get daySeconds(): number {
    return 86_400 / this.speed
  }
}

export interface ScenarioOrigin {
  readonly realStartMs: number
  readonly scenarioStartMs: number
  /** > 0; 1 is real time. */
  readonly speed: number
}

/** Scenario time is real time. */
export const realTime: ScenarioOrigin = { realStartMs: 0, scenarioStartMs: 0, speed: 1 }
