import { describe, expect, it } from 'vitest'
import { Leases } from '../budget/lease.ts'
import { CampaignDirectory } from '../campaign/campaign-directory.ts'
import type { CampaignRecord } from '../campaign/campaign-record.ts'
import { realTime, ScenarioClock } from '../pacing/scenario-clock.ts'
import { SeededRandom } from '../random.ts'
import { CreativeStats } from '../sampling/creative-stats.ts'
import { FlatIndex } from '../serve-index/flat-index.ts'
import { bucketOf, mapKey, namespaceOf } from '../serve-index/serve-index.ts'
import type { ServeView } from '../serve-index/serve-view.ts'
import { PacingGates } from './pacing-gates.ts'
import type { Decision, Moment, ServeSettings } from './serve-path.ts'
import { defaultServeSettings, ServePath } from './serve-path.ts'

const NOW = 10_000_000
const HOUR = 3_600_000
const at = (now: number = NOW): Moment => ({ monotonicMs: now, wallMs: now, scenarioMs: now })

function view(creativeId: string, more: Partial<ServeView> = {}): ServeView {
  return {
    creativeId,
    campaignId: `adv|${creativeId}`,
    advertiserId: 'adv',
    campaignEpoch: 1,
    assetUrl: '/a.svg',
    mime: 'image/svg+xml',
    width: 300,
    height: 250,
    category: 'sport',
    cpmMicros: 5_000_000,
    floorMicros: 1_000_000,
    categoryScore: 0.5,
    classifiedAtMs: NOW - HOUR,
    landingUrl: '/l',
    expiresAtMs: NOW + HOUR,
    version: 1,
    ...more,
  }
}

function record(campaignId: string, more: Partial<CampaignRecord> = {}): CampaignRecord {
  return {
    campaignId,
    advertiserId: 'adv',
    status: 'Active',
    epoch: 1,
    blockedCreatives: [],
    maxCpmMicros: 5_000_000,
    categories: [],
    siteAllowlist: [],
    creatives: 1,
    budgetMicros: 1_000_000_000,
    spentMicros: 0,
    outstandingMicros: 0,
    isExhausted: false,
    day: 0,
    dayStartMs: 0,
    dayEndMs: 86_400_000,
    revision: 1,
    ...more,
  }
}

/** A node with views in slots of site `s`, whose campaigns are active and have money, unless told otherwise. */
class Fixture {
  readonly index = new FlatIndex()
  readonly directory = new CampaignDirectory()
  readonly leases = new Leases('n1')
  readonly stats = new CreativeStats()
  readonly gates = new PacingGates(new ScenarioClock(realTime))
  readonly path: ServePath
  #grants = 0

  constructor(settings: Partial<ServeSettings> = {}) {
    const knowsSite = (site: string): boolean => site === 's'
    const random = new SeededRandom(4)
    const { index, directory, leases, stats, gates } = this
    this.path = new ServePath(
      { index, directory, leases, stats, gates, random, knowsSite },
      { ...defaultServeSettings, ...settings },
    )
  }

  show(slot: string, ...views: readonly ServeView[]): this {
    for (const each of views) {
      this.index.apply(mapKey(namespaceOf('s', slot), bucketOf(each.creativeId)), [each], [])
      if (this.directory.recordOf(each.campaignId) === undefined)
        this.directory.observe(record(each.campaignId))
    }
    return this
  }

  pay(campaignId: string, micros: number): this {
    this.leases.prepare(campaignId, 1_000, NOW)
    const effect = this.leases
      .tick(NOW)
      .find((each) => each.type === 'RequestLease' && each.campaignId === campaignId)
    if (effect?.type !== 'RequestLease') throw new Error('nothing was asked for')
    const leaseId = `L${++this.#grants}`
    this.leases.granted(
      campaignId,
      { requestId: effect.requestId, leaseId, grantedMicros: micros, ttlMs: 30_000 },
      NOW,
    )
    return this
  }

  decide(slots: readonly string[] = ['top'], now: number = NOW, site: string = 's'): Decision {
    return this.path.decide({ site, slots }, at(now))
  }
}

