import type { Summary } from '../report/summary.ts'

/** `ending`: no new requests, and what is under way arrives. `over`: the last event, with the figures of the whole run. */
export type RunPhase = 'starting' | 'running' | 'ending' | 'over'

/** What the page is told about once a second. */
export interface PageEvent {
  readonly title: string
  readonly source: string
  readonly summary: Summary
  /** Absent until the load has begun. */
  readonly elapsedMs?: number
  readonly speed: number
  readonly notices: readonly string[]
  readonly phase: RunPhase
}

/** An event in the format of server-sent events. JSON has no line ends of its own. */
export function encodePageEvent(event: PageEvent): string {
  return `event: summary\ndata: ${JSON.stringify(event)}\n\n`
}
