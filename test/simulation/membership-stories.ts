import type { SimulatedNode } from '@troupe/testkit/cluster'
import { type FaultKind, faults, type Simulation } from '@troupe/testkit/simulation'
import { expect } from 'vitest'
import { MembershipHistory } from './membership-history.ts'

/**
 * A minute of faults of all kinds; in some seeds any number of nodes is down at the same time.
 * Afterwards all nodes, some of them restarted, are one cluster.
 */
export async function reunion(world: Simulation): Promise<void> {
  const { cluster, clock, nodes, random } = world
  const history = await watched(world)

  const crashedMax = random('crashes').next() < 0.5 ? 2 : nodes.length
  const plan = faults.plan(random('faults'), {
    nodes,
    duration: '60s',
    crashedMax,
    kinds: ALL_KINDS,
  })
  await faults.play(world, plan)
  await clock.until(() => cluster.isFormed(), '120s', 'one membership of all nodes')

  history.check()
}

/**
 * The net splits into two parts for longer than it takes to decide. The larger part stays, or of two
 * equal ones that with the lowest address; the others end by themselves, before the net is mended.
 */
export async function cleanSplit(world: Simulation): Promise<void> {
  const { clock, network } = world
  const history = await watched(world)
  const [part, rest] = twoParts(world)
  const [staying, going] = keepsMajority(part, rest) ? [part, rest] : [rest, part]
  await breathe(world)

  network.partition(part, rest)
  await clock.until(
    () => going.every(({ isRunning }) => !isRunning),
    '45s',
    'the smaller part gone',
  )
  await clock.until(() => isOneCluster(staying), '45s', 'the larger part on its own')
  network.heal()
  await clock.advance('10s')

  expect(isOneCluster(staying)).toBe(true)
  history.check()
}

/** The net splits for less than it takes to decide: nobody goes. */
export async function shortSplit(world: Simulation): Promise<void> {
  const { cluster, clock, network, random } = world
  const history = await watched(world)
  await breathe(world)

  network.partition(...twoParts(world))
  await clock.advance(random('length').below(STABLE_AFTER_MS))
  network.heal()
  await clock.until(() => cluster.isFormed(), '30s', 'all together again')

  expect(history.told.filter(({ type }) => type !== 'MemberUp')).toEqual([])
  history.check()
}

/** On both sides of a split a node is restarted: neither side lets it in before the split is over. */
export async function joiningInSplit(world: Simulation): Promise<void> {
  const { cluster, clock, network, random } = world
  const history = await watched(world)
  await breathe(world)
  const [part, rest] = twoParts(world, 2)

  network.partition(part, rest)
  const restarted = [part, rest].map((side) => side[0] as SimulatedNode)
  await Promise.all(restarted.map((node) => node.restart()))
  await clock.advance(3_000 + random('length').below(12_000))
  const during = history.told.filter(({ type }) => type === 'MemberUp')
  network.heal()
  await clock.until(() => cluster.isFormed(), '60s', 'all together again')

  history.check()
  expect(during).toEqual([])
}

/** One node after the other leaves while the net is slow and links break: none of them is taken for dead. */
export async function leaving(world: Simulation): Promise<void> {
  const { clock, nodes, random } = world
  const history = await watched(world)
  const draws = random('leaving')
  const kinds = ['Slow', 'BreakLinks'] as const
  const plan = faults.plan(random('faults'), { nodes, duration: '100s', kinds, lastsAtMost: '10s' })
  // The story ends before the play does: nobody waits for it.
  void faults.play(world, plan)

  const left = [...nodes]
  const gone = [1, 2].map(() => left.splice(draws.below(left.length), 1)[0] as SimulatedNode)
  for (const node of gone) {
    await clock.advance(draws.below(5_000))
    await node.stop()
  }
  await clock.until(() => isOneCluster(left), '40s', 'those that stayed on their own')

  for (const node of gone) {
    for (const other of left) {
      const told = history.told.filter(
        ({ to, address }) => to === other.name && address === node.address,
      )
      expect(told.map(({ type }) => type)).toEqual(['MemberLeft', 'MemberExited', 'MemberRemoved'])
    }
  }
  history.check()
}

/** A node stands still for a moment, as long as others do not worry: nobody calls anybody unreachable. */
export async function shortStandstill(world: Simulation): Promise<void> {
  const { clock, random } = world
  const history = await watched(world)
  await breathe(world)

  const resume = pick(world).pause()
  await clock.advance(random('length').below(PAUSE_MS))
  resume()
  await clock.advance('20s')

  expect(history.suspicions).toEqual([])
  history.check()
}

/** A node stands still until the others have gone on without it: it ends as soon as it hears of them. */
export async function longStandstill(world: Simulation): Promise<void> {
  const { clock, nodes, random } = world
  const history = await watched(world)
  await breathe(world)
  const node = pick(world)
  const others = nodes.filter((each) => each !== node)

  const resume = node.pause()
  await clock.until(() => isOneCluster(others), '45s', 'the others on their own')
  await clock.advance(random('length').below(60_000))
  resume()
  await clock.until(() => !node.isRunning, '5s', 'the end of the one that stood still')
  await clock.advance('10s')

  expect(isOneCluster(others)).toBe(true)
  history.check()
}

function pick({ nodes, random }: Simulation): SimulatedNode {
  return nodes[random('pick').below(nodes.length)] as SimulatedNode
}

async function watched({ onStart }: Simulation): Promise<MembershipHistory> {
  const history = new MembershipHistory()
  await onStart(history.start)
  return history
}

/** Some time, so that what follows meets the cluster at any point of its rounds. */
async function breathe({ clock, random }: Simulation): Promise<void> {
  await clock.advance(random('breath').below(3_000))
}

/** All nodes in two parts, each of at least `sizeMin`. */
function twoParts({ nodes, random }: Simulation, sizeMin = 1): [SimulatedNode[], SimulatedNode[]] {
  const draws = random('parts')
  const size = sizeMin + draws.below(nodes.length - 2 * sizeMin + 1)
  const left = [...nodes]
  const part = Array.from(
    { length: size },
    () => left.splice(draws.below(left.length), 1)[0] as SimulatedNode,
  )
  return [part, left]
}

function keepsMajority(part: readonly SimulatedNode[], rest: readonly SimulatedNode[]): boolean {
  if (part.length !== rest.length) return part.length > rest.length
  return lowest(part) < lowest(rest)
}

function lowest(part: readonly SimulatedNode[]): string {
  return part.map(({ address }) => address).reduce((a, b) => (a < b ? a : b))
}

/** Whether exactly these nodes are Up and reachable in the eyes of each of them. */
function isOneCluster(part: readonly SimulatedNode[]): boolean {
  const expected = part
    .map(({ address }) => address)
    .sort()
    .join()
  return part.every((node) => {
    if (!node.isStarted) return false
    const { members, unreachable } = node.cluster.state
    const up = members.filter(({ status }) => status === 'Up').map((member) => member.node.address)
    return (
      unreachable.length === 0 && members.length === part.length && up.sort().join() === expected
    )
  })
}

/** Those of the default settings. */
const STABLE_AFTER_MS = 20_000
const PAUSE_MS = 4_000

const ALL_KINDS: readonly FaultKind[] = [
  'Partition',
  'OneWayCut',
  'Slow',
  'BreakLinks',
  'Crash',
  'Pause',
  'ClockJump',
]