function shown(decision: Decision): (string | undefined)[] | string {
  return decision.type === 'Served'
    ? decision.ads.map((ad) => ad?.view.creativeId)
    : decision.reason
}

describe('a decision', () => {
  it('shows a candidate, pays for it, and counts the impression', () => {
    const node = new Fixture().show('top', view('a')).pay('adv|a', 100_000)

    const decision = node.decide()

    expect(decision).toMatchObject({
      type: 'Served',
      ads: [
        {
          view: { creativeId: 'a' },
          requestId: 'L1.1',
          clearingCpmMicros: 1_000_000,
          amountMicros: 1_000,
        },
      ],
    })
    expect(node.leases.leftMicros('adv|a')).toBe(99_000)
    expect(node.stats.countsOf('a', NOW).impressions).toBe(1)
  })

  it.each([
    ['an unknown site', ['top'], 'elsewhere'],
    ['an unknown slot', ['side'], 's'],
  ])('has no candidates for %s', (_, slots, site) => {
    const node = new Fixture().show('top', view('a')).pay('adv|a', 100_000)

    expect(shown(node.decide(slots, NOW, site))).toBe('noCandidates')
  })

  it('shows nothing at its expiry, swept or not', () => {
    const node = new Fixture().show('top', view('a', { expiresAtMs: NOW })).pay('adv|a', 100_000)

    expect(shown(node.decide())).toBe('noCandidates')
  })

  it('shows what was classified exactly 48 hours ago, and nothing older', () => {
    const edge = new Fixture()
      .show('top', view('a', { classifiedAtMs: NOW - 48 * HOUR }))
      .pay('adv|a', 100_000)
    const older = new Fixture()
      .show('top', view('a', { classifiedAtMs: NOW - 48 * HOUR - 1 }))
      .pay('adv|a', 100_000)

    expect([shown(edge.decide()), shown(older.decide())]).toEqual([['a'], 'stale'])
  })

  it('leaves out stale candidates beside fresh ones', () => {
    const node = new Fixture()
      .show(
        'top',
        view('old', { classifiedAtMs: NOW - 49 * HOUR, cpmMicros: 500_000_000 }),
        view('new'),
      )
      .pay('adv|old', 10_000_000)
      .pay('adv|new', 100_000)

    for (let i = 0; i < 20; i++) expect(shown(node.decide())).toEqual(['new'])
  })
})

describe('the takedown fence', () => {
  it('stops candidates of a campaign that was taken down, though the index still has them', () => {
    const node = new Fixture()
      .show('top', view('a'), view('b'))
      .pay('adv|a', 100_000)
      .pay('adv|b', 100_000)
    node.directory.observe(record('adv|a', { epoch: 2, revision: 2 }))

    for (let i = 0; i < 20; i++) expect(shown(node.decide())).toEqual(['b'])
  })

  it('leaves nothing when all are fenced', () => {
    const node = new Fixture().show('top', view('a')).pay('adv|a', 100_000)
    node.directory.observe(record('adv|a', { status: 'Paused', epoch: 2, revision: 2 }))

    expect(shown(node.decide())).toBe('noCandidates')
  })
})

