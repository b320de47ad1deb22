import { describe, expect, it } from 'vitest'
import type { ServeView } from '../serve-index/serve-view.ts'
import type { CampaignChange } from './campaign-directory.ts'
import { CampaignDirectory, changesBetween } from './campaign-directory.ts'
import type { CampaignRecord } from './campaign-record.ts'
import { spendOf } from './campaign-record.ts'

function record(more: Partial<CampaignRecord> = {}): CampaignRecord {
  return {
    campaignId: 'shoes|spring',
    advertiserId: 'shoes',
    status: 'Active',
    epoch: 1,
    blockedCreatives: [],
    maxCpmMicros: 5_000_000,
    categories: [],
    siteAllowlist: [],
    creatives: 2,
    budgetMicros: 1_000_000,
    spentMicros: 0,
    outstandingMicros: 0,
    isExhausted: false,
    day: 7,
    dayStartMs: 0,
    dayEndMs: 86_400_000,
    revision: 1,
    ...more,
  }
}

function view(more: Partial<ServeView> = {}): ServeView {
  return {
    creativeId: 'shoes-1',
    campaignId: 'shoes|spring',
    advertiserId: 'shoes',
    campaignEpoch: 1,
    assetUrl: '/a.svg',
    mime: 'image/svg+xml',
    width: 300,
    height: 250,
    category: 'sport',
    cpmMicros: 5_000_000,
    floorMicros: 0,
    categoryScore: 0.5,
    classifiedAtMs: 0,
    landingUrl: '/l',
    expiresAtMs: 1,
    version: 1,
    ...more,
  }
}

describe('the takedown fence', () => {
  it('lets through candidates of the present epoch or a later one', () => {
    const directory = new CampaignDirectory()
    directory.observe(record({ epoch: 3 }))

    expect([2, 3, 4].map((campaignEpoch) => directory.isServable(view({ campaignEpoch })))).toEqual(
      [false, true, true],
    )
  })

  it('stops a paused campaign, a removed creative, and a campaign nobody has heard of', () => {
    const directory = new CampaignDirectory()
    expect(directory.isServable(view())).toBe(false)
    directory.observe(record({ blockedCreatives: ['shoes-2'] }))
    expect(directory.isServable(view())).toBe(true)
    expect(directory.isServable(view({ creativeId: 'shoes-2' }))).toBe(false)

    directory.observe(record({ status: 'Paused', revision: 2 }))

    expect(directory.isServable(view())).toBe(false)
  })

  it('is not undone by a publication from before the takedown, however it is numbered', () => {
    const directory = new CampaignDirectory()
    directory.observe(record({ epoch: 2, status: 'Paused', revision: 5 }))
    directory.observe(record({ epoch: 1, revision: 99 }))
    directory.observe(record({ epoch: 2, revision: 4 }))

    expect(directory.recordOf('shoes|spring')?.status).toBe('Paused')
    expect(directory.isServable(view({ campaignEpoch: 9 }))).toBe(false)
  })
})

describe('changes', () => {
  const types = (before: CampaignRecord | undefined, after: CampaignRecord): string[] =>
    changesBetween(before, after).map(({ type }) => type)

  it.each([
    ['a new active campaign', undefined, {}, ['CampaignStarted']],
    ['a new paused campaign', undefined, { status: 'Paused' }, []],
    ['a pause', {}, { status: 'Paused', epoch: 2 }, ['CampaignStopped']],
    ['a resumption', { status: 'Paused' }, {}, ['CampaignStarted']],
    ['a takedown and resumption between two publications', {}, { epoch: 2 }, ['CampaignStarted']],
    ['the end of the money', {}, { isExhausted: true }, ['CampaignBudgetExhausted']],
    ['new money', { isExhausted: true }, {}, ['CampaignBudgetReset']],
    ['a creative less', {}, { blockedCreatives: ['x'], creatives: 1 }, ['CreativesRemoved']],
    ['a creative more', {}, { creatives: 3 }, ['CreativesChanged']],
    ['another price', {}, { maxCpmMicros: 6_000_000 }, ['CpmUpdated']],
    ['spending', {}, { spentMicros: 10 }, []],
  ] as const)('of %s', (_, before, after, expected) => {
    expect(
      types(
        before === undefined ? undefined : record(before as Partial<CampaignRecord>),
        record(after as Partial<CampaignRecord>),
      ),
    ).toEqual(expected)
  })

  it('reach listeners once, until they unsubscribe', () => {
    const directory = new CampaignDirectory()
    const heard: CampaignChange[] = []
    const unsubscribe = directory.onChange((change) => heard.push(change))
    directory.observe(record())
    directory.observe(record())
    unsubscribe()
    directory.observe(record({ status: 'Paused', revision: 2 }))

    expect(heard).toEqual([{ type: 'CampaignStarted', campaignId: 'shoes|spring' }])
  })
})

it('gives pacing its figures', () => {
  expect(spendOf(record({ spentMicros: 7 }))).toMatchObject({
    spentMicros: 7,
    pendingMicros: 0,
    dayEndMs: 86_400_000,
  })
})
