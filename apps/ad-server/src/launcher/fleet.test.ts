import { describe, expect, it } from 'vitest'
import type { NodeMessage } from '../node-protocol.ts'
import { defaultFleetSettings, Fleet } from './fleet.ts'

const NAMES = ['node-1', 'node-2', 'node-3']

/** A node's figures when it sees `members`; the first letter of each status tells it. */
const stats = (name: string, members: readonly string[] = NAMES, status = 'Up'): NodeMessage => {
  const seen = members.map((uid) => ({ address: uid, uid, status, isReachable: true }))
  const nothing = { decisionMs: [], dropped: {}, gossipBytes: 0 }
  return { type: 'Stats', name, uid: name, members: seen, ...nothing } as unknown as NodeMessage
}
const ready = (name: string): NodeMessage => ({
  type: 'Ready',
  name,
  pid: 1,
  clusterPort: 1,
  httpPort: 2,
})
const phases = (fleet: Fleet) => fleet.nodes.map(({ phase }) => phase)

function fleetThatIsUp(): Fleet {
  const fleet = new Fleet(NAMES)
  fleet.start(0)
  for (const name of NAMES) {
    fleet.received(name, ready(name), 100)
    fleet.received(name, stats(name), 200)
  }
  return fleet
}

describe('a fleet that starts', () => {
  it('starts every node; the first one founds the cluster', () => {
    expect(new Fleet(NAMES).start(0)).toEqual([
      { type: 'Start', name: 'node-1', isFirst: true },
      { type: 'Start', name: 'node-2', isFirst: false },
      { type: 'Start', name: 'node-3', isFirst: false },
    ])
  })

  it('takes a node for up when it is bound and sees itself as a member', () => {
    const fleet = new Fleet(NAMES)
    fleet.start(0)
    expect(phases(fleet)).toEqual(['starting', 'starting', 'starting'])

    fleet.received('node-1', ready('node-1'), 100)
    fleet.received('node-1', stats('node-1', ['node-1'], 'Joining'), 150)
    fleet.received('node-2', stats('node-2'), 150)
    expect(phases(fleet)).toEqual(['joining', 'starting', 'starting'])

    fleet.received('node-1', stats('node-1', ['node-1']), 200)
    expect(phases(fleet)).toEqual(['up', 'starting', 'starting'])
  })

  it('is complete when every node sees all of them up, and nobody else', () => {
    const fleet = fleetThatIsUp()
    expect(fleet.isComplete).toBe(true)

    fleet.received('node-2', stats('node-2', ['node-1', 'node-2']), 300)
    expect(fleet.isComplete).toBe(false)

    fleet.received('node-2', stats('node-2', [...NAMES, 'a dead one']), 300)
    expect(fleet.isComplete).toBe(false)
  })

  it('is not complete while one sees a member that is on its way out', () => {
    const fleet = fleetThatIsUp()
    const leaver = { address: 'x', uid: 'x', status: 'Down', isReachable: true }
    const seen = stats('node-2') as unknown as { readonly members: readonly object[] }
    fleet.received(
      'node-2',
      { ...seen, members: [...seen.members, leaver] } as unknown as NodeMessage,
      300,
    )

    expect(fleet.isComplete).toBe(false)
  })

  it('gives up when a node cannot start the first time, with the reason the node gave', () => {
    const fleet = new Fleet(NAMES)
    fleet.start(0)
    fleet.received('node-2', { type: 'Failed', code: 'PORT', reason: 'port 9 is in use' }, 50)

    expect(fleet.exited('node-2', 'exit code 1', 60)).toEqual([
      { type: 'GiveUp', reason: 'port 9 is in use' },
    ])
    expect(fleet.exited('node-1', 'SIGKILL', 70)).toEqual([])
    expect(fleet.tick(99_000)).toEqual([])
  })
})

describe('a node that was killed on purpose', () => {
  it('is started again after a second, and is no first one then', () => {
    const fleet = fleetThatIsUp()

    expect(fleet.kill('node-1', 1_000)).toEqual([{ type: 'Kill', name: 'node-1' }])
    expect(fleet.exited('node-1', 'SIGKILL', 1_010)).toEqual([])
    expect(phases(fleet)).toEqual(['down', 'up', 'up'])
    expect(fleet.tick(2_009)).toEqual([])
    expect(fleet.tick(2_010)).toEqual([{ type: 'Start', name: 'node-1', isFirst: false }])
    expect(fleet.tick(2_020)).toEqual([])
  })

  it('does not forget what its earlier processes had counted', () => {
    const fleet = new Fleet(['node-1'])
    fleet.start(0)
    const counted = { decisionMs: [[3, 1]], dropped: { full: 2 }, gossipBytes: 5 }
    for (let i = 0; i < 3; i++) {
      const message = { ...stats('node-1', ['node-1']), ...counted } as unknown as NodeMessage
      fleet.received('node-1', ready('node-1'), 100)
      fleet.received('node-1', message, 100)
      fleet.kill('node-1', 1_000)
      fleet.exited('node-1', 'SIGKILL', 1_010)
      fleet.tick(5_000)
    }

    expect(fleet.nodes[0]?.stats).toBeUndefined()
    expect(fleet.nodes[0]?.earlier).toEqual({
      decisionMs: [[3, 3]],
      dropped: { full: 6 },
      gossipBytes: 15,
    })
  })

  it('is announced when it is back', () => {
    const fleet = fleetThatIsUp()
    fleet.kill('node-1', 1_000)
    fleet.exited('node-1', 'SIGKILL', 1_010)
    fleet.tick(3_000)
    fleet.received('node-1', ready('node-1'), 3_100)

    expect(fleet.received('node-1', stats('node-1'), 3_200)).toEqual([
      { type: 'Notice', text: 'node-1 is back' },
    ])
  })

  it('has failed like any other when it ends by itself later', () => {
    const fleet = fleetThatIsUp()
    fleet.kill('node-1', 1_000)
    fleet.exited('node-1', 'SIGKILL', 1_010)
    fleet.tick(3_000)

    expect(fleet.exited('node-1', 'exit code 7', 3_100)).toMatchObject([{ type: 'Notice' }])
  })

  it('is not killed twice, and a stranger not at all', () => {
    const fleet = fleetThatIsUp()
    fleet.kill('node-1', 1_000)
    fleet.exited('node-1', 'SIGKILL', 1_010)

    expect(fleet.kill('node-1', 1_020)).toEqual([])
    expect(fleet.kill('node-9', 1_020)).toEqual([])
  })
})