describe('paying', () => {
  it('goes on to the next candidate when a campaign cannot pay', () => {
    const node = new Fixture().show(
      'top',
      view('rich', { cpmMicros: 2_000_000 }),
      view('poor', { cpmMicros: 900_000_000 }),
    )
    node.pay('adv|rich', 1_000_000).pay('adv|poor', 1)

    expect(shown(node.decide())).toEqual(['rich'])
  })

  it('says budget when nobody can pay, and warmup while nobody knows', () => {
    const node = new Fixture().show('top', view('a'))
    expect(shown(node.decide())).toBe('warmup')

    const asked = node.leases.tick(NOW).find((effect) => effect.type === 'RequestLease')
    node.leases.refused('adv|a', asked?.type === 'RequestLease' ? asked.requestId : '', NOW)

    expect(shown(node.decide())).toBe('budget')
  })

  it('charges the floor without a rival, and never more than the bid with one', () => {
    const alone = new Fixture().show('top', view('a')).pay('adv|a', 100_000).decide()
    const rivals = new Fixture()
      .show('top', view('a', { cpmMicros: 5_000_000 }), view('b', { cpmMicros: 5_000_000 }))
      .pay('adv|a', 1_000_000)
      .pay('adv|b', 1_000_000)
      .decide()

    expect(alone).toMatchObject({ ads: [{ clearingCpmMicros: 1_000_000 }] })
    expect(rivals).toMatchObject({ ads: [{ clearingCpmMicros: 5_000_000 }] })
  })

  it('charges the bid when first price is chosen', () => {
    const node = new Fixture({ isFirstPrice: true }).show('top', view('a')).pay('adv|a', 100_000)

    expect(node.decide()).toMatchObject({
      ads: [{ clearingCpmMicros: 5_000_000, amountMicros: 5_000 }],
    })
  })

  it('never gives an impression away', () => {
    const node = new Fixture().show('top', view('a', { floorMicros: 0 })).pay('adv|a', 100_000)

    expect(node.decide()).toMatchObject({ ads: [{ amountMicros: 1 }] })
  })

  it('refuses a candidate whose new price is below the floor', () => {
    const node = new Fixture().show('top', view('a', { cpmMicros: 999_999 })).pay('adv|a', 100_000)

    expect(shown(node.decide())).toBe('floor')
  })

  it('spends a lease to its last impression and not one more', () => {
    const node = new Fixture().show('top', view('a')).pay('adv|a', 7_500)

    const served = Array.from({ length: 20 }, () => node.decide()).filter(
      ({ type }) => type === 'Served',
    )

    expect(served).toHaveLength(7)
  })
})

describe('several slots', () => {
  it('shows a campaign once per page and leaves the other slots empty', () => {
    const both = [view('a', { campaignId: 'adv|x' }), view('b', { campaignId: 'adv|x' })]
    const node = new Fixture()
      .show('top', ...both)
      .show('side', ...both)
      .pay('adv|x', 1_000_000)

    const decision = node.decide(['top', 'side'])

    expect(
      decision.type === 'Served' && decision.ads.filter((ad) => ad !== undefined),
    ).toHaveLength(1)
  })

  it('answers in the order that was asked for', () => {
    const node = new Fixture()
      .show('top', view('a'))
      .show('side', view('b'))
      .show('foot', view('c'))
    for (const id of ['a', 'b', 'c']) node.pay(`adv|${id}`, 1_000_000)

    for (let i = 0; i < 10; i++)
      expect(shown(node.decide(['foot', 'none', 'top', 'side']))).toEqual([
        'c',
        undefined,
        'a',
        'b',
      ])
  })
})

describe('pacing', () => {
  it('stops when the pool has spent everything', () => {
    const node = new Fixture().show('top', view('a')).pay('adv|a', 1_000_000)
    node.directory.observe(record('adv|a', { spentMicros: 1_000_000_000, revision: 2 }))
    node.decide()
    node.gates.refresh(node.index, node.directory)

    expect(shown(node.decide())).toBe('budget')
  })

  it('refuses a share of the requests while spending is ahead of the day', () => {
    const node = new Fixture().show('top', view('a')).pay('adv|a', 1_000_000_000)
    node.directory.observe(record('adv|a', { spentMicros: 500_000_000, revision: 2 }))
    node.decide()
    node.gates.refresh(node.index, node.directory)

    const answers = Array.from({ length: 200 }, (_, i) => shown(node.decide(['top'], NOW + i * 20)))

    expect(answers.filter((answer) => answer === 'paced').length).toBeGreaterThan(120)
  })

  it('counts requests that are refused later', () => {
    const node = new Fixture()
    for (let i = 0; i <= 20; i++) node.decide(['top', 'side'], NOW + i * 100)

    expect(node.gates.of('s').ratePerSecond).toBeGreaterThan(5)
  })

  it('keeps no gate for sites nobody knows', () => {
    const node = new Fixture()
    for (let i = 0; i < 50; i++) node.decide(['top'], NOW, `random-${i}`)

    expect(node.gates.size).toBe(0)
  })
})
