import { Cluster } from '@troupe/cluster'
import { TestCluster } from '@troupe/testkit/cluster'
import { describe, expect, it } from 'vitest'
import { type CounterNode, runAdCounter } from '../../apps/ad-counter/src/ad-counter.ts'
import { type AdCounterConfig, defaultConfig } from '../../apps/ad-counter/src/config.ts'
import { host } from '../../apps/ad-counter/src/host.ts'
import { isAsPromised } from '../../apps/ad-counter/src/report.ts'

const config = (overrides: Partial<AdCounterConfig> = {}): AdCounterConfig => ({
  ...defaultConfig,
  ...overrides,
})

function hostsOn(cluster: TestCluster): readonly CounterNode[] {
  return cluster.nodes.map(({ system }) => ({
    system,
    host: system.systemActorOf(host(), 'ad-counter'),
  }))
}

describe('the ad counter on three nodes', () => {
  it('loses no view and counts none twice, online and offline, and all replicas agree', async () => {
    await using cluster = await TestCluster.start({ nodes: 3, seed: 7 })

    const report = await cluster.run(runAdCounter(hostsOn(cluster), config()))

    expect(isAsPromised(report)).toBe(true)
    const [online, offline] = report.rounds
    expect(online).toMatchObject({ requests: 50, lost: 0, countedTwice: 0, allStopped: true })
    expect(offline).toMatchObject({ requests: 50, lost: 0, countedTwice: 0, allStopped: true })
    expect(offline?.offlineClients).toHaveLength(2)
    expect(report.linkMessages).toBeGreaterThan(0)
  })

  it('shows each ad up to its limit, and only a little more, while everybody is online', async () => {
    await using cluster = await TestCluster.start({ nodes: 3, seed: 8 })

    const { rounds } = await cluster.run(runAdCounter(hostsOn(cluster), config({ pauseMs: 50 })))

    // With 50 ms between requests every view is known everywhere before the next.
    expect(rounds[0]?.ads.map(({ shown }) => shown)).toEqual([5, 5, 5, 5, 5])
    expect(rounds[0]?.nothingToShow).toBe(25)
    // Offline clients hear nothing of the limit: what they show beyond it is counted all the same.
    expect(rounds[1]?.ads[0]?.shownOffline).toBeGreaterThan(0)
    expect(rounds[1]?.ads[0]?.beyondLimit).toBeGreaterThan(0)
  })

  it('loses nothing when the network is cut in between', async () => {
    await using cluster = await TestCluster.start({ nodes: 3, seed: 9 })
    const [a, b, c] = cluster.nodes
    const running = runAdCounter(hostsOn(cluster), config({ pauseMs: 50, limit: 3 }))

    await cluster.clock.advance('300ms')
    const heal = cluster.network.partition([a, b], [c])
    await cluster.clock.advance('4s')
    heal()
    const report = await cluster.run(running)

    expect(isAsPromised(report)).toBe(true)
    // Both sides went on showing: the price of not asking anybody.
    expect(report.rounds[0]?.ads.some(({ beyondLimit }) => beyondLimit > 0)).toBe(true)
    expect(cluster.nodes.every(({ system }) => !Cluster.get(system).isShutDown)).toBe(true)
  })

  it('is the same story for the same seed', async () => {
    const tell = async () => {
      await using cluster = await TestCluster.start({ nodes: 3, seed: 3 })
      return await cluster.run(runAdCounter(hostsOn(cluster), config({ pauseMs: 1 })))
    }

    expect(await tell()).toEqual(await tell())
  })
})
