import { describe, expect, it } from 'vitest'
import { announcement, closingLine, roundAccount } from './account.ts'
import { defaultConfig } from './config.ts'
import { type AdCounterReport, isAsPromised, type Played, roundReport } from './report.ts'
import type { Round } from './round.ts'

const round: Round = { name: 'offline', adIds: ['ad-1', 'ad-2'], limit: 2 }
const visit = (client: string, adId: string | undefined, wasOffline = false) => ({
  client,
  adId,
  wasOffline,
})
const played: Played = {
  plan: [
    { type: 'GoOffline', client: 'a' },
    { type: 'View', client: 'a' },
  ],
  visits: [
    visit('a', 'ad-1', true),
    visit('b', 'ad-1'),
    visit('b', 'ad-1'),
    visit('b', 'ad-2'),
    visit('b', undefined),
  ],
  nodes: [
    {
      digest: '1',
      counts: new Map([
        ['ad-1', 3],
        ['ad-2', 1],
      ]),
    },
    {
      digest: '1',
      counts: new Map([
        ['ad-1', 3],
        ['ad-2', 1],
      ]),
    },
  ],
  allStopped: true,
  agreedAfterMs: 1.4,
}
const whole = (of: Played): AdCounterReport => ({
  nodes: 2,
  clients: 2,
  limit: 2,
  seed: 1,
  lost: 0,
  replicasAgree: true,
  linkMessages: 10,
  linkBytes: 2_000,
  rounds: [roundReport(round, of)],
})
const counted = (...counts: number[]): Played => ({
  ...played,
  nodes: counts.map((count) => ({
    digest: String(count),
    counts: new Map([
      ['ad-1', count],
      ['ad-2', 1],
    ]),
  })),
})

describe('a report', () => {
  it('adds up what was shown and counted, and what went beyond the limit', () => {
    expect(roundReport(round, played)).toMatchObject({
      requests: 5,
      shown: 4,
      nothingToShow: 1,
      counted: 4,
      lost: 0,
      countedTwice: 0,
      replicasAgree: true,
      offlineClients: ['a'],
      ads: [
        { ad: 'ad-1', shown: 3, shownOffline: 1, counted: 3, beyondLimit: 1 },
        { ad: 'ad-2', shown: 1, shownOffline: 0, counted: 1, beyondLimit: 0 },
      ],
    })
    expect(isAsPromised(whole(played))).toBe(true)
  })

  it.each([
    ['a view that one replica has not counted', counted(3, 2), { lost: 1, replicasAgree: false }],
    ['a view that nobody has counted', counted(2, 2), { lost: 1, replicasAgree: true }],
    ['a view that was counted twice', counted(3, 4), { countedTwice: 1, replicasAgree: false }],
    [
      'replicas that differ in something else',
      {
        ...played,
        nodes: played.nodes.map((node, index) => ({ ...node, digest: String(index) })),
      },
      { lost: 0, replicasAgree: false },
    ],
    ['a client that goes on', { ...played, allStopped: false }, { allStopped: false }],
  ])('says so of %s', (_what, broken, expected) => {
    expect(roundReport(round, broken)).toMatchObject(expected)
    expect(isAsPromised(whole(broken))).toBe(false)
    expect(roundAccount(roundReport(round, broken), 2)).toContain('WRONG')
  })

  it('reads calmly', () => {
    const lines = [
      announcement(defaultConfig),
      roundAccount(roundReport(round, played), 2),
      closingLine(whole(played)),
    ]

    expect(lines.join('\n\n')).toMatchInlineSnapshot(`
      "5 ads, 5 clients on 3 nodes, a limit of 5 views for each ad (seed 1)

      Offline for a while: a. What is shown there is counted there, and merged upstream later.
        ad-1       3 shown    3 counted   (1 of them offline, 1 beyond the limit)
        ad-2       1 shown    1 counted

      5 requests: 4 saw an ad, 1 found none left to show.
      1 view went beyond a limit: who has not heard of the others' views goes on.
      No view was lost and none counted twice: 4 shown, 4 counted.
      All 2 replicas agree, 1 ms after the last step.

      10 messages, 2 KiB, crossed the links between the nodes."
    `)
  })
})