describe('a node that ends by itself', () => {
  it('is started again, after pauses that double', () => {
    const fleet = fleetThatIsUp()
    let now = 1_000
    const pauses = Array.from({ length: 5 }, () => {
      expect(fleet.exited('node-2', 'exit code 7', now)).toMatchObject([{ type: 'Notice' }])
      const exitedAt = now
      while (fleet.tick(now).length === 0) now += 10
      return now - exitedAt
    })

    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000])
    expect(fleet.exited('node-2', 'exit code 7', now)).toEqual([
      { type: 'GiveUp', reason: 'the process of node-2 has ended (exit code 7)' },
    ])
  })

  it('is forgiven after it was up for a while', () => {
    const fleet = fleetThatIsUp()
    let now = 0
    for (let i = 0; i < 20; i++) {
      now += defaultFleetSettings.steadyMs + 10_000
      expect(fleet.exited('node-2', 'exit code 7', now)).toEqual([
        {
          type: 'Notice',
          text: 'the process of node-2 has ended (exit code 7); starting it again in 0.5 s',
        },
      ])
      now += 600
      fleet.tick(now)
      fleet.received('node-2', ready('node-2'), now)
      fleet.received('node-2', stats('node-2'), now)
    }
  })

  it('that hangs is killed and started again', () => {
    const fleet = fleetThatIsUp()
    const late = 200 + defaultFleetSettings.silentMaxMs
    fleet.received('node-1', stats('node-1'), late - 1)
    fleet.received('node-2', stats('node-2'), late - 1)

    expect(fleet.tick(late - 1)).toEqual([])
    expect(fleet.tick(late)).toEqual([{ type: 'Kill', name: 'node-3' }])
    expect(fleet.tick(late + 100)).toEqual([])
    expect(fleet.exited('node-3', 'SIGKILL', late + 200)).toEqual([
      {
        type: 'Notice',
        text: 'node-3 has been silent for 30 s and was killed; starting it again in 0.5 s',
      },
    ])
  })
})

describe('a fleet that shuts down', () => {
  it('lets one node after another leave, the last one first', () => {
    const fleet = fleetThatIsUp()

    expect(fleet.shutdown(1_000)).toEqual([{ type: 'Shutdown', name: 'node-3' }])
    expect(fleet.exited('node-3', 'exit code 0', 1_100)).toEqual([
      { type: 'Shutdown', name: 'node-2' },
    ])
    expect(fleet.exited('node-2', 'exit code 0', 1_200)).toEqual([
      { type: 'Shutdown', name: 'node-1' },
    ])
    expect(fleet.exited('node-1', 'exit code 0', 1_300)).toEqual([{ type: 'Done', killed: [] }])
    expect(phases(fleet)).toEqual(['gone', 'gone', 'gone'])
  })

  it('kills a node that does not leave in time, once, and says so', () => {
    const fleet = fleetThatIsUp()
    fleet.shutdown(1_000)

    expect(fleet.tick(10_999)).toEqual([])
    expect(fleet.tick(11_000)).toEqual([{ type: 'Kill', name: 'node-3' }])
    expect(fleet.tick(11_100)).toEqual([])
    fleet.exited('node-3', 'SIGKILL', 11_200)
    fleet.exited('node-2', 'exit code 0', 11_300)
    expect(fleet.exited('node-1', 'exit code 0', 11_400)).toEqual([
      { type: 'Done', killed: ['node-3'] },
    ])
  })

  it('does not start again what was down, nor what ends out of turn', () => {
    const fleet = fleetThatIsUp()
    fleet.kill('node-2', 900)
    fleet.exited('node-2', 'SIGKILL', 910)

    expect(fleet.shutdown(1_000)).toEqual([{ type: 'Shutdown', name: 'node-3' }])
    expect(fleet.exited('node-1', 'SIGSEGV', 1_100)).toEqual([])
    expect(fleet.tick(5_000)).toEqual([])
    expect(fleet.exited('node-3', 'exit code 0', 5_100)).toEqual([{ type: 'Done', killed: [] }])
  })

  it('is done at once when no process is left, and is asked only once', () => {
    const fleet = new Fleet(['node-1'])
    fleet.start(0)
    fleet.kill('node-1', 10)
    fleet.exited('node-1', 'SIGKILL', 20)

    expect(fleet.shutdown(30)).toEqual([{ type: 'Done', killed: [] }])
    expect(fleet.shutdown(40)).toEqual([])
  })
})
