/** What happens in one round, step by step; the same seed gives the same plan. */
export type Step =
  | { readonly type: 'View'; readonly client: string }
  | { readonly type: 'GoOffline'; readonly client: string }
  | { readonly type: 'GoOnline'; readonly client: string }

export interface PlanOptions {
  readonly clients: readonly string[]
  /** View requests. */
  readonly requests: number
  readonly seed: number
}

/** Everybody is online; each request goes to a client drawn by lot. */
export function onlinePlan({ clients, requests, seed }: PlanOptions): readonly Step[] {
  const below = lots(seed)
  return Array.from({ length: requests }, () => view(clients, below))
}

/**
 * The same, but two clients (one, if there are only two) are offline from the start. The first comes
 * back after three fifths of the requests, the second after all of them.
 */
export function offlinePlan({ clients, requests, seed }: PlanOptions): readonly Step[] {
  const below = lots(seed)
  const away = drawn(clients, Math.min(2, clients.length - 1), below)
  const back = Math.floor((requests * 3) / 5)
  const steps: Step[] = away.map((client) => ({ type: 'GoOffline', client }))
  for (let request = 0; request < requests; request++) {
    const [first] = away
    if (request === back && first !== undefined) steps.push({ type: 'GoOnline', client: first })
    steps.push(view(clients, below))
  }
  const returning = requests > back ? away.slice(1) : away
  for (const client of returning) steps.push({ type: 'GoOnline', client })
  return steps
}

function view(clients: readonly string[], below: (bound: number) => number): Step {
  return { type: 'View', client: clients[below(clients.length)] ?? '' }
}

function drawn(
  from: readonly string[],
  count: number,
  below: (bound: number) => number,
): readonly string[] {
  const left = [...from]
  return Array.from({ length: count }, () => left.splice(below(left.length), 1)[0] ?? '')
}

/** Draws numbers below a bound. Source: mulberry32 (Ettinger, public domain). */
function lots(seed: number): (bound: number) => number {
  let state = seed >>> 0
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * bound)
  }
}
