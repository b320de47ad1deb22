import { describe, expect, it } from 'vitest'
import { EnvelopeRouter, type Recipients, type Route } from './envelope-router.ts'
import type { Envelope, RegionEffect, RegionTraffic } from './messages.ts'
import { Region } from './region.ts'
import { shardOf } from './shard-id.ts'

const a = { address: 'a:1', uid: 'A' }
const b = { address: 'b:1', uid: 'B' }
const SHARDS = 10
const X = shardOf('x', SHARDS)

/** Entities that write down what they get. */
class Entities implements Recipients {
  readonly got: unknown[] = []
  readonly running = new Set<string>()
  readonly ending = new Set<string>()
  waitingCount = 0

  deliverIfRunning(entityId: string, message: unknown): boolean {
    if (!this.running.has(entityId)) return false
    this.got.push(message)
    return true
  }
  mustWait(entityId: string): boolean {
    return this.ending.has(entityId)
  }
  deliver({ entityId, message }: Envelope): void {
    this.running.add(entityId)
    this.got.push(message)
  }
  stopAll(): readonly Envelope[] {
    return [{ shard: X, entityId: 'x', message: 'waited' }]
  }
}

function fixture(bufferMax = 10): {
  readonly region: Region
  readonly router: EnvelopeRouter
  readonly entities: Entities
  readonly mailbox: Route[]
  readonly sent: (readonly [string, RegionTraffic])[]
  readonly dropped: (readonly [unknown, string])[]
} {
  const region = new Region({ self: a, shards: SHARDS, isHosting: true })
  const mailbox: Route[] = []
  const sent: (readonly [string, RegionTraffic])[] = []
  const dropped: (readonly [unknown, string])[] = []
  const links = {
    toPeer: (node: typeof a, traffic: RegionTraffic) => void sent.push([node.uid, traffic]),
    drop: ({ message }: Envelope, reason: string) => void dropped.push([message, reason]),
  }
  const router = new EnvelopeRouter({ region, links, shards: SHARDS, bufferMax }, (route) =>
    mailbox.push(route),
  )
  const entities = new Entities()
  router.open(entities)
  return { region, router, entities, mailbox, sent, dropped }
}

describe('a message for an entity of this node', () => {
  it('goes to it at once when it runs', () => {
    const { region, router, entities, mailbox } = fixture()
    region.receive({ type: 'HostShard', shard: X, epoch: 1 })
    entities.running.add('x')

    router.route('x', 'm1')

    expect(entities.got).toEqual(['m1'])
    expect(mailbox).toEqual([])
  })

  it('never overtakes one of its shard that waits for its turn, wherever either comes from', () => {
    const { region, router, entities, mailbox } = fixture()
    region.receive({ type: 'HostShard', shard: X, epoch: 1 })
    router.route('x', 'm1')
    entities.running.add('x')
    router.route('x', 'm2')
    router.arrived(b, { type: 'Envelope', shard: X, entityId: 'x', message: 'm3' })
    expect(entities.got).toEqual([])

    for (const route of mailbox.splice(0)) router.routed(route)
    router.route('x', 'm4')

    expect(entities.got).toEqual(['m1', 'm2', 'm3', 'm4'])
    expect(mailbox).toEqual([])
  })

  it('that is ending is dropped, and counted, when nothing more can be kept', () => {
    const { region, router, entities, mailbox, dropped } = fixture(2)
    region.receive({ type: 'HostShard', shard: X, epoch: 1 })
    entities.ending.add('x')
    entities.waitingCount = 2
    router.route('x', 'm1')

    for (const route of mailbox) router.routed(route)

    expect(dropped).toEqual([['m1', 'ShardBufferFull']])
  })
})

describe('a message for an entity of another node', () => {
  it('goes there at once, unless one of its shard waits for its turn', () => {
    const { region, router, mailbox, sent } = fixture()
    router.route('x', 'm1')
    region.receive({ type: 'Home', shard: X, home: { node: b, epoch: 1 } })
    router.route('x', 'm2')
    expect(sent).toEqual([])

    const effects = mailbox.flatMap((route): readonly RegionEffect[] => router.routed(route))
    router.route('x', 'm3')

    expect(effects.map((effect) => effect.type)).toEqual(['Forward', 'Forward'])
    expect(sent).toMatchObject([['B', { type: 'Envelope', message: 'm3' }]])
  })

  it('is not sent on when it came from another node: the coordinator is asked', () => {
    const { region, router, mailbox, sent } = fixture()
    region.receive({ type: 'Home', shard: X, home: { node: b, epoch: 1 } })
    router.arrived(b, { type: 'Envelope', shard: X, entityId: 'x', message: 'm1' })

    const effects = mailbox.flatMap((route): readonly RegionEffect[] => router.routed(route))

    expect(effects).toEqual([{ type: 'ToCoordinator', message: { type: 'AskHome', shard: X } }])
    expect(sent).toEqual([])
    expect(router.keptMessages).toBe(1)
  })
})

describe('messages without a home', () => {
  it('are kept up to the bound, over all shards, and dropped beyond it', () => {
    const { router, mailbox, dropped } = fixture(2)
    for (const message of ['m1', 'm2', 'm3']) router.route('x', message)

    for (const route of mailbox) router.routed(route)

    expect(router.keptMessages).toBe(2)
    expect(dropped).toEqual([['m3', 'ShardBufferFull']])
  })
})

describe('a router that was closed', () => {
  it('drops what was kept, what waited, what is in the mailbox, and what comes', () => {
    const { router, mailbox, dropped } = fixture()
    router.route('x', 'kept')
    for (const route of mailbox.splice(0)) router.routed(route)
    router.route('x', 'queued')

    router.close('NodeLeftCluster')
    router.close('ShardRegionStopped')
    for (const route of mailbox) router.routed(route)
    router.route('x', 'late')
    router.arrived(b, { type: 'Envelope', shard: X, entityId: 'x', message: 'late too' })

    expect(dropped).toEqual(
      ['waited', 'kept', 'queued', 'late', 'late too'].map((each) => [each, 'NodeLeftCluster']),
    )
  })
})
